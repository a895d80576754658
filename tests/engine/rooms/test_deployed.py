"""Deployed: the release of a room's components, from their pods and their workloads."""

from typing import Any

from showstopper.engine.rooms import deployed
from showstopper.engine.rooms.rollouts import Rollout, Workload
from tests.engine.rooms.build import pod, room

RELAY = {"app.kubernetes.io/component": "relay"}
STORE = {"app.kubernetes.io/component": "store"}


def workload(name: str = "relay", labels: dict[str, str] | None = None, **changes: Any) -> Workload:
    return Workload("Deployment", name, labels or RELAY, changes.get("template", "t1"), changes.get("rollout"))


def test_a_component_has_its_workloads_template_beside_its_digests() -> None:
    release = deployed.of(room(), [pod("a", labels=RELAY), pod("s", labels=STORE)], [workload()])
    assert [(image.component, image.template) for image in release.images] == [("relay", "t1"), ("store", "")]
    assert (release.moving, release.held, release.draining) == (None, None, None)


def test_a_changed_template_moves_it_before_any_pod_tells() -> None:
    moving = workload(rollout=Rollout("Deployment relay is being rolled out"))
    release = deployed.of(room(), [pod("a", labels=RELAY)], [moving])
    assert release.moving == "Deployment relay is being rolled out"
    assert {image.template for image in release.images} == {"mixedt1"}
    of_store = deployed.of(room(), [pod("a", labels=RELAY), pod("s", labels=STORE)], [moving], ["store"])
    assert of_store.moving is None, "another component's rollout"
    assert {image.component for image in of_store.images} == {"store"}


def test_a_held_rollout_keeps_nobody_waiting_and_is_no_release() -> None:
    held = workload(rollout=Rollout("1 of 2 pods of DaemonSet relay have its newest template: ...", held=True))
    release = deployed.of(room(), [pod("a", labels=RELAY)], [held])
    assert release.moving is None
    assert release.held is not None
    assert release.unsettled is None, "a run goes on: the workload is at rest by its owner's will"
    assert {image.template for image in release.images} == {"mixedt1"}, "but what it passes counts for no release"


def test_two_templates_of_an_argo_rollout_are_told_by_its_pods() -> None:
    def canary(name: str, template: str) -> dict[str, Any]:
        return pod(name, labels={**RELAY, "rollouts-pod-template-hash": template})

    release = deployed.of(room(), [canary("a", "1"), canary("b", "2")], [])
    assert release.held == "pods of component relay have two templates of its Argo Rollout: finish or abort the canary"
    assert {image.template for image in deployed.of(room(), [canary("a", "1")], []).images} == {"1"}


def test_a_workload_is_known_by_a_pod_of_its_where_its_labels_are_the_controllers() -> None:
    first = pod("relay-0", labels={**RELAY, "apps.kubernetes.io/pod-index": "0"})
    first["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "relay", "controller": True}]
    owner = Workload("StatefulSet", "relay", {"app": "relay"}, "t7", None)
    assert {image.template for image in deployed.of(room(), [first], [owner]).images} == {"t7"}


def test_our_own_listeners_are_no_workload_of_the_room() -> None:
    fleet = workload("main-stage-listeners", {**RELAY, "showstopper.dev/role": "listener"}, template="t2")
    assert {image.template for image in deployed.of(room(), [pod("a", labels=RELAY)], [fleet, workload()]).images} == {
        "t1"
    }
