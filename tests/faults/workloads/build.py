"""Faults of workloads, and the workloads that they change, from the fewest words."""

from collections.abc import Sequence
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Change, Pod, Workload
from showstopper.faults.pods.behaviour import changes_of
from tests.support import build

RELAY = Workload("Deployment", "relay", "relay-uid", replicas=3)
PODS = tuple(build.pod(name) for name in "abc")


def fault(kind: str, spec: dict[str, Any], **more: Any) -> Fault:
    """A fault of that kind on the relays."""
    return Fault.model_validate({"name": "it", "target": {"component": "relay", "max": 3}, kind: spec, **more})


def context(backing: Backing | None, targets: Sequence[Pod] = PODS) -> FaultContext:
    """A room with that behind the component relay."""
    return FaultContext("show", "main-stage", build.room().spec, tuple(targets), backing)


def objections(fault: Fault, *workloads: Workload, **more: Any) -> list[tuple[str, str]]:
    """Reason and message of all objections to a fault of three pods, which these workloads make."""
    findings = registry.of(fault.spec).objections(fault, context(Backing(workloads, **more)))
    return [(each.reason, each.message) for each in findings]


def changes(fault: Fault, *workloads: Workload, **more: Any) -> tuple[Change, ...]:
    """What the fault changes of these workloads."""
    return changes_of(fault, context(Backing(workloads, **more)), "now")
