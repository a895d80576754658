"""Policies: why a plan may not be carried out, each asked in turn. Pure."""

from collections.abc import Callable

from showstopper.api.experiment import Target
from showstopper.api.faults.base import Aim
from showstopper.api.reasons import Reason
from showstopper.api.run import MOST_KILLED
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.engine.planning.peers import peers_of
from showstopper.engine.planning.plan import FLEET_ROLES, Plan, PlannedFault, Snapshot, most
from showstopper.engine.rooms import media_paths
from showstopper.engine.rooms.pods import selects_fleet
from showstopper.faults import registry
from showstopper.faults.effects import Pod
from showstopper.faults.pods.behaviour import changes_of
from showstopper.faults.workloads.fields import named

CHAOS_LABEL = "showstopper.dev/chaos"
CHAOS_ALLOWED = "allowed"


def refusal(plan: Plan) -> Finding | None:
    """The first reason why this plan may not be carried out."""
    return next((finding for ask in POLICIES if (finding := ask(plan)) is not None), None)


def agents_disabled(error: BaseException) -> Finding:
    """Nothing can be asked of agents: the chart did not give the operator the right to."""
    return Finding(Reason.AGENT_DISABLED, f"{error}: install the chart with agent.enabled=true", Verdict.ERROR)


def refuse_unlabelled_namespace(plan: Plan) -> Finding | None:
    """Nobody's pods are hit who has not allowed it."""
    if plan.snapshot.namespace_labels.get(CHAOS_LABEL) == CHAOS_ALLOWED:
        return None
    name = plan.snapshot.namespace
    return Finding(
        Reason.NAMESPACE_NOT_ALLOWED,
        f"namespace {name} does not allow experiments: kubectl label namespace {name} {CHAOS_LABEL}={CHAOS_ALLOWED}",
    )


def refuse_unknown_component(plan: Plan) -> Finding | None:
    """A component that the room does not declare selects nothing."""
    known = [component.name for component in plan.snapshot.room.components]
    for planned in plan.faults:
        name = planned.fault.component
        if name is not None and name not in known:
            return Finding(
                Reason.UNKNOWN_COMPONENT,
                f'AudioRoom {plan.snapshot.namespace}/{plan.snapshot.room_name} has no component "{name}" '
                f"(fault {planned.fault.name}); it has: {', '.join(known)}",
            )
    return None


def refuse_own_fleet(plan: Plan) -> Finding | None:
    """Our own listeners, hosts and crowd measure and make faults: no selector makes them be under test."""
    for component in plan.snapshot.room.components:
        if fleet := plan.snapshot.selected_fleet.get(component.name):
            return Finding(Reason.SELECTS_FLEET, selects_fleet(component, fleet))
    return None


def refuse_what_the_room_lacks(plan: Plan) -> Finding | None:
    """A kind of fault may need what the room does not declare, such as a port or a peer."""
    return _objection(plan, lambda _: ())


def refuse_what_targets_lack(plan: Plan) -> Finding | None:
    """A kind of fault may need what a target does not have, such as a container that runs."""
    return _objection(plan, lambda planned: planned.targets)


def _objection(plan: Plan, targets: Callable[[PlannedFault], tuple[Pod, ...]]) -> Finding | None:
    """The first objection of a fault's own kind, there and with these targets."""
    for planned in plan.faults:
        context = plan.context(planned, targets(planned))
        objections = registry.of(planned.fault.spec).objections(planned.fault, context)
        if (finding := next(objections, None)) is not None:
            return finding
    return None


def refuse_unknown_serving(plan: Plan) -> Finding | None:
    """Which relay serves is read from the listeners, never guessed."""
    asking = [each.fault.name for each, target in _at_components(plan) if target.serving is not None]
    if not asking or (plan.snapshot.serving and not plan.snapshot.strangers):
        return None
    if plan.snapshot.strangers:
        addresses = ", ".join(media_paths.text(*address) for address in plan.snapshot.strangers[:3])
        return Finding(
            Reason.SERVING_UNKNOWN,
            f"listeners get media from {addresses}, which is the address of no pod of the room's components, nor of "
            f"their nodes or Services, so it is not known which pods serve (fault {', '.join(asking)}): declare the "
            "component's ports, or leave out target.serving",
        )
    return Finding(
        Reason.SERVING_UNKNOWN,
        f"no listener of AudioRoom {plan.snapshot.namespace}/{plan.snapshot.room_name} gets media now, so it is not "
        f"known which pods serve (fault {', '.join(asking)}): make the room work, or leave out target.serving",
    )


def refuse_peers_on_nodes(plan: Plan) -> Finding | None:
    """A peer on its node's network has its node's address: its kubelet, and everything else there, would be cut off."""
    for planned in plan.faults:
        for peer in peers_of(planned.fault):
            if names := plan.snapshot.on_nodes.get(peer):
                return Finding(
                    Reason.PEER_ON_NODE,
                    f"pod {names[0]} of component {peer}, a peer in fault {planned.fault.name}, shares its node's "
                    "network: its targets would be separated from the whole node, with the kubelet that probes them; "
                    f"aim the fault at component {peer} instead, with its ports",
                )
    return None


def served_by_others(snapshot: Snapshot) -> Finding | None:
    """Why a fault would test something else: what is heard comes from no pod of the room's components.

    Asked at the end of a baseline. `livekit.url` may lead to another deployment than the components select.
    """
    if snapshot.servers:
        return None
    addresses = ", ".join(media_paths.text(*address) for address in snapshot.strangers[:3])
    return Finding(
        Reason.NOT_SERVED_BY_COMPONENTS,
        f"listeners get media from {addresses or 'an unknown address'}, which is the address of no pod of the room's "
        "components, nor of their nodes or Services: compare livekit.url with the selectors of the components",
    )


def refuse_zero_targets(plan: Plan) -> Finding | None:
    """A fault without a target proves nothing."""
    for planned in plan.faults:
        if planned.targets or planned.fault.aim is Aim.ROOM:
            continue
        target = planned.fault.target
        if target is None or target.component is None:
            return Finding(Reason.NO_TARGETS, _nobody_of_fleet(plan.snapshot, planned))
        finished = plan.snapshot.finished.get(target.component, ())
        if not planned.candidates and finished:
            return Finding(
                Reason.NO_TARGETS,
                f"{len(finished)} pods match component {target.component} of fault {planned.fault.name}, all of them "
                f"finished: {', '.join(finished[:5])}; start the component, or correct its selector",
            )
        wanted = {True: "serving ", False: "non-serving ", None: ""}[target.serving]
        return Finding(
            Reason.NO_TARGETS,
            f"no {wanted}pod of component {target.component} matches the target of fault {planned.fault.name}: "
            f"it has {len(planned.candidates)} pods; compare its selector with kubectl get pods --show-labels",
        )
    return None


def _nobody_of_fleet(snapshot: Snapshot, planned: PlannedFault) -> str:
    """Why a fault of the room's own fleet, or its door, has no target: none runs, or a share is less than one."""
    fault, pods = planned.fault, len(planned.candidates)
    if fault.target is not None and pods and most(fault, pods) == 0:
        return (
            f"{fault.target.percent} of the room's {pods} listener pods is less than one, which fault {fault.name} "
            "could hit: write a larger percent, or have fewer listeners in a pod (listeners.perPod of the AudioRoom)"
        )
    return (
        f"no pod of the room's {fault.aim.lower()} runs, which fault {fault.name} could hit: look at it with kubectl "
        f"--namespace {snapshot.namespace} get pods --selector {_selector(snapshot, fault.aim)}"
    )


def _selector(snapshot: Snapshot, aim: Aim) -> str:
    """The labels of the pods that are aimed at, as kubectl takes them."""
    door = snapshot.room.door
    component = snapshot.room.component(door.component) if door is not None and door.component else None
    if aim is not Aim.DOOR or component is None:
        return f"{ROLE_LABEL}={FLEET_ROLES.get(aim, aim.lower())}"
    return ",".join(f"{name}={value}" for name, value in component.selector.match_labels.items())


def refuse_min_ready(plan: Plan) -> Finding | None:
    """The blast radius leaves the ready pods that the experiment wants to be left."""
    for planned, target in _at_components(plan):
        hit = {pod.uid for pod in planned.targets}
        spared = len(hit) - planned.fault.spec.hits(len(hit))
        left = sum(pod.ready and not pod.terminating and pod.uid not in hit for pod in planned.candidates)
        left += min(spared, sum(pod.ready for pod in planned.targets))
        least = target.min_ready
        if left < least:
            return Finding(
                Reason.MIN_READY_BROKEN,
                f"fault {planned.fault.name} would leave {left} ready pods of component "
                f"{target.component}, and minReady asks for {least}: scale it up, or lower minReady",
            )
    return None


def refuse_too_many(plan: Plan) -> Finding | None:
    """The share that may be hit is one of the pods that there are now."""
    for planned, target in _at_components(plan):
        bound, hit = most(planned.fault, len(planned.candidates)), planned.fault.spec.hits(len(planned.targets))
        if hit > bound:
            return Finding(
                Reason.TOO_MANY_TARGETS,
                f"fault {planned.fault.name} would hit {hit} pods of component {target.component}, and may hit {bound} "
                f"of the {len(planned.candidates)} there are: raise target.max, or hit fewer",
            )
    return None


def refuse_too_many_kills(plan: Plan) -> Finding | None:
    """A run's record names every pod that it kills, and what proves it: there is no room for more."""
    kills = {planned.fault.name: len(planned.targets) for planned in plan.faults if planned.fault.spec.named_whole}
    if sum(kills.values()) <= MOST_KILLED:
        return None
    return Finding(
        Reason.TOO_MANY_TARGETS,
        f"{', '.join(kills)} would hit {sum(kills.values())} pods, and the record of a run has room for {MOST_KILLED}: "
        "lower target.max, or make several experiments of it",
    )


def refuse_changes_of_the_same(plan: Plan) -> Finding | None:
    """Two faults that change one field would each find the other one's value in it."""
    if plan.snapshot.backing is None:
        return None
    names: dict[tuple[str, str, str], str] = {}
    for planned in plan.faults:
        for change in changes_of(planned.fault, plan.context(planned, planned.targets), ""):
            other = names.setdefault((change.kind, change.name, change.field), planned.fault.name)
            if other != planned.fault.name:
                return Finding(
                    Reason.CHANGED_TWICE,
                    f"faults {other} and {planned.fault.name} would both change {named(change.field)} of {change.kind} "
                    f"{change.name}: write them in experiments of their own",
                )
    return None


def _at_components(plan: Plan) -> list[tuple[PlannedFault, Target]]:
    """The faults whose targets are pods of a component: only these have a blast radius there."""
    targets = ((planned, planned.fault.target) for planned in plan.faults)
    return [(planned, target) for planned, target in targets if target is not None and target.component is not None]


POLICIES: tuple[Callable[[Plan], Finding | None], ...] = (
    refuse_unlabelled_namespace,
    refuse_unknown_component,
    refuse_own_fleet,
    refuse_what_the_room_lacks,
    refuse_peers_on_nodes,
    refuse_unknown_serving,
    refuse_zero_targets,
    refuse_what_targets_lack,
    refuse_too_many,
    refuse_too_many_kills,
    refuse_min_ready,
    refuse_changes_of_the_same,
)
