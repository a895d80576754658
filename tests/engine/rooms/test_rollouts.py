"""Rollouts: as `kubectl rollout status` sees them, from the moment at which a workload's spec changes."""

from typing import Any

import pytest

from showstopper.cluster.kinds import DAEMON_SET, DEPLOYMENT, REPLICA_SET, STATEFUL_SET
from showstopper.engine.rooms.rollouts import rolling


def workload(generation: int = 2, replicas: int = 2, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "spec": {"replicas": replicas}, "status": status}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2}, True),  # nobody has looked at the change yet
        ({"observedGeneration": 2, "updatedReplicas": 1, "replicas": 3}, True),
        ({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 3}, True),  # an old pod is still there
        ({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2}, False),
        ({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "readyReplicas": 1}, False),  # one was killed
    ],
)
def test_a_deployment_replaces_its_pods(status: dict[str, Any], expected: bool) -> None:
    assert rolling(DEPLOYMENT, workload(**status)) is expected


def test_a_stateful_set_has_two_revisions_meanwhile() -> None:
    seen = {"observedGeneration": 2}
    assert rolling(STATEFUL_SET, workload(**seen, currentRevision="a", updateRevision="b", updatedReplicas=1))
    assert not rolling(STATEFUL_SET, workload(**seen, currentRevision="a", updateRevision="b", updatedReplicas=2))
    assert not rolling(STATEFUL_SET, workload(**seen, currentRevision="b", updateRevision="b"))


def test_a_daemon_set_counts_nodes_and_a_replica_set_changes_nothing() -> None:
    seen = {"observedGeneration": 2, "desiredNumberScheduled": 3}
    assert rolling(DAEMON_SET, workload(**seen, updatedNumberScheduled=2))
    assert not rolling(DAEMON_SET, workload(**seen, updatedNumberScheduled=3))
    assert not rolling(REPLICA_SET, workload())
