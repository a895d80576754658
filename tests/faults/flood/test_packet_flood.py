"""The flood as a whole: what proves it, and that the flooder takes what the API takes."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from showstopper.api.faults.flood import PacketFlood
from showstopper.api.room import Port
from showstopper.api.schema.quantities import parse_duration
from showstopper.api.schema.shapes import Shape
from showstopper.faults import registry, task
from showstopper.faults.flood import bounds, packet_flood
from showstopper.faults.observed import Observed, ObservedTarget
from tests.support import build

FLOOD = registry.of_kind(PacketFlood)


def gate(passed: int) -> ObservedTarget:
    return ObservedTarget("flooder", proven=passed > 0, matched=passed, affected=passed)


def target(pod: str, arrived: int) -> ObservedTarget:
    return ObservedTarget(pod, proven=arrived > 0, matched=arrived, affected=arrived)


def test_it_is_proven_by_packets_that_left_and_packets_that_came_to_every_target() -> None:
    observed = Observed("flood", (target("a", 2499), target("b", 1)), (gate(5000),))
    assert FLOOD.proof(observed) is None
    assert FLOOD.figures(observed) == "5000 packets sent, 2500 arrived"
    assert FLOOD.outcome(observed) == "proven on every target: 5000 packets sent, 2500 arrived"


@pytest.mark.parametrize(
    ("observed", "missing"),
    [
        (Observed("flood", (target("a", 1), target("b", 1))), "sent no packet"),
        (Observed("flood", (target("a", 1), target("b", 1)), (gate(0),)), "sent no packet"),
        (Observed("flood", (target("a", 9), target("b", 0)), (gate(9),)), "sent 9 packets, and none arrived at b"),
        (Observed("flood", (target("a", 0), target("b", 0)), (gate(9),)), "sent 9 packets, and none arrived at a, b"),
        (Observed("flood", (), ()), "sent no packet"),
        (Observed("flood", (ObservedTarget("a", gone=True),), (gate(9),)), "had no target at its end"),
    ],
)
def test_what_is_missing_is_said(observed: Observed, missing: str) -> None:
    finding = FLOOD.proof(observed)
    assert finding is not None
    assert finding.message.startswith(missing)
    assert FLOOD.outcome(observed) == finding.message


def test_a_successor_of_a_target_proves_nothing_for_it() -> None:
    assert FLOOD.proof(Observed("flood", (target("a", 0), target("c", 9)), (gate(9),)))


def test_a_target_alone_is_told_by_what_arrived_there() -> None:
    assert FLOOD.figures(Observed("flood", (target("a", 900),))) == "900 packets of the flood arrived"


def test_of_a_range_a_port_is_flooded_that_sound_comes_from() -> None:
    media = Port(name="media", port=50000, end_port=60000, protocol="UDP")
    silent, serving = (
        build.pod("a"),
        replace(build.pod("b"), media=(("198.18.1.7", 51234), ("198.18.1.7", 50778), ("203.0.113.9", 30001))),
    )
    assert packet_flood.number_of(media, [silent, serving]) == 50778
    assert packet_flood.number_of(media, [silent]) == 50000, "not known which are in use"
    assert packet_flood.number_of(Port(name="media", port=7882, protocol="UDP"), [serving]) == 7882


def test_what_the_api_takes_is_what_the_flooder_takes() -> None:
    fields = PacketFlood.model_json_schema()["properties"]
    assert (fields["size"]["minimum"], fields["size"]["maximum"]) == (1, bounds.LARGEST)
    most = {"rate": bounds.FASTEST, "packets": bounds.MOST_PACKETS}
    assert {name: fields[name]["anyOf"][0]["maximum"] for name in most} == most
    assert fields["sources"]["maximum"] == bounds.MOST_SOURCES
    assert parse_duration(PacketFlood.longest) == bounds.LONGEST
    assert PacketFlood.most_targets == task.MOST_TARGETS


@pytest.mark.parametrize("shape", Shape)
def test_no_packet_that_the_api_takes_is_too_small_for_its_shape(shape: Shape) -> None:
    smallest = bounds.SMALLEST[shape]
    assert PacketFlood(port="media", shape=shape, size=smallest, rate=1).size == smallest
    if smallest > 1:
        with pytest.raises(ValidationError, match=f"write a size of {smallest} to 1472"):
            PacketFlood(port="media", shape=shape, size=smallest - 4, rate=1)
