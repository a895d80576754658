"""Faults by the API server on the room that is heard: what listeners hear of each, and that all is put back."""

from __future__ import annotations

import time

import pytest

from showstopper.api.injection import LEASE_SECONDS
from tests.support.budgets import budget
from tests.support.operator_process import Operator
from tests.support.pod_state import all_hear
from tests.support.staged_room import HOWEVER_SILENT, Object, Show, eventually, experiment, finished, passed, told

pytestmark = [pytest.mark.cluster, pytest.mark.matrix("faults by the API server")]

BOTH = {"component": "relay", "max": 2}
BACK = ({"indicator": "LongestDeadAir", "max": "40s"},)
"""Clients that lose their relay find the other one within 5 to 15 s, twice if that goes, too."""


def relay(show: Show) -> str:
    return f"/apis/apps/v1/namespaces/{show.namespace}/deployments/relay"


def replicas(show: Show) -> int:
    count: int = show.api.get(relay(show))["spec"]["replicas"]
    return count


def configuration(show: Show) -> str:
    text: str = show.api.get(f"/api/v1/namespaces/{show.namespace}/configmaps/relay")["data"]["livekit.yaml"]
    return text


def over(show: Show, run: Object) -> Object:
    """The same run, when it is over, whatever its verdict."""
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 120, lambda: finished(show.api.get(path)))
    return show.api.get(path)


def test_an_evicted_relay_is_gone_and_its_listeners_find_the_other(show: Show) -> None:
    fault = {"name": "evict", "target": {"component": "relay", "serving": True}, "podEvict": {"gracePeriod": "1s"}}
    show.apply(experiment("evict", faults=[fault], recovery="30s", expect=BACK))
    run = passed(show, "evict")
    (target,) = run["status"]["targets"]
    assert target["uid"] not in show.relays()
    assert target["goneAt"]
    assert target["mediaStoppedAt"]
    eventually("every resident hears the host", 10, lambda: all_hear(show))


def test_a_budget_keeps_the_relays_and_is_named(show: Show) -> None:
    before = show.relays()
    fault = {"name": "evict", "target": {"component": "relay"}, "podEvict": {}}
    with budget(show, 2) as name:
        show.apply(experiment("evict-refused", faults=[fault], expect=HOWEVER_SILENT))
        _, run = show.verdict("evict-refused")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "EvictionRefused"), told(run)
    assert name in run["status"]["message"]
    assert show.relays() == before


def test_a_restart_replaces_every_relay_and_is_no_new_release(show: Show) -> None:
    before = show.relays()
    fault = {"name": "restart", "target": BOTH, "rolloutRestart": {}}
    show.apply(experiment("restart", faults=[fault], recovery="60s", expect=BACK))
    run = passed(show, "restart")
    assert {target["uid"] for target in run["status"]["targets"]} == before.keys()
    assert not before.keys() & show.relays().keys()
    (change,) = run["status"]["changes"]
    assert change["kind"] == "Deployment"
    assert "restoredAt" not in change


def test_one_relay_is_left_and_then_there_are_two_again(show: Show) -> None:
    fault = {"name": "down", "target": {**BOTH, "max": 1}, "scaleDown": {"replicas": 1}, "duration": "45s"}
    show.apply(experiment("scale-down", faults=[fault], recovery="20s", expect=BACK))
    show.at("scale-down", "the fault is in force", lambda status: status.get("step") == "Active")
    assert replicas(show) == 1
    run = passed(show, "scale-down")
    assert len([target for target in run["status"]["targets"] if target.get("goneAt")]) == 1
    assert replicas(show) == 2


@pytest.mark.alone
def test_the_next_life_of_the_operator_scales_back_what_it_finds_scaled_down(show: Show) -> None:
    fault = {"name": "down", "target": {**BOTH, "max": 1}, "scaleDown": {"replicas": 1}, "duration": "5s"}
    unmet = [{"indicator": "MouthToEar", "max": "1ms"}]  # a fault that lasted longer fails no room
    show.apply(experiment("scale-down-orphan", faults=[fault], expect=unmet))
    run = show.at("scale-down-orphan", "the fault is in force", lambda status: status.get("step") == "Active")
    with Operator(show).away():
        time.sleep(5 + LEASE_SECONDS)
        assert replicas(show) == 1, "nobody else puts it back"
    eventually("there are two replicas", 60, lambda: replicas(show) == 2)
    run = over(show, run)
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "WrongDose"), told(run)
    (record,) = run["status"]["faults"]
    assert record["reverted"]


def test_a_configuration_is_rolled_out_and_rolled_back(show: Show) -> None:
    before, relays = configuration(show), show.relays()
    pushed = before.replace("level: info", "level: debug")
    assert pushed != before
    push = {"configMap": "relay", "key": "livekit.yaml", "value": pushed, "restart": True}
    fault = {"name": "push", "target": BOTH, "configPush": push, "duration": "45s"}
    show.apply(experiment("config-push", faults=[fault], recovery="60s", expect=BACK))
    show.at("config-push", "the fault is in force", lambda status: status.get("step") == "Active")
    assert configuration(show) == pushed
    passed(show, "config-push")
    assert configuration(show) == before
    assert not relays.keys() & show.relays().keys()


@pytest.mark.alone
def test_a_drained_node_is_emptied_of_the_room_and_takes_pods_again(show: Show) -> None:
    """The store may be on it, too: what listeners hear of that is not the point here. Our own pods stay."""
    fleet = own_pods(show)
    target = {"component": "relay", "serving": True, "max": 3}
    drain = {"name": "drain", "target": target, "nodeDrain": {"gracePeriod": "1s"}, "duration": "20s"}
    show.apply(experiment("node-drain", faults=[drain], recovery="30s", expect=HOWEVER_SILENT))
    run = show.at("node-drain", "the fault is in force", lambda status: status.get("step") == "Active")
    (change,) = run["status"]["changes"]
    node = f"/api/v1/nodes/{change['name']}"
    assert show.api.get(node)["spec"]["unschedulable"]
    run = passed(show, "node-drain")
    assert {each["node"] for each in run["status"]["targets"]} == {change["name"]}
    assert all(each["goneAt"] for each in run["status"]["targets"])
    assert not show.api.get(node)["spec"].get("unschedulable")
    assert own_pods(show) == fleet, "an experiment does not break its own instrument"


def own_pods(show: Show) -> set[str]:
    """The UIDs of the room's listeners and host."""
    pods = show.api.get(f"/api/v1/namespaces/{show.namespace}/pods", labelSelector="showstopper.dev/role")["items"]
    return {pod["metadata"]["uid"] for pod in pods}
