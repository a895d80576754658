"""What agents say of a fault, as its record holds it."""

from showstopper.api.injection import InjectionTarget
from showstopper.api.run import FaultRecord
from showstopper.availability.verdict import Finding
from showstopper.engine.hands.agent.injections import Answers
from showstopper.engine.runs import totals
from tests.engine import build

FLOOD = {
    "name": "flood",
    "target": {"component": "relay"},
    "duration": "5s",
    "packetFlood": {"port": "media", "rate": 100},
}


def test_a_fault_that_was_cut_short_and_left_something_says_both() -> None:
    run = build.run(faults=[FLOOD])
    run.status.faults = [FaultRecord(name="flood", kind="packetFlood", targets=1)]
    place = InjectionTarget(pod="relay-0", uid="relay-0-uid", address="198.18.1.2")
    lost = Finding("LeaseLost", "the agent started anew")
    answer = Answers(run.fault("flood"), (("node1", place),), (), (), None, None, cut_short=lost, remains="Job flood")
    totals.note(run, asked={"flood": answer}, heard={})
    (record,) = run.status.faults
    assert (record.cut_short, record.reverted) == ("LeaseLost", False)
    assert record.message == "the agent started anew; this was left: Job flood"
