"""What a flooder is told to send, and how its packets are counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.schema.shapes import Shape
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.flood import bounds, sending, settings
from showstopper.faults.flood.sending import Flood

END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)


TARGETS = (Endpoint("198.18.1.1", 7882), Endpoint("198.18.1.2", 7882))
SPEC = Flood(rate=1000, duration=timedelta(seconds=5))
SEND = sending.send_packets(SPEC, TARGETS, END)


def test_a_flood_goes_to_the_addresses_of_its_targets_and_ends() -> None:
    assert SEND.targets == TARGETS
    assert (SEND.packets, SEND.end) == (5000, END)


def test_a_budget_is_what_the_rate_needs_unless_it_is_given() -> None:
    assert sending.budget(Flood(rate=3, duration=timedelta(milliseconds=1500))) == 5
    assert sending.budget(Flood(rate=1000, packets=7)) == 7
    with pytest.raises(ValueError, match="say how many packets"):
        sending.budget(Flood(rate=None))


@given(
    datagrams=st.integers(1, 10**6),
    per_piece=st.integers(1, 64),
    size=st.integers(1, 1472),
    version=st.sampled_from([4, 6]),
)
def test_datagrams_are_counted_whether_or_not_the_kernel_has_cut_them_yet(
    datagrams: int, per_piece: int, size: int, version: int
) -> None:
    pieces = -(-datagrams // per_piece)
    counted = datagrams * size + pieces * (28 if version == 4 else 48)
    assert sending.datagrams(pieces, counted, size, version) == datagrams


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Flood(Shape.RTP, size=11, rate=1), "write 12 to 1472"),
        (Flood(Shape.STUN, size=173, rate=1), "multiple of 4"),
        (Flood(Shape.RANDOM, size=1473, rate=1), "write 1 to 1472"),
        (Flood(rate=0), "write 1 to 5000000 packets a second"),
        (Flood(rate=5_000_001), "write 1 to 5000000 packets a second"),
        (Flood(rate=None), "say how many packets"),
        (Flood(rate=1, packets=0), "write 1 to 1000000000"),
        (Flood(rate=1, sources=0), "write 1 to 256"),
        (Flood(rate=1, duration=timedelta(0)), "write 0.1 to 600"),
        (Flood(rate=1, duration=timedelta(hours=1)), "write 0.1 to 600"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_what_to_write(spec: Flood, words: str) -> None:
    (objection,) = bounds.objections(spec)
    assert words in objection


def test_what_is_within_bounds_is_not_refused() -> None:
    assert not list(bounds.objections(SPEC))
    assert not list(bounds.objections(Flood(Shape.STUN, 20, None, 256, timedelta(minutes=10), 10**9)))


def test_what_the_flooder_is_told() -> None:
    told = settings.environment(SEND)
    assert told == {
        "SHOWSTOPPER_FLOOD_TARGETS": "198.18.1.1:7882,198.18.1.2:7882",
        "SHOWSTOPPER_FLOOD_WITHIN": "198.18.1.1,198.18.1.2",
        "SHOWSTOPPER_FLOOD_SHAPE": "RTP",
        "SHOWSTOPPER_FLOOD_SIZE": "172",
        "SHOWSTOPPER_FLOOD_RATE": "1000",
        "SHOWSTOPPER_FLOOD_SOURCES": "1",
        "SHOWSTOPPER_FLOOD_SECONDS": "5",
        "SHOWSTOPPER_FLOOD_PACKETS": "5000",
        "SHOWSTOPPER_FLOOD_END": "2026-01-31T20:00:30+00:00",
        "SHOWSTOPPER_FLOOD_REPORT": "/dev/termination-log",
        "SHOWSTOPPER_FLOOD_GATE": "7883",
    }
