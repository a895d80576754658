"""`showstopper gate` against a real API server: what it says, of which images, and how it ends."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.cli.exit_codes import ExitCode
from showstopper.clock import to_timestamp
from showstopper.engine.runs import requests
from tests.api.build import gate
from tests.cli.stand_ins import NOW, Person
from tests.support import build

pytestmark = pytest.mark.apiserver


DIGEST, NEWER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
RELEASE = [{"component": "relay", "container": "livekit", "image": "livekit:1", "digest": DIGEST}]
LABELS = build.room().spec.components[0].selector.match_labels


def ago(seconds: float) -> str:
    return to_timestamp(datetime.now(UTC).timestamp() - seconds)


class Stage:
    """A namespace with a room, a pod of its relay, an experiment, and a run of it that passed an hour ago."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server

    def apply(self, kind: str, name: str, spec: Any, **metadata: Any) -> None:
        version = "v1" if kind == "Pod" else "showstopper.dev/v1alpha1"
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
        self.server.kubectl("-n", "show", "apply", "-f", "-", stdin=json.dumps(body))

    def status(self, kind: str, name: str, status: dict[str, Any]) -> None:
        words = ("-n", "show", "patch", kind, name, "--subresource=status", "--type=merge")
        self.server.kubectl(*words, f"--patch={json.dumps({'status': status})}")

    def runs(self, digest: str, name: str = "relay-a") -> None:
        """That image, in a pod of the relay."""
        containers = [{"name": "livekit", "image": "livekit:1"}]
        self.apply("Pod", name, {"containers": containers}, labels=dict(LABELS))
        state = {"name": "livekit", "image": "livekit:1", "imageID": f"livekit@{digest}", "ready": True}
        self.status("pod", name, {"phase": "Running", "containerStatuses": [{**state, "restartCount": 0}]})

    def declare(self) -> None:
        room = build.room()
        self.apply("AudioRoom", "main-stage", dump(room.spec))
        experiment = build.experiment()
        self.apply("Experiment", "kill", dump(experiment.spec))
        origin = {"hash": requests.wanted(experiment).hash}
        run = build.run("kill-1", experiment=origin, release=RELEASE)
        self.apply("ExperimentRun", "kill-1", dump(run.spec))
        passed = {"verdict": "Passed", "reason": "Passed", "message": "all met", "finishedAt": ago(3600)}
        self.status("exprun", "kill-1", passed)
        self.runs(DIGEST)

    def gate(
        self, name: str, outlook: Outlook | None, requirement: Any = None, *, seen: float = 5, **spec: Any
    ) -> None:
        """A gate as the operator has written it so many seconds ago; None: it has not looked at it."""
        changed = {"metadata.name": name, "spec.experiments": [{"name": "kill"}]}
        body = gate({**changed, **{f"spec.{key}": value for key, value in spec.items()}})
        self.server.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        if outlook is None:
            return
        told = [dump(condition) for condition in conditions.conditions(outlook, generation=1, now=NOW)]
        written = {"observedGeneration": 1, "conditions": told, "release": RELEASE, "observedAt": ago(seen)}
        self.status("releasegate", name, {**written, "experiments": [requirement] if requirement else []})


@pytest.fixture(scope="module")
def stage(server: ApiServer) -> Stage:
    made = Stage(server)
    made.declare()
    return made


OPEN = conditions.idle(Reason.PASSED, "this release has passed kill")
PASSED = {"name": "kill", "state": "Passed", "run": "kill-1", "expiresAt": ago(-3600)}
FAILED = {"name": "kill", "state": "Failed", "run": "kill-2", "message": "Failed ExpectationMissed: too long"}
STATES = {
    "open": (OPEN, PASSED, 0, "Open (Passed)"),
    "closed": (
        conditions.refused(Reason.EXPERIMENT_NOT_PASSED, "too long"),
        FAILED,
        1,
        "Closed (ExperimentNotPassed)",
    ),
    "waiting": (
        conditions.in_progress(Reason.WAITING_FOR_RUNS, "asked"),
        {"name": "kill", "state": "Waiting"},
        2,
        "Closed (",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_it_says_whether_the_release_may_go_on(stage: Stage, state: str) -> None:
    outlook, requirement, wanted, head = STATES[state]
    stage.gate(f"gate-{state}", outlook, requirement)
    code, out, _ = Person(stage.server).call("gate", f"gate-{state}")
    assert out.startswith(head)
    assert code == wanted
    assert "relay  livekit:1  sha256:aa" in out
    code, out, _ = Person(stage.server).call("gate", f"gate-{state}", "-o", "json")
    told = json.loads(out)
    assert (code, told["open"]) == (wanted, wanted == 0)
    assert told["experiments"][0]["state"] == requirement["state"]


def test_an_open_gate_is_no_pass_for_what_the_operator_has_not_seen(stage: Stage) -> None:
    person = Person(stage.server)
    stage.gate("gate-away", OPEN, PASSED, seen=300)
    code, out, _ = person.call("gate", "gate-away")
    assert (code, out.split("\n")[0]) == (2, "Closed (AnswerStale)")
    assert "the operator has not looked since" in " ".join(out.split())

    stage.gate("gate-aged", OPEN, PASSED, maxAge="30m")
    code, out, _ = person.call("gate", "gate-aged")
    assert (code, out.split("\n")[0]) == (1, "Closed (PassExpired)")

    stage.gate("gate-left", OPEN, PASSED)
    try:
        stage.runs(NEWER)
        code, out, _ = person.call("gate", "gate-left")
        assert (code, out.split("\n")[0]) == (1, "Closed (RunMissing)")
        stage.server.kubectl("-n", "show", "delete", "pod", "relay-a", "--force", "--grace-period=0")
        code, out, _ = person.call("gate", "gate-left")
        assert (code, out.split("\n")[0]) == (1, "Closed (NoImage)")
    finally:
        stage.runs(DIGEST)
    assert person.call("gate", "gate-left")[0] == 0


def test_an_image_follows_the_rules_of_the_gate(stage: Stage) -> None:
    person = Person(stage.server)
    stage.gate("gate-image", None)
    assert person.call("gate", "gate-image", "--image", f"livekit@{DIGEST}")[0] == 0
    assert person.call("gate", "gate-image", "--image", NEWER)[0] == ExitCode.INCONCLUSIVE
    stage.gate("gate-suspended", None, suspend=True)
    code, out, _ = person.call("gate", "gate-suspended", "--image", DIGEST)
    assert (code, out.split("\n")[0]) == (2, "Closed (Suspended)")
    for wrong in ("", "livekit:1", "sha256:aa", "latest"):
        code, _, err = person.call("gate", "gate-image", "--image", wrong)
        assert code == ExitCode.USAGE
        assert f'--image "{wrong}" is no digest' in err


def test_what_is_not_known_is_one_line_and_never_a_pass(stage: Stage) -> None:
    stage.gate("gate-new", None)
    for words, code, said in (
        (["gate", "gate-new"], ExitCode.INCONCLUSIVE, "the operator has not observed it yet"),
        (["gate", "nothing"], ExitCode.ERROR, 'there is no ReleaseGate "nothing" in namespace show'),
        (["--as", "eve", "gate", "gate-new"], ExitCode.ERROR, 'User "eve" cannot get'),
        (["gate"], ExitCode.USAGE, "NAME"),
        (["gate", "gate-new", "--image"], ExitCode.USAGE, "--image"),
    ):
        exit_code, _, err = Person(stage.server).call(*words)
        assert (exit_code, err.count("\n")) == (code, 1), err
        assert said in err
