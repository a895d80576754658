"""Rollouts: as `kubectl rollout status` sees them, from the moment at which a workload's spec changes."""

from typing import Any

import pytest

from showstopper.cluster.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind
from showstopper.engine.rooms import rollouts
from tests.engine.rooms.build import pod

SEEN: dict[str, Any] = {"observedGeneration": 2}


def workload(generation: int = 2, spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A workload that wants two pods."""
    metadata = {"name": "relay", "generation": generation}
    return {"metadata": metadata, "spec": {"replicas": 2, **(spec or {})}, "status": status}


def stands(kind: Kind, body: dict[str, Any]) -> str:
    rollout = rollouts.rollout(kind, body)
    return "at rest" if rollout is None else "held" if rollout.held else "moving"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2}, "moving"),  # nobody has looked at it yet
        ({**SEEN, "updatedReplicas": 1, "replicas": 3}, "moving"),
        ({**SEEN, "updatedReplicas": 2, "replicas": 3}, "moving"),  # an old pod is still there
        ({**SEEN, "updatedReplicas": 0, "replicas": 0}, "moving"),  # Recreate: none of the new ones is there yet
        ({**SEEN, "updatedReplicas": 2, "replicas": 2}, "at rest"),
        ({**SEEN, "updatedReplicas": 2, "replicas": 2, "readyReplicas": 1}, "at rest"),  # one was killed
        ({**SEEN, "updatedReplicas": 1, "replicas": 1}, "at rest"),  # one was killed, and is not back yet
    ],
)
def test_a_deployment_replaces_its_pods(status: dict[str, Any], expected: str) -> None:
    assert stands(DEPLOYMENT, workload(**status)) == expected


def test_a_stateful_set_has_two_revisions_meanwhile() -> None:
    two = {**SEEN, "currentRevision": "a", "updateRevision": "b"}
    assert stands(STATEFUL_SET, workload(**two, updatedReplicas=1)) == "moving"
    assert stands(STATEFUL_SET, workload(**two, updatedReplicas=2)) == "at rest"
    assert stands(STATEFUL_SET, workload(**SEEN, currentRevision="b", updateRevision="b")) == "at rest"


def test_a_daemon_set_counts_nodes() -> None:
    three = {**SEEN, "desiredNumberScheduled": 3, "currentNumberScheduled": 3}
    assert stands(DAEMON_SET, workload(**three, updatedNumberScheduled=2)) == "moving"
    assert stands(DAEMON_SET, workload(**three, updatedNumberScheduled=3)) == "at rest"
    killed = {**three, "currentNumberScheduled": 2}
    assert stands(DAEMON_SET, workload(**killed, updatedNumberScheduled=2)) == "at rest"


ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
LATE = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (
            DAEMON_SET,
            workload(spec=ON_DELETE, **SEEN, desiredNumberScheduled=3, updatedNumberScheduled=0),
            "0 of 3 pods of DaemonSet relay have its newest template: its updateStrategy is OnDelete",
        ),
        (
            STATEFUL_SET,
            workload(spec=ON_DELETE, **SEEN, currentRevision="a", updateRevision="b", updatedReplicas=1),
            "updateStrategy is OnDelete",
        ),
        (
            STATEFUL_SET,
            workload(
                spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}},
                **SEEN,
                currentRevision="a",
                updateRevision="b",
                updatedReplicas=1,
            ),
            "its partition is 1: lower it",
        ),
        (DEPLOYMENT, workload(spec={"paused": True}, **SEEN, updatedReplicas=0, replicas=2), "kubectl rollout resume"),
        (DEPLOYMENT, workload(**SEEN, updatedReplicas=1, replicas=2, conditions=LATE), "kubectl rollout undo"),
    ],
)
def test_what_waits_for_a_person_is_no_rollout_for_ever(kind: Kind, body: dict[str, Any], says: str) -> None:
    rollout = rollouts.rollout(kind, body)
    assert rollout is not None
    assert rollout.held
    assert says in rollout.message
    body["metadata"]["generation"] += 1
    assert stands(kind, body) == "moving", "its template has just been changed"


def test_a_template_is_all_that_it_says_but_what_our_faults_note_in_it() -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "relay"}}, "spec": {"containers": [{"name": "livekit"}]}}
    same = {**template, "metadata": {**template["metadata"], "annotations": {"showstopper.dev/restarted-by": "kill-1"}}}
    assert rollouts.template_hash(template) == rollouts.template_hash(same)
    checksum = {**template, "metadata": {**template["metadata"], "annotations": {"checksum/config": "1"}}}
    sidecar = {**template, "spec": {"containers": [{"name": "livekit"}, {"name": "proxy"}]}}
    restarted = {
        **template,
        "metadata": {**template["metadata"], "annotations": {"kubectl.kubernetes.io/restartedAt": "1"}},
    }
    hashes = {rollouts.template_hash(each) for each in (template, checksum, sidecar, restarted)}
    assert len(hashes) == 4


def test_a_pod_names_its_deployment_by_way_of_its_replica_set() -> None:
    made = pod("relay-7c9f-x", labels={"pod-template-hash": "7c9f"})
    made["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "relay-7c9f", "controller": True}]
    assert rollouts.owner_of(made) == ("Deployment", "relay")
    made["metadata"]["labels"] = {"rollouts-pod-template-hash": "7c9f"}
    assert rollouts.owner_of(made) == ("ReplicaSet", "relay-7c9f")
    assert rollouts.owner_of(pod("bare")) is None


def test_workloads_that_differ_in_their_place_alone_have_the_same_software() -> None:
    spec: dict[str, Any] = {"containers": [{"name": "livekit", "image": "livekit:1"}]}
    moved = {**spec, "nodeSelector": {"zone": "b"}, "terminationGracePeriodSeconds": 30}
    configured = {**spec, "volumes": [{"name": "config", "configMap": {"name": "new"}}]}
    assert rollouts.software_hash(spec) == rollouts.software_hash(moved)
    assert rollouts.software_hash(spec) != rollouts.software_hash(configured)


def test_a_workload_whose_template_was_observed_is_scaled_and_not_rolled_out() -> None:
    template: dict[str, Any] = {"spec": {"containers": [{"name": "livekit"}]}}
    status = {"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2}
    body = workload(spec={"replicas": 5, "template": template}, **status)
    known = rollouts.template_hash(template)
    assert rollouts.read(DEPLOYMENT, body, observed=known).rollout is None
    assert rollouts.read(DEPLOYMENT, body, observed="another").rollout is not None
    assert rollouts.read(DEPLOYMENT, body).rollout is not None, "nobody knows what was observed"
    moving = workload(spec={"template": template}, observedGeneration=1, updatedReplicas=1, replicas=3)
    assert rollouts.read(DEPLOYMENT, moving, observed=known).rollout is not None, "its rollout goes on"
