"""`showstopper stop` and `resume` against a real API server: what they do, and what they say when that fails."""

import json

import pytest

from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.api.stop_switch import STOP_SWITCH, stop_reason
from showstopper.cli.exit_codes import ExitCode
from tests.cli.stand_ins import Person

pytestmark = pytest.mark.apiserver


def thrown(server: ApiServer) -> str | None:
    """What the switch says in the namespace that `-n` names."""
    return stop_reason(json.loads(server.kubectl("-n", "show", "get", "cm", STOP_SWITCH, "-o", "json")))


def test_it_is_set_said_again_and_cleared(server: ApiServer) -> None:
    person = Person(server)
    code, out, _ = person.call("stop", "--reason", "the real show has begun")
    assert (code, thrown(server)) == (0, "the real show has begun")
    assert out.startswith(f"configmap/{STOP_SWITCH} created")
    assert out.endswith("showstopper -n show resume\n")
    code, out, _ = person.call("stop", "--reason", "another")
    assert (code, thrown(server)) == (0, "another")
    assert out.startswith(f"configmap/{STOP_SWITCH} configured")
    code, out, _ = person.call("resume")
    assert code == 0
    assert "deleted" in out
    with pytest.raises(CommandError, match="not found"):
        thrown(server)


def test_one_that_was_made_without_a_reason_gets_one(server: ApiServer) -> None:
    server.kubectl("-n", "show", "create", "cm", STOP_SWITCH)
    assert Person(server).call("stop", "--reason", "now")[0] == 0
    assert thrown(server) == "now"
    Person(server).call("resume")


def test_what_cannot_be_done_is_one_line(server: ApiServer) -> None:
    for words, code, said in (
        (["resume"], ExitCode.ERROR, "nothing to resume: there is no ConfigMap show/stop-switch"),
        (["--namespace", "nowhere", "stop", "--reason", "x"], ExitCode.ERROR, "nothing was stopped; name the agents"),
        (["--as", "eve", "stop", "--reason", "x"], ExitCode.ERROR, 'User "eve" cannot create'),
        (["stop"], ExitCode.USAGE, "--reason"),
        (["stop", "--reason", "x", "--release"], ExitCode.USAGE, "--release"),
        (["stop", "--reason", " "], ExitCode.USAGE, "an empty reason stops nothing"),
    ):
        found, _, err = Person(server).call(*words)
        assert (found, err.count("\n")) == (code, 1), err
        assert said in err
