"""Rules: what would be set up on a target for a fault of the agents, as its node's agent compiles it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Hand
from showstopper.api.injection import RunReference
from showstopper.api.room import AudioRoomSpec
from showstopper.engine.hands.injections import asking
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.crowd import CrowdBehaviour, port_of
from showstopper.faults.effects import Pod
from showstopper.faults.network import preview
from showstopper.faults.network.behaviour import NetworkBehaviour, effect_name, plan_of
from showstopper.faults.network.plan import Method, Plan
from showstopper.faults.network.rules import Device, Site

DEVICE = Device("eth0", 2)
"""Of a pod, as most networks of clusters have it; the agent asks the pod's own network."""
_RUN = RunReference(name="preview", uid="UID")


@dataclass(frozen=True, slots=True)
class Rules:
    """What would be set up on a target.

    Attributes:
        by: who or what does it.
        refused: why the agent would do nothing.
        lines: rules, queues and traffic classes.
    """

    by: str
    refused: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def of_target(fault: Fault, room: AudioRoomSpec, pod: Pod, peers: Sequence[str]) -> Rules:
    """The rules of a fault on one of its targets; `peers`: the addresses of the components that are its peers."""
    match fault.spec.hand:
        case Hand.API_SERVER:
            return Rules("API server")
        case Hand.STAGE:
            return Rules(f"the {fault.spec.aims_at.lower()} itself")
        case Hand.CROWD:
            return _of_gate(fault, room, pod)
        case Hand.AGENT:
            return _of_agent(fault, room, pod, peers)
        case _:
            assert_never(fault.spec.hand)


def _of_agent(fault: Fault, room: AudioRoomSpec, pod: Pod, peers: Sequence[str]) -> Rules:
    behaviour = registry.of(fault.spec)
    if not isinstance(behaviour, NetworkBehaviour):
        return Rules("agent, without rules for packets")
    spec = asking.spec_of(_RUN, fault, room, [pod], peers)
    refused = [*behaviour.refusals(spec), *filter(None, [behaviour.refusal_of(spec, spec.targets[0])])]
    if refused:
        return Rules("agent", tuple(refused))
    site = Site((DEVICE,), (pod.address, *pod.addresses) if pod.host_network else ())
    effects = behaviour.effects(spec, effect_name(fault.name, _RUN.uid, 0))
    plans = [plan_of(effect, site, number, Method.NFQUEUE) for number, effect in enumerate(effects, 1)]
    return Rules(_backend(plans), lines=tuple(line for plan in plans for line in preview.lines(plan)))


def _of_gate(fault: Fault, room: AudioRoomSpec, pod: Pod) -> Rules:
    """What lets the crowd's packets pass to this target, in the network of its own pod: one that is not there yet."""
    behaviour = registry.of(fault.spec)
    context = FaultContext("", "", room, (pod,))
    if not isinstance(behaviour, CrowdBehaviour) or port_of(fault, context) is None:
        return Rules("a pod of the crowd")
    plan = plan_of(behaviour.gate_effect(fault, context), Site((DEVICE,)), 1, Method.NFQUEUE)
    return Rules(f"a {behaviour.role}, gated by rules alone", lines=tuple(preview.lines(plan)))


def _backend(plans: Sequence[Plan]) -> str:
    if any(plan.method for plan in plans):
        return "netem or NFQUEUE, as the node has it"
    return "kernel: rules and a traffic class" if any(plan.traffic_classes for plan in plans) else "kernel: rules alone"
