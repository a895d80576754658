"""What a host is asked for: one Injection, which names its pod as executor and as only target."""

from showstopper.api.experiment import Fault
from showstopper.api.injection import Executor, Injection
from showstopper.engine.hands.injections import answers, asking
from tests.support import build

SILENCE = {"name": "air", "duration": "5s", "deadAir": {}}
HOST = build.pod("main-stage-host-a", address="198.18.1.9")


def asked() -> Injection:
    run = build.run(faults=[SILENCE])
    body = asking.of_stage(run, Fault.model_validate(SILENCE), HOST)
    body["metadata"] |= {"uid": "injection-uid", "generation": 1}
    return Injection.parse(body)


def test_a_host_is_asked_by_the_name_of_its_pod_and_no_agent_is() -> None:
    injection = asked()
    assert (injection.spec.node, injection.spec.pod) == (None, "main-stage-host-a")
    assert [target.uid for target in injection.spec.targets] == [HOST.uid]
    assert injection.spec.kind == "deadAir"
    assert str(injection.spec.executor) == "host main-stage-host-a"


def test_a_host_that_does_not_answer_is_named() -> None:
    answer = answers.answers([asked()], Fault.model_validate(SILENCE))
    assert answer.silent == (Executor(pod="main-stage-host-a"),)
    finding = answers.unanswered(answer.silent)
    assert finding.reason == "HostMissing"
    assert "look at the log of pod main-stage-host-a" in finding.message


CLOSED = {"name": "closed", "duration": "5s", "roomUnavailable": {}}
DOORS = (build.pod("door-0", address="198.18.1.20"), build.pod("door-1", address="198.18.1.21"))


def asked_of_door() -> list[Injection]:
    run = build.run(faults=[CLOSED])
    bodies = [asking.of_stage(run, Fault.model_validate(CLOSED), pod) for pod in DOORS]
    for body in bodies:
        body["metadata"] |= {"uid": body["metadata"]["name"], "generation": 1}
    return [Injection.parse(body) for body in bodies]


def test_every_pod_of_the_door_is_asked_by_its_name() -> None:
    injections = asked_of_door()
    assert len({injection.metadata.name for injection in injections}) == 2
    assert [injection.spec.pod for injection in injections] == ["door-0", "door-1"]
    assert [str(injection.spec.executor) for injection in injections] == ["door door-0", "door door-1"]


def test_a_door_that_does_not_answer_is_named_and_is_no_host() -> None:
    injections = asked_of_door()
    finding = answers.unanswered(answers.answers(injections, Fault.model_validate(CLOSED)).silent)
    assert finding.reason == "DoorMissing"
    assert "the door does not answer what it is asked for: look at the log of pod door-0, door-1" in finding.message
    for each in injections:
        each.status.observed_generation = 1
    unheard = answers.unheard(injections, 12)
    assert unheard is not None
    assert "the door has not reported for 12 s" in unheard.message


def test_an_agent_that_does_not_answer_comes_first() -> None:
    finding = answers.unanswered([Executor(pod="main-stage-host-a"), Executor(node="node1")])
    assert finding.reason == "AgentMissing"
    assert finding.message.startswith("no agent answers on node node1: ")
    assert answers.unanswered([]).reason == "NotArmed"


def test_a_host_that_falls_silent_has_lost_its_lease() -> None:
    begun = asked()
    begun.status.observed_generation = 1
    finding = answers.unheard([begun], 12)
    assert finding is not None
    assert finding.reason == "LeaseLost"
    assert "the host has not reported for 12 s" in finding.message
    assert answers.unheard([asked()], 12) is None, "it has not begun"
