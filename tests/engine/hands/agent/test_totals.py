"""What agents report of a fault, as its record holds it."""

from showstopper.api.experiment import Fault
from showstopper.api.injection import InjectionTarget
from showstopper.api.reasons import Reason
from showstopper.api.run import FaultRecord
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.agent import totals
from showstopper.engine.hands.agent.answers import Answers

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
