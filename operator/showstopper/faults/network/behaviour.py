"""What all network faults have in common: from what an Injection asks to effects, their objections and their plans."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar, TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, FaultKind
from showstopper.api.faults.network import Direction, NetworkFault, Protocol, TrafficFault
from showstopper.api.injection import InjectionSpec, InjectionTarget, TargetPort
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext, InjectedBehaviour, no_managed_host
from showstopper.faults.network import bounds
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Method, Plan, Technique
from showstopper.faults.network.rules import Site
from showstopper.faults.network.traffic import KubeletProbes, NetworkEffect, Ports, Traffic
from showstopper.faults.observed import Observed, deserted, names, wrong_dose

N = TypeVar("N", bound=NetworkFault)
T = TypeVar("T", bound=TrafficFault)

LAST_NODE_PORT = 32767
"""The last port that Kubernetes gives to Services of type NodePort by default (--service-node-port-range)."""

DNS_PORT = 53
NOT_DNS = (Ports(1, DNS_PORT - 1), Ports(DNS_PORT + 1, 65535))
"""All ports of the other side but that of name servers, whose queries go by UDP as media does."""


class NetworkBehaviour(InjectedBehaviour[N]):
    """A fault of packets. Proven when it has acted on packets of every target.

    Attributes:
        technique: what it asks of the kernel.
    """

    technique: ClassVar[Technique]

    @abstractmethod
    def traffic(self, fault: N, injection: InjectionSpec) -> Traffic:
        """Which packets of a target are meant."""

    @abstractmethod
    def plan(self, fault: N, compiler: Compiler) -> Plan:
        """All that is to be set up on one target."""

    def methods(self, fault: N) -> tuple[Method, ...]:
        """The ways in which packets can be held back as this fault does; none: it holds none back."""
        return ()

    def of_traffic(self, fault: N, traffic: Traffic) -> Iterator[str]:
        """Why the fault cannot be about that traffic; nothing: it can."""
        yield from ()

    def effects(self, injection: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
        """What is armed on each target.

        Args:
            injection: of a fault of this kind.
            name: unique among everything that is armed on the node; it is seen in the names of rules.
        """
        fault = self._fault(injection)
        return (NetworkEffect(name, self.traffic(fault, injection), fault),)

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Ports that the component does not have, or that are not a target's alone, and a host that is not ours."""
        yield from super().objections(fault, context)
        yield from _foreign_ports(fault, context)
        if fault.aim is Aim.HOST:
            yield from no_managed_host(fault, context)

    def refusals(self, injection: InjectionSpec) -> Iterator[str]:
        """Why an agent must not arm any of it."""
        if injection.media_only and (injection.ports or not injection.spec.hits_fleet):
            yield "media alone has no ports of the target, and nothing else is media: leave out ports, or mediaOnly"
        effects = self.effects(injection, effect_name(injection.fault, "0" * 36, len(injection.targets)))
        yield from dict.fromkeys(chain.from_iterable(map(objections, effects)))

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """Why an agent must not arm it on this target: on its node's network it could hit others."""
        if not target.host_network or injection.ports:
            return None
        return (
            f"{target.pod} shares its node's network, and without ports the whole node would be hit: "
            "name ports of the component"
        )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: targets without a packet that the fault acted on."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not (unproven := observed.unproven):
            return self._one_way(observed) or self._wrong_dose(observed)
        matched, pods = sum(target.matched for target in unproven), names(unproven)
        affected = sum(target.affected for target in unproven)
        if affected:
            words = (
                f"acted on {affected} packets on {pods}, and none of them was media, by the component's UDP ports: "
                "probes and heartbeats alone prove nothing; look whether listeners are on these pods, or name the "
                f"ports that fault {observed.fault} is about"
            )
        elif matched:
            words = (
                f"matched {matched} packets and did nothing to any of them on {pods}: raise its dose, or its duration"
            )
        else:
            words = f"matched no packet on {pods}: {self.look_at(observed.fault)}"
        return Finding(Reason.NO_EFFECT, words)

    def stops_all(self, fault: N) -> bool:
        """Whether nothing gets through: then what it stops in one direction is the answer that the other lacks."""
        return True

    def silences(self, fault: N) -> bool:
        """Whether nothing of what a target says gets out: nobody can hear it then, whatever else befalls it."""
        return False

    def _one_way(self, observed: Observed) -> Finding | None:
        """A fault of both directions that has met packets of one is half a fault."""
        half = [target for target in observed.targets if target.unmet and not target.excused]
        if not half or observed.spec is None or self.stops_all(observed.spec):  # type: ignore[arg-type]
            return None
        direction = half[0].unmet[0]
        other = Direction.EGRESS if direction is Direction.INGRESS else Direction.INGRESS
        return Finding(
            Reason.NO_EFFECT,
            f"matched no packet in direction {direction} on {names(half)}: nothing was sent that way; look at fault "
            f"{observed.fault}'s ports and peers, or write direction: {other}",
        )

    def off_dose(self, fault: N, observed: Observed) -> str | None:
        """In which way what was counted is another dose than the declared one. None: it is not, or nobody can tell."""
        return None

    def _wrong_dose(self, observed: Observed) -> Finding | None:
        """What was counted is not what was declared."""
        words = self.off_dose(observed.spec, observed) if observed.spec is not None else None  # type: ignore[arg-type]
        return wrong_dose(words) if words is not None else None

    def look_at(self, fault: str) -> str:
        """Where to look when no packet matched."""
        return f"nothing was sent there; look at fault {fault}'s direction, ports and peers"

    def figures(self, observed: Observed) -> str:
        """How many packets were meant and hit and, of an only target, for how long."""
        words = f"{observed.matched} packets matched, {observed.affected} affected"
        media = f", {observed.media} of them media" if observed.media is not None else ""
        return words + media + lifted(observed)

    def _fault(self, injection: InjectionSpec) -> N:
        fault = injection.spec
        assert isinstance(fault, self.kind), "the registry has chosen this behaviour by the fault's type"
        return fault  # type: ignore[return-value]


class TrafficBehaviour(NetworkBehaviour[T]):
    """A network fault on packets that are chosen by direction, ports and peers."""

    def silences(self, fault: T) -> bool:
        """What stops all of it on its way out."""
        return self.stops_all(fault) and Direction.EGRESS in fault.direction.single

    def traffic(self, fault: T, injection: InjectionSpec) -> Traffic:
        """The packets of the Injection's ports and peers, in the fault's direction."""
        protocols = frozenset(port.protocol for port in injection.ports)
        return self._of(fault, injection, protocols)

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Ports that the component does not have, and peers that the room does not have."""
        yield from super().objections(fault, context)
        known = [component.name for component in context.room.components]
        for peer in fault.spec.peer_components:
            if peer not in known:
                yield Finding(
                    Reason.UNKNOWN_COMPONENT,
                    f'AudioRoom {context.namespace}/{context.room_name} has no component "{peer}", '
                    f"which is a peer in fault {fault.name}; it has: {', '.join(known)}",
                )

    def effects(self, injection: InjectionSpec, name: str) -> tuple[NetworkEffect, ...]:
        """One effect, or one for each protocol where their ports differ.

        A port of UDP and another of TCP are not the same ports of both.
        """
        (whole,) = super().effects(injection, name)
        if len(whole.traffic.protocols) < 2 or not injection.ports:
            return (whole,)
        parts = tuple(_of_protocol(whole, injection, protocol) for protocol in sorted(whole.traffic.protocols))
        return (whole,) if len({part.traffic.own_ports for part in parts}) == 1 else parts

    def _of(self, fault: T, injection: InjectionSpec, protocols: frozenset[Protocol]) -> Traffic:
        if injection.media_only:
            udp = frozenset({Protocol.UDP})
            return Traffic(fault.direction, udp, peer_ports=NOT_DNS, peers=injection.peers)
        return Traffic(
            fault.direction,
            protocols,
            own_ports=_ranges(injection.ports, protocols),
            peers=injection.peers,
            media=_ranges(injection.media, frozenset({Protocol.UDP})),
            spared=_spared(injection),
        )


def of(fault: FaultKind) -> NetworkBehaviour[Any]:
    """The behaviour of a network fault.

    Raises:
        TypeError: it is another fault, which is a defect.
    """
    behaviour = registry.of(fault)
    if not isinstance(behaviour, NetworkBehaviour):
        raise TypeError(f"{type(fault).__name__} is no network fault")
    return behaviour


def objections(effect: NetworkEffect) -> tuple[str, ...]:
    """Why an effect may not be armed, as sentences that say what to write instead; empty: it may."""
    fault, traffic = effect.fault, effect.traffic
    return (*bounds.of_name(effect.name), *bounds.of_traffic(traffic), *of(fault).of_traffic(fault, traffic))


def plan_of(effect: NetworkEffect, site: Site, number: int, method: Method) -> Plan:
    """The plan of an effect.

    Args:
        effect: one without objections.
        site: where the target is.
        number: from 1 to MOST_EFFECTS, unique among the effects in a namespace.
        method: how packets are held back, where they are.
    """
    return of(effect.fault).plan(effect.fault, Compiler(effect.name, effect.traffic, site, number, method))


def effect_name(fault: str, uid: str, index: int) -> str:
    """The name of an effect: the fault's for people, the Injection's UID and the target's index to be the only one."""
    return f"{fault[:40]}.{uid}.{index}"


def lifted(observed: Observed) -> str:
    """How long it lasted, where there is only one target; else nothing."""
    only = observed.only
    return f", lifted after {only.lasted:.2f} s" if only is not None and only.lasted is not None else ""


def _of_protocol(whole: NetworkEffect, injection: InjectionSpec, protocol: Protocol) -> NetworkEffect:
    of_protocol = frozenset({protocol})
    traffic = replace(
        whole.traffic,
        protocols=of_protocol,
        own_ports=_ranges(injection.ports, of_protocol),
        media=whole.traffic.media if protocol is Protocol.UDP else (),
    )
    return replace(whole, name=f"{whole.name}.{protocol.lower()}", traffic=traffic)


def _spared(injection: InjectionSpec) -> KubeletProbes | None:
    if injection.probes is None or not injection.probes.spared:
        return None
    return KubeletProbes(injection.probes.addresses, tuple(map(Ports.one, injection.probes.ports)))


def _ranges(ports: Iterable[TargetPort], protocols: frozenset[Protocol]) -> tuple[Ports, ...]:
    ranges = {(port.port, port.last) for port in ports if port.protocol in protocols}
    return tuple(Ports(first, last) for first, last in sorted(ranges))


def _foreign_ports(fault: Fault, context: FaultContext) -> Iterator[Finding]:
    """Ports of a target on its node's network that may be others' there: the API server's, the kubelet's, an overlay's.

    A container has to list each. Nobody lists a range of media, which LiveKit has at 50000 to 60000: one of UDP above
    all ports of Services (30000 to 32767) is let through, without the ports that a node's overlay has there.
    """
    component = context.component(fault)
    declared = {port.name: port for port in component.ports} if component else {}
    named = [declared[name] for name in fault.spec.port_names if name in declared]
    for pod in context.targets:
        for port in named if pod.host_network else ():
            if port.end_port is None and (port.port, port.protocol) in pod.ports:
                continue
            if port.end_port is not None and port.protocol == "UDP" and port.port > LAST_NODE_PORT:
                continue
            yield Finding(
                Reason.PORT_NOT_DECLARED,
                f"pod {pod.namespace}/{pod.name} shares its node's network, and no container of it lists port "
                f"{port.port}/{port.protocol} (fault {fault.name}, port {port.name}), which may be another's there: "
                f"add it to the container's ports, or name a range of UDP above {LAST_NODE_PORT} with endPort",
            )
