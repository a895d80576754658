"""dnsFailure: queries to name servers get no answer."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import Direction, DnsFailure, Protocol
from showstopper.api.injection import InjectionSpec, InjectionTarget
from showstopper.faults.network.behaviour import DNS_PORT, NetworkBehaviour
from showstopper.faults.network.compile import Compiler
from showstopper.faults.network.plan import Plan, Technique
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic


class DnsFailureBehaviour(NetworkBehaviour[DnsFailure]):
    """Queries over UDP and TCP get lost on their way to the name servers."""

    kind: ClassVar[type[FaultKind]] = DnsFailure
    action: ClassVar[str] = "drops the DNS queries of"
    technique: ClassVar[Technique] = Technique.DROP

    def traffic(self, fault: DnsFailure, injection: InjectionSpec) -> Traffic:
        """What goes to the peers' port 53."""
        return _queries(injection.peers)

    def plan(self, fault: DnsFailure, compiler: Compiler) -> Plan:
        """Rules that drop every query."""
        return compiler.drop()

    def of_traffic(self, fault: DnsFailure, traffic: Traffic) -> Iterator[str]:
        """It is about name servers, and nobody else."""
        if not any(ports.first <= DNS_PORT <= ports.last for ports in traffic.peer_ports):
            yield f"a DNS failure acts on port {DNS_PORT} of name servers: make it with dns_failure()"

    def refusals(self, injection: InjectionSpec) -> Iterator[str]:
        """Ports of the target, which it has nothing to do with."""
        if injection.ports:
            yield "a DNS failure is about the name servers' port: leave out ports"
        yield from super().refusals(injection)

    def refusal_of(self, injection: InjectionSpec, target: InjectionTarget) -> str | None:
        """On its node's network, the whole node would get no answers."""
        if not target.host_network:
            return None
        return (
            f"{target.pod} shares its node's network, and the whole node would be hit: "
            "a dnsFailure is for pods with a network of their own"
        )

    def look_at(self, fault: str) -> str:
        """Where to look when no packet matched."""
        return f"no query was sent; look whether the targets of fault {fault} ask name servers while it lasts"


def dns_failure(name: str, servers: tuple[str, ...] | None = None) -> NetworkEffect:
    """The effect on queries to these name servers; None: to any."""
    return NetworkEffect(name, _queries(servers), DnsFailure())


def _queries(servers: tuple[str, ...] | None) -> Traffic:
    both = frozenset({Protocol.UDP, Protocol.TCP})
    return Traffic(Direction.EGRESS, both, peer_ports=(Ports.one(DNS_PORT),), peers=servers)
