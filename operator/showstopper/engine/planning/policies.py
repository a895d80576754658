"""Policies: why a plan may not be carried out, each asked in turn. Pure."""

from collections.abc import Callable

from showstopper.api.reasons import Reason
from showstopper.api.run import MOST_KILLED
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.planning import plan as plans
from showstopper.engine.planning.plan import Plan, most

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
        name = planned.fault.target.component
        if name not in known:
            return Finding(
                Reason.UNKNOWN_COMPONENT,
                f'AudioRoom {plan.snapshot.namespace}/{plan.snapshot.room_name} has no component "{name}" '
                f"(fault {planned.fault.name}); it has: {', '.join(known)}",
            )
    return None


def refuse_unknown_port(plan: Plan) -> Finding | None:
    """A port that the target's component does not declare is no port at all, and no port would mean all of them."""
    for planned in plan.faults:
        component = plan.snapshot.room.component(planned.fault.target.component)
        declared = [port.name for port in component.ports] if component else []
        for name in planned.fault.ports:
            if name not in declared:
                return Finding(
                    Reason.UNKNOWN_PORT,
                    f'component {planned.fault.target.component} declares no port "{name}" (fault '
                    f"{planned.fault.name}); it has: {', '.join(declared) or 'none'}",
                )
    return None


def refuse_flood_of_no_udp(plan: Plan) -> Finding | None:
    """Floods are UDP. A port of TCP would take no notice of them."""
    for planned in plan.faults:
        component = plan.snapshot.room.component(planned.fault.target.component)
        flood = planned.fault.packet_flood
        for port in component.ports if component and flood else ():
            if flood and port.name == flood.port and port.protocol != "UDP":
                return Finding(
                    Reason.UNKNOWN_PORT,
                    f"port {port.name} of component {planned.fault.target.component} is one of {port.protocol}, and a "
                    f"packetFlood is UDP (fault {planned.fault.name}): name a port with protocol: UDP",
                )
    return None


def refuse_unknown_peer(plan: Plan) -> Finding | None:
    """Peers are components of the room."""
    known = [component.name for component in plan.snapshot.room.components]
    for planned in plan.faults:
        for peer in planned.fault.network.peers if planned.fault.network else ():
            if peer.component not in known:
                return Finding(
                    Reason.UNKNOWN_COMPONENT,
                    f"AudioRoom {plan.snapshot.namespace}/{plan.snapshot.room_name} has no component "
                    f'"{peer.component}", '
                    f"which is a peer in fault {planned.fault.name}; it has: {', '.join(known)}",
                )
    return None


def refuse_unknown_serving(plan: Plan) -> Finding | None:
    """Which relay serves is read from the listeners, never guessed."""
    asking = [planned.fault.name for planned in plan.faults if planned.fault.target.serving is not None]
    if not asking or plan.snapshot.serving:
        return None
    return Finding(
        Reason.SERVING_UNKNOWN,
        f"no listener of AudioRoom {plan.snapshot.namespace}/{plan.snapshot.room_name} gets media now, so it is not "
        f"known which pods serve (fault {', '.join(asking)}): make the room work, or leave out target.serving",
    )


def refuse_zero_targets(plan: Plan) -> Finding | None:
    """A fault without a target proves nothing."""
    for planned in plan.faults:
        if planned.targets:
            continue
        target = planned.fault.target
        wanted = {True: "serving ", False: "non-serving ", None: ""}[target.serving]
        return Finding(
            Reason.NO_TARGETS,
            f"no {wanted}pod of component {target.component} matches the target of fault {planned.fault.name}: "
            f"it has {len(planned.candidates)} pods; compare its selector with kubectl get pods --show-labels",
        )
    return None


def refuse_unknown_container(plan: Plan) -> Finding | None:
    """A fault of processes is of a container that runs."""
    hit = [(planned.fault, pod) for planned in plan.faults if planned.fault.process for pod in planned.targets]
    for fault, pod in hit:
        place, wanted = f"{pod.namespace}/{pod.name}", plans.container_name(fault, plan.snapshot.room)
        container = plans.container(fault, plan.snapshot.room, pod)
        if container is None:
            names = ", ".join(container.name for container in pod.containers)
            return Finding(
                Reason.UNKNOWN_CONTAINER,
                f'pod {place} has no container "{wanted}" (fault {fault.name}); it has: {names}',
            )
        if not container.id:
            return Finding(
                Reason.CONTAINER_NOT_RUNNING,
                f'container "{container.name}" of pod {place} does not run now, so that fault {fault.name} would hit '
                f"nothing: look at it with kubectl --namespace {pod.namespace} describe pod {pod.name}",
            )
    return None


def refuse_min_ready(plan: Plan) -> Finding | None:
    """The blast radius leaves the ready pods that the experiment wants to be left."""
    for planned in plan.faults:
        hit = {pod.uid for pod in planned.targets}
        left = sum(pod.ready and not pod.terminating and pod.uid not in hit for pod in planned.candidates)
        least = planned.fault.target.min_ready
        if left < least:
            return Finding(
                Reason.MIN_READY_BROKEN,
                f"fault {planned.fault.name} would leave {left} ready pods of component "
                f"{planned.fault.target.component}, and minReady asks for {least}: scale it up, or lower minReady",
            )
    return None


def refuse_too_many(plan: Plan) -> Finding | None:
    """The share that may be hit is one of the pods that there are now."""
    for planned in plan.faults:
        bound = most(planned.fault, len(planned.candidates))
        if len(planned.targets) > bound:
            return Finding(
                Reason.TOO_MANY_TARGETS,
                f"fault {planned.fault.name} would hit {len(planned.targets)} pods of component "
                f"{planned.fault.target.component}, and may hit {bound} of the {len(planned.candidates)} there are",
            )
    return None


def refuse_too_many_kills(plan: Plan) -> Finding | None:
    """A run's record names every pod that it kills, and what proves it: there is no room for more."""
    kills = {planned.fault.name: len(planned.targets) for planned in plan.faults if planned.fault.instant}
    if sum(kills.values()) <= MOST_KILLED:
        return None
    return Finding(
        Reason.TOO_MANY_TARGETS,
        f"{', '.join(kills)} would kill {sum(kills.values())} pods, and one run may kill {MOST_KILLED}: "
        "lower target.max, or make several experiments of it",
    )


POLICIES: tuple[Callable[[Plan], Finding | None], ...] = (
    refuse_unlabelled_namespace,
    refuse_unknown_component,
    refuse_unknown_port,
    refuse_flood_of_no_udp,
    refuse_unknown_peer,
    refuse_unknown_serving,
    refuse_zero_targets,
    refuse_unknown_container,
    refuse_too_many,
    refuse_too_many_kills,
    refuse_min_ready,
)
