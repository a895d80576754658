"""What only the operator can know to be wrong: refused with a reason and what to do, and nothing is deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dev.cluster.errors import CommandError
from tests.support.staged_room import LONG, NOT_PASSED, Object, Show, condition, eventually, experiment, stands, told

pytestmark = pytest.mark.cluster

ELSEWHERE = "not-allowed"


def refused(show: Show, name: str, reason: str) -> Object:
    """The experiment when it is stalled for that reason, without a run."""

    def stalled() -> Object | None:
        resource = show.experiment(name)
        return resource if condition(resource, "Stalled")["status"] == "True" else None

    resource = eventually(f"experiment {name} is refused", LONG, stalled)
    assert condition(resource, "Stalled")["reason"] == reason
    assert (stands(resource)["Ready"], stands(resource)["Reconciling"]) == ("False", "False")
    assert resource["status"]["observedGeneration"] == resource["metadata"]["generation"]
    assert show.runs(name) == []
    return resource


def test_an_unknown_component_is_refused(show: Show) -> None:
    """And told which ones there are. Corrected, it runs."""
    relays = show.relays()
    show.apply(experiment("component", target={"component": "rely"}))
    resource = refused(show, "component", "UnknownComponent")
    assert "it has: relay, store" in condition(resource, "Stalled")["message"]
    assert show.relays() == relays
    show.apply(experiment("component"))
    _, run = show.verdict("component")
    assert run["status"]["verdict"] == "Passed", told(run)


def test_no_such_room_is_refused(show: Show) -> None:
    """After a while: a room that is applied together with its experiment may come later."""
    relays = show.relays()
    show.apply(experiment("nowhere", room="main-stag"))
    eventually("it waits first", 30, lambda: condition(show.experiment("nowhere"), "Reconciling")["status"] == "True")
    resource = refused(show, "nowhere", "RoomNotFound")
    assert 'no AudioRoom "main-stag"' in condition(resource, "Stalled")["message"]
    assert show.relays() == relays


@pytest.mark.parametrize(
    ("target", "reason", "says"),
    [
        ({"component": "store", "serving": True, "minReady": 0}, "NoTargets", "no serving pod of component store"),
        ({"max": 2, "maxPercent": "49%"}, "NoTargets", "matches the target"),
        ({"minReady": 2}, "MinReadyBroken", "would leave 1 ready pods"),
    ],
)
def test_a_plan_that_may_not_be_carried_out_is_refused_by_its_run(
    show: Show, target: dict[str, Any], reason: str, says: str
) -> None:
    """Targets may still come until the baseline is over, so the run itself asks for them, and ends without a fault."""
    moment, relays = show.moment(), show.relays()
    show.apply(experiment("plan", target=target))
    resource, run = show.verdict("plan")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", reason), told(run)
    assert says in run["status"]["message"]
    assert stands(resource) == NOT_PASSED
    assert "Injecting" not in {step["name"] for step in run["status"]["steps"]}
    assert (show.deleted_since(moment), show.relays()) == ([], relays)


def test_a_namespace_that_is_not_labelled_is_refused(show: Show) -> None:
    """Nobody's pods are hit who has not allowed it: there is a pod that would match, and it lives on."""
    room = show.api.get(show.path("audiorooms", show.room))
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bystander", "labels": room["spec"]["components"][0]["selector"]["matchLabels"]},
        "spec": {"containers": [{"name": "livekit", "image": show.cluster.images["livekit"]}]},
    }
    other = {**room, "metadata": {"name": show.room}, "spec": {**room["spec"], "listeners": {"count": 1}}}
    other.pop("status")
    place = Show(show.cluster, show.api, namespace=ELSEWHERE)
    _have_namespace(show)
    try:
        place.apply(pod, other, experiment("unlabelled", serving=None))
        uid = place.api.get(f"/api/v1/namespaces/{ELSEWHERE}/pods/bystander")["metadata"]["uid"]
        resource = refused(place, "unlabelled", "NamespaceNotAllowed")
        assert (
            f"kubectl label namespace {ELSEWHERE} showstopper.dev/chaos=allowed"
            in condition(resource, "Ready")["message"]
        )
        assert place.api.get(f"/api/v1/namespaces/{ELSEWHERE}/pods/bystander")["metadata"]["uid"] == uid
    finally:
        show.cluster.run_kubectl("delete", "namespace", ELSEWHERE, "--wait=false")


def _have_namespace(show: Show) -> None:
    """A fresh one: an earlier, interrupted test may have left its own."""
    show.cluster.run_kubectl("delete", "namespace", ELSEWHERE, "--ignore-not-found", "--timeout=120s")
    show.cluster.run_kubectl("create", "namespace", ELSEWHERE)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expect": []}, "expect"),
        ({"timing": {"baseline": "5"}}, "baseline"),
        ({"expect": [{"indicator": "AudibleRatio", "min": "101%"}]}, "AudibleRatio"),
        ({"expect": [{"indicator": "Loudness", "min": "1"}]}, "indicator"),
        ({"faults": [{"name": "none", "target": {"component": "relay"}}]}, "kind of fault"),
    ],
)
def test_what_a_schema_can_know_is_refused_at_apply(show: Show, change: dict[str, Any], says: str) -> None:
    """By the API server of this cluster, with the definitions that the chart installs."""
    wrong = experiment("wrong")
    wrong["spec"].update(change)
    with pytest.raises(CommandError, match=says):
        show.cluster.run_kubectl("--namespace", show.namespace, "apply", "-f", "-", stdin=json.dumps(wrong))


def test_a_dry_run_lists_exactly_what_would_be_hit(show: Show) -> None:
    """And hits nothing."""
    relays = show.relays()
    show.apply(experiment("dry", serving=True, dryRun=True))

    def planned() -> Object | None:
        resource = show.experiment("dry")
        return resource if condition(resource, "Finished")["status"] == "True" else None

    resource = eventually("the plan is shown", LONG, planned)
    assert condition(resource, "Ready")["reason"] == "Planned"
    (target,) = resource["status"]["plan"]
    # Plans rest on what listeners have just heard. The room's status, which is written now and then, may come after.
    room = show.path("audiorooms", show.room)
    eventually("the room names that relay", 30, lambda: show.api.get(room)["status"]["serving"] == [target["pod"]])
    assert relays[target["uid"]] == target["pod"]
    assert show.runs("dry") == []
    assert show.relays() == relays
