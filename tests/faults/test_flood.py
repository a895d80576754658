from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from showstopper.api import flood as declared
from showstopper.api.shapes import Shape
from showstopper.faults import flood, flood_bounds, flood_settings
from showstopper.faults.effects import Pod
from showstopper.faults.flood import Endpoint, Flooded, PacketFlood, PacketsArrived, PacketsSent, Traces
from showstopper.faults.flood_bounds import Special

END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)


def pod(number: int, address: str = "") -> Pod:
    return Pod("show", f"relay-{number}", f"uid-{number}", address=address or f"198.18.1.{number}")


TARGETS = (Flooded(pod(1), 7882), Flooded(pod(2), 7882))
SPEC = PacketFlood(rate=1000, duration=timedelta(seconds=5))
EFFECT = flood.packet_flood(SPEC, TARGETS, END)


def test_a_flood_goes_to_the_addresses_of_its_targets_and_ends() -> None:
    start = EFFECT.start
    assert start.targets == (Endpoint("198.18.1.1", 7882), Endpoint("198.18.1.2", 7882))
    assert (start.packets, start.end) == (5000, END)


def test_a_budget_is_what_the_rate_needs_unless_it_is_given() -> None:
    assert flood.budget(PacketFlood(rate=3, duration=timedelta(milliseconds=1500))) == 5
    assert flood.budget(PacketFlood(rate=1000, packets=7)) == 7
    with pytest.raises(ValueError, match="say how many packets"):
        flood.budget(PacketFlood(rate=None))


def test_it_is_proven_by_packets_that_left_and_packets_that_came_to_every_target() -> None:
    assert EFFECT.proof == (PacketsSent(), PacketsArrived("uid-1", 7882), PacketsArrived("uid-2", 7882))
    assert flood.unproven(EFFECT, Traces(5000, {("uid-1", 7882): 2499, ("uid-2", 7882): 1})) == ()


@pytest.mark.parametrize(
    ("traces", "missing"),
    [
        (Traces(None, {("uid-1", 7882): 1, ("uid-2", 7882): 1}), ["the flooder reported nothing"]),
        (Traces(0, {("uid-1", 7882): 1, ("uid-2", 7882): 1}), ["the flooder sent no packet"]),
        (Traces(9, {("uid-1", 7882): 9}), ["interface of show/relay-2 for port 7882"]),
        (Traces(9, {("uid-1", 7882): 9, ("uid-2", 7882): 0}), ["interface of show/relay-2"]),
        (Traces(9, {("uid-1", 7882): 9, ("uid-2", 80): 9}), ["interface of show/relay-2"]),
        (Traces(None, {}), ["reported nothing", "relay-1", "relay-2"]),
    ],
)
def test_what_is_missing_is_said(traces: Traces, missing: list[str]) -> None:
    found = flood.unproven(EFFECT, traces)
    assert len(found) == len(missing)
    assert all(words in sentence for words, sentence in zip(missing, found, strict=True))


def test_successors_of_a_target_prove_nothing_for_it() -> None:
    assert flood.unproven(EFFECT, Traces(9, {("uid-3", 7882): 9, ("uid-2", 7882): 9}))


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
    assert flood.datagrams(pieces, counted, size, version) == datagrams


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (PacketFlood(Shape.RTP, size=11, rate=1), "write 12 to 1472"),
        (PacketFlood(Shape.STUN, size=173, rate=1), "multiple of 4"),
        (PacketFlood(Shape.RANDOM, size=1473, rate=1), "write 1 to 1472"),
        (PacketFlood(rate=0), "write 1 to 5000000 packets a second"),
        (PacketFlood(rate=5_000_001), "write 1 to 5000000 packets a second"),
        (PacketFlood(rate=None), "say how many packets"),
        (PacketFlood(rate=1, packets=0), "write 1 to 1000000000"),
        (PacketFlood(rate=1, sources=0), "write 1 to 256"),
        (PacketFlood(rate=1, duration=timedelta(0)), "write 0.1 to 600"),
        (PacketFlood(rate=1, duration=timedelta(hours=1)), "write 0.1 to 600"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_what_to_write(spec: PacketFlood, words: str) -> None:
    (objection,) = flood_bounds.objections(spec)
    assert words in objection


def test_what_is_within_bounds_is_not_refused() -> None:
    assert not list(flood_bounds.objections(SPEC))
    assert not list(flood_bounds.objections(PacketFlood(Shape.STUN, 20, None, 256, timedelta(minutes=10), 10**9)))


def test_only_addresses_of_single_pods_are_targets() -> None:
    assert flood_bounds.objection_to(Endpoint("198.18.1.1", 1)) is None
    assert flood_bounds.objection_to(Endpoint("fd00::1", 65535)) is None
    for address in ("127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "169.254.0.1", "fe80::1%eth0"):
        assert "single pods only" in (flood_bounds.objection_to(Endpoint(address, 1)) or "")
    assert flood_bounds.objection_to(Endpoint("", 1))
    assert flood_bounds.objection_to(Endpoint("::ffff:224.0.0.1", 1), {Special.LOOPBACK})


def test_what_the_flooder_is_told() -> None:
    told = flood_settings.environment(EFFECT.start)
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


def test_ipv6_targets_stand_in_brackets() -> None:
    effect = flood.packet_flood(SPEC, (Flooded(pod(1, "fd00::5"), 7882),), END)
    assert flood_settings.environment(effect.start)["SHOWSTOPPER_FLOOD_TARGETS"] == "[fd00::5]:7882"


def test_what_the_api_takes_is_what_the_flooder_takes() -> None:
    fields = declared.PacketFlood.model_json_schema()["properties"]
    assert (fields["size"]["minimum"], fields["size"]["maximum"]) == (1, flood_bounds.LARGEST)
    bounds = {"rate": flood_bounds.FASTEST, "packets": flood_bounds.MOST_PACKETS}
    assert {name: fields[name]["anyOf"][0]["maximum"] for name in bounds} == bounds
    assert fields["sources"]["maximum"] == flood_bounds.MOST_SOURCES
    assert (declared.LONGEST, declared.MOST_TARGETS) == (flood_bounds.LONGEST, flood_bounds.MOST_TARGETS)


@pytest.mark.parametrize("shape", Shape)
def test_no_packet_that_the_api_takes_is_too_small_for_its_shape(shape: Shape) -> None:
    smallest = flood_bounds.SMALLEST[shape]
    assert declared.PacketFlood(port="media", shape=shape, size=smallest, rate=1).size == smallest
    if smallest > 1:
        with pytest.raises(ValidationError, match=f"write a size of {smallest} to 1472"):
            declared.PacketFlood(port="media", shape=shape, size=smallest - 4, rate=1)
