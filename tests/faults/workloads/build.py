"""Faults of workloads, and the workloads that they change, from the fewest words."""

from collections.abc import Iterable
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.faults import registry
from showstopper.faults.behaviour import Ground
from showstopper.faults.effects import Backing, Workload
from tests.support import build

RELAY = Workload("Deployment", "relay", "relay-uid", replicas=3)


def fault(kind: str, spec: dict[str, Any], **more: Any) -> Fault:
    """A fault of that kind on the relays."""
    return Fault.model_validate({"name": "it", "target": {"component": "relay", "max": 3}, kind: spec, **more})


def objections(fault: Fault, *workloads: Workload, loose: Iterable[str] = (), **more: Any) -> list[tuple[str, str]]:
    """Reason and message of all objections to a fault of three pods, which these workloads make."""
    targets = tuple(build.pod(name) for name in "abc")
    backing = Backing(workloads, tuple(loose), **more)
    ground = Ground("show", "main-stage", build.room().spec, targets, backing)
    return [(each.reason, each.message) for each in registry.of(fault.spec).objections(fault, ground)]
