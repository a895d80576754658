"""Doses: what chance does is never another dose, and what is another dose is seen."""

import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.agent.network.bursts import pause
from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Duplicate,
    NetworkFault,
    PacketLoss,
    Reorder,
)
from showstopper.api.schema.quantities import Share
from showstopper.faults import registry
from showstopper.faults.network import dose
from showstopper.faults.network.plan import Bursts
from showstopper.faults.observed import Observed, ObservedTarget

FIFTH, LATE = Share(0.2), timedelta(milliseconds=100)
OF_CHANCE: list[tuple[NetworkFault, float]] = [
    (PacketLoss(percent=FIFTH), 0.2),
    (Duplicate(percent=FIFTH), 0.2),
    (Corrupt(percent=FIFTH), 0.2),
    (Reorder(percent=FIFTH), 0.2),
    (Delay(latency=LATE), 1.0),
]
PACKETS_A_SECOND = 50


def observed(fault: NetworkFault, matched: int, affected: int, **more: float | int) -> Observed:
    target = ObservedTarget("relay-0", proven=True, matched=matched, affected=affected, **more)  # type: ignore[arg-type]
    return Observed("fault", (target,), spec=fault)


def reason(seen: Observed) -> str | None:
    assert seen.spec is not None
    finding = registry.of(seen.spec).proof(seen)
    return finding.reason if finding is not None else None


@pytest.mark.parametrize(("fault", "share"), OF_CHANCE, ids=lambda value: type(value).__name__)
def test_a_share_of_the_packets_is_the_declared_one(fault: NetworkFault, share: float) -> None:
    declared = round(2000 * share)
    assert reason(observed(fault, 2000, declared)) is None
    assert reason(observed(fault, 2000, declared // 2)) == "WrongDose"
    assert reason(observed(fault, 10, 1)) is None, "too few packets to tell"


@pytest.mark.parametrize("fault", [Delay(latency=LATE), Reorder(percent=FIFTH)], ids=lambda fault: type(fault).__name__)
def test_segments_of_one_packet_wait_each_for_itself(fault: NetworkFault) -> None:
    assert reason(observed(fault, 2000, 2500)) is None


def test_both_figures_are_told() -> None:
    finding = registry.of_kind(Reorder).proof(observed(Reorder(percent=FIFTH), 2000, 5))
    assert finding is not None
    assert finding.message == (
        "acted on 5 of 2000 packets, and 20.000% are about 400 of them: another fault than the declared one was "
        "tested; look at the agents' logs"
    )


@settings(max_examples=200)
@given(st.integers(0, 5000), st.floats(0.001, 1), st.integers(0, 2**32))
def test_chance_alone_is_no_other_dose(packets: int, share: float, seed: int) -> None:
    dice = random.Random(seed)
    affected = sum(dice.random() < share for _ in range(packets))
    assert dose.by_chance(observed(PacketLoss(percent=FIFTH), packets, affected), share) is None


def lost_in_bursts(bursts: Bursts, seconds: float, seed: int) -> int:
    """How many of the packets, which come evenly, are lost in bursts that go on for so long."""
    dice, length = random.Random(seed), bursts.length.total_seconds()
    begins, at = [], pause(bursts, dice)
    while at < seconds:
        begins.append(at)
        at += length + pause(bursts, dice)
    times = [number / PACKETS_A_SECOND for number in range(round(seconds * PACKETS_A_SECOND))]
    return sum(any(begin <= time < begin + length for begin in begins) for time in times)


@settings(max_examples=200, deadline=None)
@given(st.integers(10, 2000), st.floats(0.01, 0.9), st.integers(1, 60), st.integers(0, 2**32))
def test_bursts_that_come_as_they_should_are_no_other_dose(
    milliseconds: int, share: float, seconds: int, seed: int
) -> None:
    length = timedelta(milliseconds=milliseconds)
    affected = lost_in_bursts(Bursts(length, Share(share)), seconds, seed)
    seen = observed(PacketLoss(percent=FIFTH), seconds * PACKETS_A_SECOND, affected, lasted=float(seconds))
    assert dose.in_bursts(seen, share, length) is None


def test_bursts_that_are_longer_or_rarer_than_they_should_be_are_seen() -> None:
    loss = PacketLoss(percent=FIFTH, burst=timedelta(milliseconds=200))
    packets = 60 * 300
    assert reason(observed(loss, packets, packets // 5, lasted=60.0)) is None
    assert reason(observed(loss, packets, packets // 50, lasted=60.0)) == "WrongDose"
    assert reason(observed(loss, packets, packets // 2, lasted=60.0)) == "WrongDose"
    assert reason(observed(loss, packets, packets // 50)) is None, "not known how long it lasted: it has not ended"


def test_more_than_the_rate_is_another_limit() -> None:
    limit = Bandwidth(rate="200kbit", direction=Direction.EGRESS)
    allowed = 200_000 // 8 * 15
    assert reason(observed(limit, 9000, 3000, lasted=15.0, passed_bytes=allowed)) is None
    assert reason(observed(limit, 9000, 3000, lasted=15.0, passed_bytes=allowed // 10)) is None, "nobody sent more"
    finding = registry.of_kind(Bandwidth).proof(observed(limit, 9000, 3000, lasted=15.0, passed_bytes=2 * allowed))
    assert finding is not None
    assert finding.message.startswith(
        "let 400 kbit a second pass at relay-0, and 200 kbit a second in one direction are allowed"
    )
    both = Bandwidth(rate="200kbit", direction=Direction.BOTH)
    assert reason(observed(both, 9000, 3000, lasted=15.0, passed_bytes=2 * allowed)) is None


@pytest.mark.parametrize(("rate", "bits"), [("8kbit", 8_000), ("16kbit", 16_000), ("32kbit", 32_000)])
def test_what_a_limit_lets_pass_at_once_is_no_other_limit(rate: str, bits: int) -> None:
    """Its bucket is full at first, and holds two packets."""
    limit = Bandwidth(rate=rate, direction=Direction.EGRESS)
    passed = 3200 + bits // 8 * 10
    assert reason(observed(limit, 900, 300, lasted=10.0, passed_bytes=passed)) is None
    assert reason(observed(limit, 900, 300, lasted=10.0, passed_bytes=2 * passed)) == "WrongDose"


def test_the_rate_that_passed_is_among_the_figures() -> None:
    seen = observed(Bandwidth(rate="200kbit"), 9000, 3000, lasted=15.0, passed_bytes=200_000 // 8 * 15)
    figures = registry.of_kind(Bandwidth).figures(seen)
    assert figures == "9000 packets matched, 3000 affected, lifted after 15.00 s, 200 kbit a second passed"
