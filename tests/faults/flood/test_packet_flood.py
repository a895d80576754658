"""The flood as a whole: what proves it, and that the flooder takes what the API takes."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from showstopper.api.faults.flood import FloodFigures, PacketFlood
from showstopper.api.reasons import Reason
from showstopper.api.room import Port
from showstopper.api.schema.quantities import parse_duration
from showstopper.api.schema.shapes import Shape
from showstopper.audio.task.ending import EndReason
from showstopper.availability.verdict import Finding
from showstopper.faults import task
from showstopper.faults.flood import bounds, dose, packet_flood
from showstopper.faults.observed import Observed, ObservedTarget
from tests.support import build

FLOOD = packet_flood.PacketFloodBehaviour()


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


def over(
    sent: int,
    *arrived: int,
    lasted: float = 10.0,
    flooder_gone: bool = False,
    said: FloodFigures | None = None,
    **declared: Any,
) -> Finding | None:
    """The proof of a flood of 10 s that is over, by what was counted at its gate and at each target."""
    observed = Observed(
        "flood",
        tuple(replace(target(f"pod-{number}", packets), lasted=lasted) for number, packets in enumerate(arrived)),
        (replace(gate(sent), lasted=lasted, gone=flooder_gone),),
        PacketFlood(port="media", **declared),
        10.0,
        flood=said,
    )
    return FLOOD.proof(observed)


def ended(by: EndReason, packets: int, refused: int = 0) -> FloodFigures:
    return FloodFigures(ended_by=by.value, packets=packets, refused=refused)


def test_one_packet_does_not_prove_a_flood_of_millions() -> None:
    finding = over(1, 1, rate=50_000)
    assert finding is not None
    assert finding.reason is Reason.WRONG_DOSE
    assert finding.message.startswith("sent 1 of 500000 packets")


def test_a_flooder_that_ended_too_early_was_another_flood() -> None:
    """Killed for want of memory after a second: its gate went with it, and the counters lasted."""
    assert over(50_000, 50_000, lasted=1.2, flooder_gone=True, rate=50_000) is not None
    assert over(50_000, 50_000, rate=50_000) is not None


def test_a_flood_is_judged_when_its_last_packet_is_counted() -> None:
    spec = PacketFlood(port="media", rate=50_000)
    assert FLOOD.proof(Observed("flood", (target("a", 1),), (gate(1),), spec, 10.0)) is None


def test_a_flood_at_its_rate_is_proven_also_where_it_dropped_some_of_its_schedule() -> None:
    assert over(5000, 5000, rate=500) is None
    assert over(4400, 4400, rate=500) is None
    assert over(3900, 3900, rate=500) is not None


def test_a_flood_whose_packets_did_not_arrive_is_told_as_one() -> None:
    finding = over(500_000, 3, rate=50_000)
    assert finding is not None
    assert finding.reason is Reason.WRONG_DOSE
    assert "400000 or more should have arrived at each of 1 targets, and there arrived 3 at pod-0" in finding.message
    finding = over(500_000, 250_000, 1000, rate=50_000)
    assert finding is not None
    assert "arrived 1000 at pod-1" in finding.message


def test_a_budget_of_packets_is_what_was_declared_however_soon_it_is_spent() -> None:
    """A flooder that has ended is taken down by its kubelet, and its gate with what was counted last."""
    assert over(700, 1000, lasted=1.5, flooder_gone=True, rate=500, packets=1000) is None
    assert over(1000, 1000, rate=500, packets=1000) is None
    assert over(100, 100, rate=500, packets=1000) is not None
    assert over(90_000, 100_000, lasted=1.5, flooder_gone=True, packets=100_000) is None


def test_a_flood_that_was_stopped_had_the_dose_of_its_time() -> None:
    """How short that was is told by its time in force."""
    assert over(1000, 1000, lasted=2.0, rate=500) is None
    assert over(100, 100, lasted=2.0, rate=500) is not None
    assert over(1000, 1000, lasted=2.0, packets=1_000_000) is None


def test_as_fast_as_possible_is_as_much_as_was_sent_in_all_of_its_time() -> None:
    most = bounds.MOST_PACKETS
    whole = ended(EndReason.SECONDS, 9_000_000)
    assert over(8_900_000, 8_900_000, said=whole, packets=most) is None
    assert over(4_000_000, 8_900_000, flooder_gone=True, said=whole, packets=most) is None, "its gate had lost some"
    assert over(8_900_000, 3, said=whole, packets=most) is not None, "lost on their way"


@pytest.mark.parametrize(
    "said",
    [
        None,
        ended(EndReason.TERMINATED, 9_000_000),
        ended(EndReason.END, 9_000_000),
        ended(EndReason.SECONDS, 9, refused=8_000_000),
    ],
)
def test_a_flooder_that_did_not_go_on_as_fast_as_it_could_proves_nothing(said: FloodFigures | None) -> None:
    assert over(9_000_000, 9_000_000, said=said, packets=bounds.MOST_PACKETS) is not None


def test_a_target_that_went_is_told_of_by_its_time() -> None:
    targets = (replace(target("a", 5), gone=True), replace(target("b", 2500), lasted=10.0))
    spec = PacketFlood(port="media", rate=500)
    assert FLOOD.proof(Observed("flood", targets, (replace(gate(2600), lasted=10.0),), spec, 10.0)) is None


def test_what_a_flooder_says_is_taken_or_left() -> None:
    report = {"event": "flooded", "ended_by": "Seconds", "packets": 5, "errors": {"ENOBUFS": 3, "EPERM": 1}}
    assert FLOOD.figures_of(report) == ended(EndReason.SECONDS, 5, refused=4)
    assert FLOOD.figures_of({}) is None
    assert dose.WHOLE == EndReason.SECONDS


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
