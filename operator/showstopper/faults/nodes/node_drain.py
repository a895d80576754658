"""nodeDrain: a node is cordoned, the room's pods are evicted from it, and it is uncordoned again."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.nodes import NodeDrain
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.effects import Backing, Change, EvictPod, Node, Pod
from showstopper.faults.observed import Observed, names
from showstopper.faults.pods.behaviour import ChangeBehaviour, PodCallBehaviour
from showstopper.faults.workloads import fields
from showstopper.faults.workloads.behaviour import behind, is_in_time


class NodeDrainBehaviour(ChangeBehaviour[NodeDrain], PodCallBehaviour[NodeDrain]):
    """Proven when every pod of the room there was gone before the end, and the node was read back as cordoned."""

    kind: ClassVar[type[FaultKind]] = NodeDrain
    action: ClassVar[str] = "evicts"
    answered: ClassVar[str] = "eviction"

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Pods that stay on their node, a node that is cordoned already, or pods that nobody would make anew."""
        yield from super().objections(fault, context)
        if context.backing is None:
            return
        if daemons := _daemon_sets(context.backing):
            yield Finding(
                Reason.NO_TARGETS,
                f"the pods of component {fault.component} are those of DaemonSet {daemons}, which stay on their node "
                f"when it is drained (fault {fault.name}): use podKill",
            )
            return
        if not context.targets:
            return
        if (node := _node(fault, context)) is None:
            message = (
                f"node {context.targets[0].node} was deleted, and its pods, which fault {fault.name} would evict, go"
            )
            yield Finding(Reason.TARGETS_GONE, f"{message}: run again when they run elsewhere")
            return
        if node.cordoned:
            message = f"node {node.name} is cordoned already, and fault {fault.name} would uncordon it at its end"
            yield Finding(Reason.NOTHING_TO_CHANGE, f"{message}: uncordon it first, or aim at a pod elsewhere")
        if node.bare:
            message = (
                f"nobody makes {', '.join(node.bare[:3])} on node {node.name} anew, which fault {fault.name} would"
            )
            yield Finding(Reason.NOT_REPLACED, f"{message} evict: aim at a pod on another node")

    def changes(self, fault: Fault, context: FaultContext, now: str) -> tuple[Change, ...]:
        """The node takes no new pods."""
        if (node := _node(fault, context)) is None:
            return ()
        return (Change("Node", node.name, node.uid, fields.UNSCHEDULABLE, None, after=True),)

    def effect(self, spec: NodeDrain, target: Pod) -> EvictPod:
        """Evict the pod by its UID."""
        return EvictPod(target, spec.grace_period)

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: the cordon, or pods that should have gone, and what was said of their evictions."""
        if not observed.read_back:
            return Finding(Reason.NO_EFFECT, "is not proven: the node was not read back as cordoned")
        if uncertain := [target for target in observed.targets if target.ended and target.message]:
            return Finding(Reason.NO_EFFECT, f"is not proven on {names(uncertain)}: {uncertain[0].message}")
        left = [target for target in observed.targets if not is_in_time(target)]
        if not left:
            return None
        why = next(
            (target.message for target in left if target.message), "if pods take long to end, write a longer one"
        )
        message = f"is not proven: {names(left)} was still on the node when the duration was over: {why}"
        return Finding(Reason.NO_EFFECT, message)

    def figures(self, observed: Observed) -> str:
        """How many pods left the node, and when the last of them."""
        ended = [target.ended_after for target in observed.targets if target.ended_after is not None]
        last = f", the last after {max(ended):.1f} s" if ended else ""
        gone = sum(target.ended for target in observed.targets)
        return f"{gone} of {len(observed.targets)} pods gone from the node{last}"


def _daemon_sets(backing: Backing) -> str:
    """The names of the DaemonSets that make all pods of the component. Empty: others make some of them."""
    if backing.loose or any(workload.kind != "DaemonSet" for workload in backing.workloads):
        return ""
    return ", ".join(workload.name for workload in backing.workloads)


def _node(fault: Fault, context: FaultContext) -> Node | None:
    """The node that the targets are on, unless it was deleted."""
    return behind(fault, context).nodes.get(context.targets[0].node)
