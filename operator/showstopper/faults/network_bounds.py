"""Bounds of network faults: what is refused, whoever asks. The agent checks again what the API has let through."""

import re
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network

from showstopper.faults import flood_bounds
from showstopper.faults.flood import Endpoint
from showstopper.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    DnsFailure,
    Duplicate,
    FloodArrivals,
    FloodGate,
    NetworkEffect,
    OfFlood,
    PacketLoss,
    Partition,
    PortBlock,
    Ports,
    Protocol,
    Reorder,
    Traffic,
)

SHORTEST = timedelta(milliseconds=1)
LONGEST_DELAY = timedelta(seconds=5)
LONGEST_BURST = timedelta(seconds=10)
SLOWEST = 8_000  # one small packet every 200 ms: what is slower is a partition
FASTEST = 10_000_000_000
MOST_PEERS = 1000
MOST_PORTS = 64
# The longest part of a table's name that is ours to choose; nftables allows 255 characters in all.
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?")


def objections(effect: NetworkEffect) -> tuple[str, ...]:
    """Why an effect may not be armed, as sentences that say what to write instead; empty: it may."""
    return tuple(_objections(effect))


def _objections(effect: NetworkEffect) -> Iterator[str]:
    if not NAME.fullmatch(effect.name):
        yield f"{effect.name!r} is no name for an effect: use lower-case letters, digits, - and ., at most 100 in all"
    yield from _of_traffic(effect.traffic)
    yield from _of_dose(effect)


def _of_traffic(traffic: Traffic) -> Iterator[str]:
    ports = (*traffic.own_ports, *traffic.peer_ports)
    if traffic.peers is not None and not traffic.peers:
        yield "no peers are left to act on: name peers that have addresses, or leave peers out to mean everyone"
    if len(traffic.peers or ()) > MOST_PEERS:
        yield f"{len(traffic.peers or ())} peers are too many: name at most {MOST_PEERS} addresses, or CIDRs"
    yield from (f"{peer!r} is no address: write an IP address or a CIDR" for peer in traffic.peers or () if _odd(peer))
    if ports and not traffic.protocols:
        yield "ports need a protocol: say UDP, TCP or both"
    if len(ports) > MOST_PORTS:
        yield f"{len(ports)} ranges of ports are too many: name at most {MOST_PORTS}"
    yield from (
        f"{one.first}-{one.last} are no ports: write 1 to 65535, the first first" for one in ports if _wild(one)
    )


def _of_dose(effect: NetworkEffect) -> Iterator[str]:
    match effect.dose:
        case PacketLoss(share=share, burst=burst):
            yield from _of_share(share)
            yield from _of_time("a burst", burst, timedelta(0), LONGEST_BURST)
            if burst and share >= 1:
                yield "bursts need a share below 100%: without a burst everything is lost anyway"
        case Duplicate(share=share) | Corrupt(share=share):
            yield from _of_share(share)
        case Reorder(share=share, hold=hold):
            yield from _of_share(share)
            yield from _of_time("holding back", hold, SHORTEST, LONGEST_DELAY)
        case Delay(delay=delay, jitter=jitter):
            yield from _of_time("a delay", delay, SHORTEST, LONGEST_DELAY)
            yield from _of_time("jitter", jitter, timedelta(0), delay)
        case Bandwidth() as bandwidth:
            yield from _of_bandwidth(bandwidth)
        case FloodGate() | FloodArrivals() as dose:
            yield from _of_flood(dose, effect.traffic)
        case dose:
            yield from _of_drop(dose, effect.traffic)


def _of_bandwidth(dose: Bandwidth) -> Iterator[str]:
    if not SLOWEST <= dose.bits_per_second <= FASTEST:
        yield f"{dose.bits_per_second} bit/s is out of bounds: write {SLOWEST} to {FASTEST}"
    yield from _of_time("the queue", dose.queue, SHORTEST, LONGEST_DELAY)


def _of_drop(dose: Partition | PortBlock | DnsFailure, traffic: Traffic) -> Iterator[str]:
    match dose:
        case Partition() if traffic.peers is None:
            yield "a partition is from somebody: name the peers"
        case PortBlock() if not traffic.protocols:
            yield "a port block needs a protocol: say UDP, TCP or both; with ports, only those are blocked"
        case DnsFailure() if not any(ports.first <= 53 <= ports.last for ports in traffic.peer_ports):
            yield "a DNS failure acts on port 53 of name servers: make it with dns_failure()"


def _of_flood(dose: OfFlood, traffic: Traffic) -> Iterator[str]:
    """A flood goes to one port of single pods, whoever asks for another."""
    ports = traffic.peer_ports if isinstance(dose, FloodGate) else traffic.own_ports
    if traffic.protocols != {Protocol.UDP} or len(ports) != 1 or ports[0].first != ports[0].last:
        yield "a flood goes to one UDP port: name exactly one"
    if traffic.peers is None:
        yield "a flood has two ends: name the addresses of the other one"
    peers = traffic.peers or ()
    if len(peers) > flood_bounds.MOST_TARGETS:
        yield f"{len(peers)} targets are too many for one flood: name at most {flood_bounds.MOST_TARGETS}"
    problems = (flood_bounds.objection_to(Endpoint(peer, 1)) for peer in peers)
    yield from (problem for problem in problems if problem is not None)
    if len({ip_address(peer).version for peer in peers if not _odd(peer) and "/" not in peer}) > 1:
        yield "the packets of a flood are counted by their size: name addresses of one version of IP"
    if not 1 <= dose.size <= flood_bounds.LARGEST:
        yield f"packets of {dose.size} bytes are out of bounds: write 1 to {flood_bounds.LARGEST}"


def _of_share(share: float) -> Iterator[str]:
    if not 0 < share <= 1:
        yield f'a share of {share:.3%} is out of bounds: write more than "0%" and at most "100%"'


def _of_time(what: str, value: timedelta, low: timedelta, high: timedelta) -> Iterator[str]:
    if not low <= value <= high:
        yield f"{what} of {_ms(value)} is out of bounds: write {_ms(low)} to {_ms(high)}"


def _ms(value: timedelta) -> str:
    return f"{value / timedelta(milliseconds=1):g}ms"


def _wild(ports: Ports) -> bool:
    return not 1 <= ports.first <= ports.last <= 65535


def _odd(peer: str) -> bool:
    try:
        ip_network(peer, strict=False)
    except ValueError:
        return True
    return False
