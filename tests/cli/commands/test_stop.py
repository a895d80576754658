"""`showstopper stop` and `resume` against a real API server: what they do, and what they say when that fails."""

import json
from collections.abc import Iterator

import pytest

from dev.cluster import waiting
from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.api.stop_switch import STOP_SWITCH, STOP_SWITCH_ROLE, stop_reason
from showstopper.cli.exit_codes import ExitCode
from tests.cli.stand_ins import SECONDS, Operator, Person, ended
from tests.support import api_server

pytestmark = pytest.mark.apiserver
AGENTS = "chaos-agents"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """Of its own: `stop` asks for every run of the cluster."""
    with api_server.with_crds() as running:
        running.kubectl("create", "namespace", AGENTS)
        yield running


@pytest.fixture
def watched(server: ApiServer) -> Iterator[None]:
    """The chart was installed with `agent.namespace=chaos-agents`."""
    rule = ["--verb=get", "--resource=configmaps"]
    server.kubectl("-n", AGENTS, "create", "role", STOP_SWITCH_ROLE, *rule)
    yield
    server.kubectl("-n", AGENTS, "delete", "role", STOP_SWITCH_ROLE)
    server.kubectl("-n", AGENTS, "delete", "cm", STOP_SWITCH, "--ignore-not-found")


def thrown(server: ApiServer) -> str | None:
    """What the switch says that is watched. None: it is not set."""
    try:
        return stop_reason(json.loads(server.kubectl("-n", AGENTS, "get", "cm", STOP_SWITCH, "-o", "json")))
    except CommandError:
        return None


def switches(server: ApiServer) -> str:
    return server.kubectl("get", "cm", "-A", f"--field-selector=metadata.name={STOP_SWITCH}", "-o", "name")


def run_of(server: ApiServer, name: str) -> Operator:
    operator = Operator(server, name)
    operator.apply()
    return operator


@pytest.mark.usefixtures("watched")
def test_it_is_set_where_it_is_watched_whatever_the_namespace(server: ApiServer) -> None:
    person = Person(server)  # types `-n show`, as for every other command
    code, out, err = person.call("stop", "--reason", "the real show has begun")
    assert (code, err, thrown(server)) == (0, "", "the real show has begun")
    said = [f"configmap/{STOP_SWITCH} created in namespace {AGENTS}: nothing starts until: showstopper resume"]
    assert out.splitlines() == [*said, "nothing was under way"]
    code, out, _ = person.call("stop", "--reason", "another")
    assert (code, thrown(server)) == (0, "another")
    assert out.startswith(f"configmap/{STOP_SWITCH} configured")
    code, out, _ = person.call("resume")
    assert (code, thrown(server)) == (0, None)
    assert "deleted" in out


@pytest.mark.usefixtures("watched")
def test_it_waits_until_every_run_has_ended_and_names_each(server: ApiServer) -> None:
    operator = run_of(server, "stopped")
    run = operator.make_run("stopped-1")
    process = Person(server).start("stop", "--reason", "now")
    waiting.until(lambda: thrown(server) == "now", "the switch was not thrown", seconds=SECONDS)
    with pytest.raises(Exception, match="timed out"):
        process.wait(timeout=2)
    operator.judge(run, "Aborted", "Stopped")
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert out.endswith("experimentrun show/stopped-1 ended: Aborted (Stopped)\n")


@pytest.mark.usefixtures("watched")
def test_what_goes_on_is_named_and_is_no_success(server: ApiServer) -> None:
    operator = run_of(server, "goes-on")
    run = operator.make_run("goes-on-1")
    code, out, err = Person(server).call("stop", "--reason", "now", "--timeout", "0.5")
    assert (code, thrown(server)) == (ExitCode.ERROR, "now")
    assert "not ended within 0.5 s" in err
    assert "experimentrun show/goes-on-1" in err
    assert "ended:" not in out
    operator.judge(run, "Aborted", "Stopped")


@pytest.mark.usefixtures("watched")
def test_a_switch_without_a_reason_gets_one(server: ApiServer) -> None:
    server.kubectl("-n", AGENTS, "create", "cm", STOP_SWITCH)
    assert Person(server).call("stop", "--reason", "now")[0] == 0
    assert thrown(server) == "now"


@pytest.mark.usefixtures("watched")
def test_a_person_who_may_throw_it_and_see_nothing_is_told_so(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWSTOPPER_AGENT_NAMESPACE", AGENTS)
    server.kubectl("-n", AGENTS, "create", "role", "throws", "--verb=create,patch", "--resource=configmaps")
    server.kubectl("-n", AGENTS, "create", "rolebinding", "throws", "--role=throws", "--user=thrower")
    code, _, err = Person(server).call("--as", "thrower", "stop", "--reason", "x")
    assert (code, thrown(server)) == (ExitCode.ERROR, "x")
    assert "the stop switch is set, but whether everything has ended cannot be seen" in err


def test_where_nobody_watches_nothing_is_set_and_nobody_is_told_that_it_stopped(server: ApiServer) -> None:
    for words in (["stop", "--reason", "x"], ["-n", AGENTS, "stop", "--reason", "x"]):
        code, out, err = Person(server).call(*words)
        assert (code, out, err.count("\n"), switches(server)) == (ExitCode.ERROR, "", 1, "")
        assert "nothing was stopped: nobody watches a stop switch" in err


@pytest.mark.usefixtures("watched")
def test_what_cannot_be_done_is_one_line(server: ApiServer) -> None:
    for words, code, said in (
        (["resume"], ExitCode.ERROR, f"nothing to resume: there is no ConfigMap {AGENTS}/stop-switch"),
        (["--as", "eve", "stop", "--reason", "x"], ExitCode.ERROR, 'User "eve" cannot create'),
        (["stop"], ExitCode.USAGE, "--reason"),
        (["stop", "--reason", "x", "--release"], ExitCode.USAGE, "--release"),
        (["stop", "--reason", " "], ExitCode.USAGE, "an empty reason stops nothing"),
    ):
        exit_code, _, err = Person(server).call(*words)
        assert (exit_code, err.count("\n")) == (code, 1), err
        assert said in err
