"""What a host is asked for: one Injection, which names its pod as executor and as only target."""

from showstopper.api.experiment import Fault
from showstopper.api.injection import Executor, Injection
from showstopper.engine.hands.agent import answers, asking
from tests.support import build

SILENCE = {"name": "air", "duration": "5s", "deadAir": {}}
HOST = build.pod("main-stage-host-a", address="198.18.1.9")


def asked() -> Injection:
    run = build.run(faults=[SILENCE])
    body = asking.of_host(run, Fault.model_validate(SILENCE), HOST)
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
