"""`showstopper gate` against a real API server: what it says, of which images, and how it ends."""

import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.cli.exit_codes import ExitCode
from tests.api.build import gate
from tests.cli.stand_ins import NOW, Person

pytestmark = pytest.mark.apiserver

RELEASE = [{"component": "relay", "container": "livekit", "image": "livekit:1", "digest": "sha256:aa"}]


def stands(server: ApiServer, name: str, outlook: Outlook | None, *requirements: dict[str, Any]) -> None:
    """A gate as the operator has written it; None: it has not looked at it."""
    server.kubectl("apply", "-f", "-", stdin=json.dumps(gate({"metadata.name": name})))
    if outlook is None:
        return
    told = [dump(one) for one in conditions.conditions(outlook, generation=1, now=NOW)]
    status = {"observedGeneration": 1, "conditions": told, "release": RELEASE, "experiments": list(requirements)}
    patch = json.dumps([{"op": "add", "path": "/status", "value": status}])
    server.kubectl(
        "-n", "show", "patch", "releasegate", name, "--subresource=status", "--type=json", f"--patch={patch}"
    )


PASSED = {"name": "kill", "state": "Passed", "run": "kill-1", "expiresAt": "2026-06-08T00:00:00.000000Z"}
FAILED = {"name": "kill", "state": "Failed", "run": "kill-2", "message": "Failed ExpectationMissed: too long"}
STATES = {
    "open": (conditions.idle(Reason.PASSED, "these images have passed kill"), PASSED, 0, "Open (Passed)"),
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
def test_it_says_whether_the_release_may_go_on(server: ApiServer, state: str) -> None:
    outlook, requirement, wanted, head = STATES[state]
    stands(server, f"gate-{state}", outlook, requirement)
    code, out, _ = Person(server).call("gate", f"gate-{state}")
    assert code == wanted
    assert out.startswith(head)
    assert "relay  livekit:1  sha256:aa" in out
    code, out, _ = Person(server).call("gate", f"gate-{state}", "-o", "json")
    told = json.loads(out)
    assert (code, told["open"]) == (wanted, wanted == 0)
    assert told["experiments"][0]["state"] == requirement["state"]


def test_what_is_not_known_is_one_line_and_never_a_pass(server: ApiServer) -> None:
    stands(server, "gate-new", None)
    for words, code, said in (
        (["gate", "gate-new"], ExitCode.INCONCLUSIVE, "the operator has not observed it yet"),
        (["gate", "nothing"], ExitCode.ERROR, 'there is no ReleaseGate "nothing" in namespace show'),
        (["--as", "eve", "gate", "gate-new"], ExitCode.ERROR, 'User "eve" cannot get'),
        (["gate"], ExitCode.USAGE, "NAME"),
        (["gate", "gate-new", "--image"], ExitCode.USAGE, "--image"),
    ):
        found, _, err = Person(server).call(*words)
        assert (found, err.count("\n")) == (code, 1), err
        assert said in err
