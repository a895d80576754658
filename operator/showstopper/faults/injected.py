"""Injected: what an Injection asks for, as the effects on one of its targets. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from showstopper.api import network as declared
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.api.network import NETWORK_KINDS, NetworkFault, Protocol
from showstopper.api.process import PROCESS_KINDS
from showstopper.api.quantities import Share
from showstopper.faults.network import (
    NOTHING,
    Bandwidth,
    Corrupt,
    Delay,
    Dose,
    Duplicate,
    NetworkEffect,
    PacketLoss,
    Partition,
    PortBlock,
    Ports,
    Reorder,
    Traffic,
    dns_failure,
    flood_arrivals,
    flood_gate,
)
from showstopper.faults.network_bounds import objections


def effects(spec: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
    """What a network fault arms on a target: one effect, or one for each protocol where their ports differ.

    Args:
        spec: of the Injection.
        name: unique among everything that is armed on the node; it is seen in the names of rules.
    """
    whole = _whole(spec, name)
    if isinstance(whole.dose, Bandwidth) or len(whole.traffic.protocols) < 2 or not spec.ports:
        return (whole,)
    # A port of UDP and another of TCP are not the same ports of both. (But they share one bandwidth.)
    parts = tuple(_of_protocol(whole, spec, protocol) for protocol in sorted(whole.traffic.protocols))
    return (whole,) if len({part.traffic.own_ports for part in parts}) == 1 else parts


def refusals(spec: InjectionSpec) -> tuple[str, ...]:
    """Why nothing of it may be armed, whatever the API server let through; empty: it may."""
    if spec.kind in PROCESS_KINDS:
        return ("ports and peers are of packets: leave them out",) if spec.ports or spec.peers else ()
    name = effect_name(spec.fault, "0" * 36, len(spec.targets))
    return tuple(
        dict.fromkeys([*_of_ports(spec), *(text for effect in effects(spec, name) for text in objections(effect))])
    )


def refusal_of(spec: InjectionSpec, target: InjectionTarget) -> str | None:
    """Why a target of it may not be hit; None: it may."""
    if target.host_network and spec.flood_gate is not None:
        return f"{target.pod} shares its node's network, and a gate would shut in the whole node: only pods flood"
    named = bool(spec.ports) and spec.dns_failure is None
    if not target.host_network or spec.kind in {*PROCESS_KINDS, "floodArrivals"} or named:
        return None
    return (
        f"{target.pod} shares its node's network, and without ports the whole node would be hit: "
        "name ports of the component (dnsFailure has none, and is for pods with a network of their own)"
    )


def effect_name(fault: str, uid: str, index: int) -> str:
    """The name of an effect: the fault's for people, the Injection's UID and the target's index to be the only one."""
    return f"{fault[:40]}.{uid}.{index}"


def _whole(spec: InjectionSpec, name: str) -> NetworkEffect:
    if spec.dns_failure is not None:
        return dns_failure(name, spec.peers)
    if (gate := spec.flood_gate) is not None:
        return flood_gate(name, spec.peers or (), gate.port, gate.size)
    if (arrivals := spec.flood_arrivals) is not None:
        return flood_arrivals(name, spec.peers or (), arrivals.port, arrivals.size)
    fault: NetworkFault = getattr(spec, NETWORK_KINDS[spec.kind])
    protocols = frozenset(port.protocol for port in spec.ports)
    if isinstance(fault, declared.PortBlock):
        protocols = frozenset(fault.protocols)
    ports = {port.port for port in spec.ports if port.protocol in protocols}
    traffic = Traffic(
        fault.direction, protocols, own_ports=tuple(Ports.one(port) for port in sorted(ports)), peers=spec.peers
    )
    return NetworkEffect(name, traffic, _dose(fault))


def _of_protocol(whole: NetworkEffect, spec: InjectionSpec, protocol: Protocol) -> NetworkEffect:
    ports = tuple(Ports.one(port) for port in sorted({one.port for one in spec.ports if one.protocol is protocol}))
    traffic = replace(whole.traffic, protocols=frozenset({protocol}), own_ports=ports)
    return replace(whole, name=f"{whole.name}.{protocol.lower()}", traffic=traffic)


def _of_ports(spec: InjectionSpec) -> Iterator[str]:
    """No port of a protocol would mean all of its ports."""
    if spec.ports and spec.dns_failure is not None:
        yield "a DNS failure is about the name servers' port: leave out ports"
    if not spec.ports or spec.port_block is None:
        return
    for protocol in spec.port_block.protocols:
        if not any(port.protocol is protocol for port in spec.ports):
            yield f"none of the ports is one of {protocol}: name one, or leave {protocol} out"


def _dose(fault: NetworkFault) -> Dose:  # noqa: PLR0911 - one line a kind
    match fault:
        case declared.PacketLoss(percent=percent, burst=burst):
            return PacketLoss(Share(percent), burst or NOTHING)
        case declared.Delay(latency=latency, jitter=jitter, distribution=distribution):
            return Delay(latency, jitter, distribution)
        case declared.Duplicate(percent=percent):
            return Duplicate(Share(percent))
        case declared.Corrupt(percent=percent):
            return Corrupt(Share(percent))
        case declared.Reorder(percent=percent, hold=hold):
            return Reorder(Share(percent), hold)
        case declared.Bandwidth(rate=rate, queue=queue):
            return Bandwidth(declared.bits_per_second(rate), queue)
        case declared.Partition():
            return Partition()
        case declared.PortBlock():
            return PortBlock()
    raise AssertionError(f"no dose for {type(fault).__name__}")
