"""What agents report of a fault, as its record holds it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.network import Direction
from showstopper.api.injection import InjectedTarget, InjectionTarget, PacketCounts, TargetState
from showstopper.api.reasons import Reason
from showstopper.api.run import FaultRecord
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.injections import totals
from showstopper.engine.hands.injections.answers import Answers

FLOOD = {
    "name": "flood",
    "target": {"component": "relay"},
    "duration": "5s",
    "packetFlood": {"port": "media", "rate": 100},
}


def test_a_fault_that_was_cut_short_and_left_something_says_both() -> None:
    before = FaultRecord(name="flood", kind="packetFlood", targets=1)
    place = InjectionTarget(pod="relay-0", uid="relay-0-uid", address="198.18.1.2")
    lost = Finding(Reason.LEASE_LOST, "the agent started anew")
    fault = Fault.model_validate(FLOOD)
    answer = Answers(fault, (("node1", place),), (), (), None, None, cut_short=lost, remains="Job flood")
    record = totals.record_of(before, answer)
    assert (record.cut_short, record.reverted) == ("LeaseLost", False)
    assert record.message == "the agent started anew; left behind: Job flood"
    assert before.message is None, "the record before is not changed"


def flooded(gate: InjectedTarget, *targets: InjectedTarget) -> FaultRecord:
    """What the record says of a flood of one pod at 100 packets a second, for 5 s."""
    places = tuple(("node1", InjectionTarget(pod=each.uid, uid=each.uid, address="198.18.1.2")) for each in targets)
    fault = Fault.model_validate(FLOOD)
    answer = Answers(fault, places, targets, (), None, None, gated=1, gates=(gate,))
    return totals.record_of(FaultRecord(name="flood", kind="packetFlood", targets=1), answer)


def test_a_flood_lasts_from_the_opening_of_its_gate() -> None:
    """What arrives is counted before that, where other faults take their time to be armed."""
    record = flooded(hit("flooder", 5, begin=20, affected=500), hit("a", 25, affected=500))
    assert (record.proven, record.in_force) == (True, "5.00s")
    gone = hit("a", 22, affected=200).model_copy(update={"state": TargetState.GONE})
    record = flooded(hit("flooder", 2, begin=20, affected=200), gone, hit("b", 25, affected=500))
    assert (record.in_force, record.asked_for) == ("7.00s", "5.00s")


def test_a_flood_of_one_packet_is_another_dose() -> None:
    record = flooded(hit("flooder", 5, affected=1), hit("a", 5, affected=1))
    assert (record.proven, record.reason) == (False, "WrongDose")
    assert (record.message or "").startswith("sent 1 of 500 packets")


LOSS = {
    "name": "loss",
    "target": {"component": "relay"},
    "duration": "60s",
    "packetLoss": {"percent": "5%", "direction": "Both"},
}


def hit(
    uid: str, seconds: int, *, begin: int = 0, affected: int = 100, unmet: tuple[Direction, ...] = ()
) -> InjectedTarget:
    """A target that was hit for so long, and met packets."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=begin)
    at = (start + timedelta(seconds=seconds)).isoformat()
    counts = PacketCounts(at=at, matched=2000, affected=affected)
    times = {"armed_at": start.isoformat(), "lifted_at": at}
    return InjectedTarget(
        uid=uid, state=TargetState.LIFTED, first=counts, last=counts, proven=True, unmet=list(unmet), **times
    )


def lost(*targets: InjectedTarget, loss: dict[str, Any] = LOSS) -> FaultRecord:
    """What the record says of a loss on one pod, and on those that have replaced it."""
    places = tuple(("node1", InjectionTarget(pod=each.uid, uid=each.uid, address="198.18.1.2")) for each in targets)
    answer = Answers(Fault.model_validate(loss), places, targets, (), None, None)
    return totals.record_of(FaultRecord(name="loss", kind="packetLoss", targets=1), answer)


def test_a_fault_that_was_there_for_a_part_of_its_time_only_is_no_test() -> None:
    record = lost(hit("a", 1), hit("b", 6, begin=54))
    assert (record.proven, record.reason) == (False, "TooBrief")
    assert (record.asked_for, record.in_force) == ("60.00s", "7.00s")
    assert lost(hit("a", 30), hit("b", 25, begin=35)).proven


def test_probes_that_were_not_spared_are_in_the_record() -> None:
    place = InjectionTarget(pod="a", uid="a", address="198.18.1.2")
    fault = Fault.model_validate(LOSS)
    answer = Answers(fault, (("node1", place),), (hit("a", 60),), (), None, None, probed=(7880,))
    record = totals.record_of(FaultRecord(name="loss", kind="packetLoss", targets=1), answer)
    assert record.proven
    assert (record.message or "").endswith("; the kubelet's probes of port 7880 were not spared")


def test_a_fault_of_both_directions_that_met_packets_of_one_is_half_a_fault() -> None:
    record = lost(hit("a", 60, unmet=(Direction.INGRESS,)))
    assert (record.proven, record.reason) == (False, "NoEffect")
    assert record.message is not None
    assert "matched no packet in direction Ingress on a" in record.message
    assert "write direction: Egress" in record.message
    cut = {**LOSS, "packetLoss": {"percent": "100%", "direction": "Both"}}
    assert lost(hit("a", 60, affected=2000, unmet=(Direction.INGRESS,)), loss=cut).proven, (
        "nothing comes to what sends nothing"
    )


def test_another_dose_than_the_declared_one_is_another_fault() -> None:
    """5 % of 2,000 packets are 100: 9.75 % of them, as of packets that are met twice, are 195."""
    record = lost(hit("a", 60, affected=195))
    assert (record.proven, record.reason) == (False, "WrongDose")
    assert record.message == (
        "acted on 195 of 2000 packets, and 5.000% are about 100 of them: another fault than the declared one was "
        "tested; look at the agents' logs"
    )
    assert lost(hit("a", 60, affected=130)).proven, "chance alone may do that"
    assert lost(hit("a", 60, affected=5)).reason == "WrongDose"
