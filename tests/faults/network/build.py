"""Network effects for tests: strategies, and the parts of a plan."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Distribution,
    Duplicate,
    Mtu,
    PacketLoss,
    Partition,
    Peer,
    PortBlock,
    Protocol,
    Reorder,
)
from showstopper.api.schema.quantities import Share
from showstopper.faults.network.dns_failure import dns_failure
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.rules import Device, Site
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic

APART = Partition(peers=(Peer(component="store"),))
BLOCKED = PortBlock(protocols=(Protocol.UDP,))
ETH0 = Site((Device("eth0", 2),))


def milliseconds(low: int, high: int) -> st.SearchStrategy[timedelta]:
    return st.integers(low, high).map(lambda number: timedelta(milliseconds=number))


shares = st.floats(0.00001, 1).map(Share)
delays = milliseconds(1, 5000)
rates = st.one_of(
    st.integers(8, 99_999).map(lambda number: f"{number}kbit"),
    st.integers(1, 9_999).map(lambda number: f"{number}Mbit"),
    st.integers(1, 10).map(lambda number: f"{number}Gbit"),
)
ports = st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(lambda pair: Ports(min(pair), max(pair)))
addresses = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.integers(0, 255).map(lambda number: f"198.18.{number}.0/24"),
    st.integers(0, 32).map(lambda length: f"198.18.7.9/{length}"),
)
protocols = st.sets(st.sampled_from(Protocol), min_size=1).map(frozenset)


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    chosen = draw(st.one_of(st.just(frozenset()), protocols))
    some = st.lists(ports, max_size=4).map(tuple) if chosen else st.just(())
    peers = draw(st.one_of(st.none(), st.lists(addresses, min_size=1, max_size=6).map(tuple)))
    media = draw(st.lists(ports, max_size=2).map(tuple))
    return Traffic(draw(st.sampled_from(Direction)), chosen, draw(some), draw(some), peers, media)


@st.composite
def delaying(draw: st.DrawFn) -> Delay:
    delay = draw(delays)
    jitter = draw(milliseconds(0, delay // timedelta(milliseconds=1)))
    return Delay(latency=delay, jitter=jitter, distribution=draw(st.sampled_from(Distribution)))


any_traffic = st.one_of(
    st.builds(PacketLoss, percent=shares),
    st.builds(PacketLoss, percent=st.floats(0.001, 0.99).map(Share), burst=milliseconds(10, 10_000)),
    st.builds(Duplicate, percent=shares),
    st.builds(Corrupt, percent=shares),
    st.builds(Reorder, percent=shares, hold=delays),
    delaying(),
    st.builds(Bandwidth, rate=rates, queue=delays),
    st.builds(Mtu, size=st.integers(68, 9000)),
)


@st.composite
def effects(draw: st.DrawFn) -> NetworkEffect:
    """Any effect without objections."""
    traffic = draw(traffics())
    faults = [any_traffic]
    if traffic.peers is not None:
        faults.append(st.just(APART))
    if traffic.protocols:
        faults.append(st.just(BLOCKED))
    effect = NetworkEffect(
        draw(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?", fullmatch=True)), traffic, draw(st.one_of(faults))
    )
    return draw(st.sampled_from([effect, dns_failure(effect.name, traffic.peers)]))


sites = st.builds(
    Site,
    st.lists(st.integers(2, 90_000), min_size=1, max_size=3, unique=True).map(
        lambda numbers: tuple(Device(f"eth{number}", number) for number in numbers)
    ),
    st.one_of(st.just(()), st.lists(st.ip_addresses(v=4).map(str), min_size=1, max_size=3).map(tuple)),
)


def added(plan: Plan, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind that a plan adds: table, set, counter, chain, rule."""
    return [command["add"][kind] for command in plan.commands if kind in command["add"]]


def base_chains(plan: Plan) -> dict[tuple[str, str], dict[str, Any]]:
    """(family, name) → the chains that packets come to by themselves."""
    return {(chain["family"], chain["name"]): chain for chain in added(plan, "chain") if "hook" in chain}


def rules_at_hooks(plan: Plan) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every rule of a base chain, with its chain. Fails if there is none: what holds for each would hold in vain."""
    chains = base_chains(plan)
    places = [((rule["family"], rule["chain"]), rule["expr"]) for rule in added(plan, "rule")]
    rules = [(chains[place], expressions) for place, expressions in places if place in chains]
    assert rules, f"no packet comes to any rule of {plan.commands}"
    return rules
