"""Rules: what would be set up on a target for a fault of the agents, as its node's agent compiles it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from showstopper.api.experiment import Fault
from showstopper.api.flood import PacketFlood
from showstopper.api.injection import RunReference
from showstopper.api.network import NETWORK_KINDS
from showstopper.api.room import AudioRoomSpec, Component
from showstopper.engine.hands.agent import asking
from showstopper.faults import injected, network_preview
from showstopper.faults.effects import Pod
from showstopper.faults.network import flood_gate
from showstopper.faults.network_compile import plan_of
from showstopper.faults.network_plan import Method, Plan
from showstopper.faults.network_rules import Device, Site

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
    if not fault.by_agents:
        return Rules("API server")
    if fault.packet_flood is not None:
        return _of_gate(fault.packet_flood, room.component(fault.target.component), pod)
    if fault.kind not in NETWORK_KINDS:
        return Rules("agent, without rules for packets")
    spec = asking.spec_of(_RUN, fault, room, [pod], peers)
    refused = [*injected.refusals(spec), *filter(None, [injected.refusal_of(spec, spec.targets[0])])]
    if refused:
        return Rules("agent", tuple(refused))
    site = Site((DEVICE,), (pod.address,) if pod.host_network else ())
    effects = injected.effects(spec, injected.effect_name(fault.name, _RUN.uid, 0))
    plans = [plan_of(effect, site, number, Method.NFQUEUE) for number, effect in enumerate(effects, 1)]
    return Rules(_backend(plans), lines=tuple(line for plan in plans for line in network_preview.lines(plan)))


def _of_gate(flood: PacketFlood, component: Component | None, pod: Pod) -> Rules:
    """What lets the flood pass to this target, in the network of its flooder: a pod that is not there yet."""
    numbers = [port.port for port in (component.ports if component else ()) if port.name == flood.port]
    gates = [flood_gate("flood", (pod.address,), number, flood.size) for number in numbers]
    plans = [plan_of(gate, Site((DEVICE,)), 1, Method.NFQUEUE) for gate in gates]
    return Rules(
        "a flooder, gated by rules alone", lines=tuple(line for plan in plans for line in network_preview.lines(plan))
    )


def _backend(plans: Sequence[Plan]) -> str:
    if any(plan.method for plan in plans):
        return "netem or NFQUEUE, as the node has it"
    return "kernel: rules and a traffic class" if any(plan.shapes for plan in plans) else "kernel: rules alone"
