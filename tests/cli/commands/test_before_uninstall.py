"""`showstopper before-uninstall` against a real API server: what ends, in which order, and what is left alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.cluster import waiting
from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.api.stop_switch import STOP_SWITCH, STOP_SWITCH_ROLE
from showstopper.cli.commands.before_uninstall import OPERATOR, OPERATOR_LABELS
from showstopper.cli.exit_codes import ExitCode
from showstopper.engine.rooms.fleet import names
from tests.api.build import room
from tests.cli import stand_ins
from tests.cli.stand_ins import SECONDS, Person, ended
from tests.support import api_server

pytestmark = pytest.mark.apiserver
AGENTS = "showstopper-agent"
CONTAINERS = [{"name": "main", "image": "nothing"}]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Of its own: everything in it is ended."""
    with api_server.with_crds() as running:
        running.kubectl("create", "namespace", AGENTS)
        running.kubectl("-n", AGENTS, "create", "role", STOP_SWITCH_ROLE, "--verb=get", "--resource=configmaps")
        api_server.apply(running, workload("Deployment", OPERATOR, OPERATOR_LABELS))
        yield running


def workload(kind: str, name: str, labels: dict[str, str], owner: dict[str, Any] | None = None) -> dict[str, Any]:
    selector = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "show", "labels": labels, "ownerReferences": [owner] if owner else []},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": selector}, "spec": {"containers": CONTAINERS}},
        },
    }


def with_fleet(server: ApiServer) -> None:
    """A room with its listeners, and somebody else's workload with the same labels."""
    made = api_server.apply(server, room())
    owner = {key: made[key] for key in ("apiVersion", "kind")} | {
        "name": made["metadata"]["name"],
        "uid": made["metadata"]["uid"],
    }
    api_server.apply(server, workload("StatefulSet", "main-stage-listeners", names.FLEET_LABELS, owner))
    api_server.apply(server, workload("Deployment", "main-stage-host", names.FLEET_LABELS, owner))
    api_server.apply(server, workload("Deployment", "copied-labels", names.FLEET_LABELS))
    metadata = {
        "name": "main-stage-host",
        "namespace": "show",
        "labels": names.FLEET_LABELS,
        "ownerReferences": [owner],
    }
    api_server.apply(server, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})


def workloads(server: ApiServer) -> set[str]:
    return set(server.kubectl("-n", "show", "get", "statefulsets,deployments", "-o", "name").split())


def replicas(server: ApiServer) -> int:
    return int(server.kubectl("-n", "show", "get", "deployment", OPERATOR, "-o", "jsonpath={.spec.replicas}"))


def thrown(server: ApiServer) -> bool:
    try:
        return bool(server.kubectl("-n", AGENTS, "get", "cm", STOP_SWITCH, "-o", "name"))
    except CommandError:
        return False


def test_runs_end_then_the_operator_and_then_the_fleets(server: ApiServer) -> None:
    with_fleet(server)
    operator = stand_ins.Operator(server, "stopped")
    operator.apply()
    run = operator.make_run("stopped-1")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "op", "namespace": "show", "labels": OPERATOR_LABELS},
    }
    api_server.apply(server, pod | {"spec": {"containers": CONTAINERS}})
    process = Person(server).start("before-uninstall")
    waiting.until(lambda: thrown(server), "the switch was not thrown", seconds=SECONDS)
    assert replicas(server) == 1, "who ends the run is still needed"
    operator.judge(run, "Aborted", "Stopped")
    waiting.until(lambda: replicas(server) == 0, "the operator was not scaled down", seconds=SECONDS)
    assert "statefulset.apps/main-stage-listeners" in workloads(server), "it would be made again"
    server.kubectl("-n", "show", "delete", "pod", "op", "--force")
    code, out, err = ended(process)
    assert (code, err) == (0, ""), out
    assert "experimentrun show/stopped-1 ended: Aborted (Stopped)" in out
    assert workloads(server) == {f"deployment.apps/{OPERATOR}", "deployment.apps/copied-labels"}
    assert "main-stage-host" not in server.kubectl("-n", "show", "get", "serviceaccounts", "-o", "name")
    assert server.kubectl("-n", "show", "get", "audioroom", "main-stage", "-o", "name"), "people's, and stays"
    assert not thrown(server), "a new install would begin with it"


def test_a_run_that_does_not_end_keeps_the_operator_and_is_no_success(server: ApiServer) -> None:
    with_fleet(server)
    operator = stand_ins.Operator(server, "goes-on")
    operator.apply()
    operator.make_run("goes-on-1")
    code, _, err = Person(server).call("before-uninstall", "--timeout", "0.5")
    assert code == ExitCode.ERROR
    assert "experimentrun show/goes-on-1" in err
    assert replicas(server) == 1
    assert "statefulset.apps/main-stage-listeners" in workloads(server)
    assert thrown(server), "nothing begins meanwhile"


def test_the_next_attempt_clears_the_switch_that_a_failed_one_has_left(server: ApiServer) -> None:
    """A new install would begin with it: every run of it stopped, and nobody has written why."""
    operator = stand_ins.Operator(server, "late")
    operator.apply()
    run = operator.make_run("late-1")
    assert Person(server).call("before-uninstall", "--timeout", "0.5")[0] == ExitCode.ERROR
    assert thrown(server)
    operator.judge(run, "Aborted", "Stopped")
    code, _, err = Person(server).call("before-uninstall")
    assert (code, err) == (0, "")
    assert not thrown(server)


def test_a_persons_switch_stays_and_an_install_that_was_never_complete_is_no_obstacle(server: ApiServer) -> None:
    server.kubectl("-n", AGENTS, "create", "cm", STOP_SWITCH, "--from-literal=reason=the real show")
    assert Person(server).call("before-uninstall")[0] == 0
    assert "the real show" in server.kubectl("-n", AGENTS, "get", "cm", STOP_SWITCH, "-o", "jsonpath={.data}")
    server.kubectl("-n", "show", "delete", "deployment", OPERATOR)
    server.kubectl("-n", AGENTS, "delete", "role", STOP_SWITCH_ROLE)
    assert Person(server).call("before-uninstall")[0] == 0
