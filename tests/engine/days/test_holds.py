"""Holds: by time, by a person, and never for ever."""

from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, is_true
from tests.support import build
from tests.support.simulated_game_day import HOUR, MINUTE, SimulatedGameDay, by_name, inline

APPROVED = {"hold": {"approval": True}}
ALICE = "two/https://issuer.example/alice"  # users of an OIDC issuer have slashes in their names


def held(**spec: Any) -> SimulatedGameDay:
    """A day whose second act waits for approval."""
    simulated = SimulatedGameDay(by_name("one"), inline("two", **APPROVED), **spec)
    simulated.settle()
    simulated.end("Passed")
    simulated.settle()
    return simulated


def test_an_approval_is_waited_for_by_a_person_and_recorded() -> None:
    simulated = held()
    assert simulated.ready() == "False AwaitingApproval"
    stands = {kind: is_true(simulated.day.status.conditions, kind) for kind in ConditionType}
    assert stands[ConditionType.SUSPENDED]
    assert not stands[ConditionType.RECONCILING]
    assert "showstopper -n show gameday approve rehearsal two" in simulated.day.status.conditions[0].message
    simulated.annotate(ALICE)
    simulated.settle(MINUTE)
    hold = simulated.current.hold
    assert hold is not None
    assert (hold.approver, hold.ended_at) == ("https://issuer.example/alice", "2026-12-01T19:01:00.000000Z")
    assert len(simulated.runs) == 2


@pytest.mark.parametrize("value", ["one/alice", "two", "two/", "/alice", "", "TWO/alice"])
def test_another_annotation_is_no_approval(value: str) -> None:
    simulated = held()
    simulated.annotate(value)
    simulated.settle()
    assert (simulated.ready(), len(simulated.runs)) == ("False AwaitingApproval", 1)


def test_what_stood_there_before_is_no_approval_until_it_is_said_again() -> None:
    """The annotation of the last performance, or one that was applied together with the day."""
    simulated = SimulatedGameDay(by_name("one"), inline("two", **APPROVED))
    simulated.annotate(ALICE)
    simulated.settle()
    simulated.end("Passed")
    simulated.settle()
    assert simulated.ready() == "False AwaitingApproval"
    assert "remove it first" in simulated.day.status.conditions[0].message
    simulated.annotate(None)
    simulated.settle()
    simulated.annotate(ALICE)
    simulated.settle()
    assert len(simulated.runs) == 2


@pytest.mark.parametrize("late", [None, ALICE], ids=["never", "too late"])
def test_a_hold_that_nobody_ends_ends_the_day(late: str | None) -> None:
    simulated = held()
    step = simulated.settle(59 * MINUTE)
    assert (simulated.ready(), step.again) == ("False AwaitingApproval", MINUTE)
    simulated.annotate(late)
    simulated.settle(MINUTE)
    assert (simulated.ready(), simulated.day.status.verdict, len(simulated.runs)) == (
        "False HoldTimedOut",
        "Aborted",
        1,
    )


def test_a_day_that_nobody_lets_begin_is_inconclusive() -> None:
    simulated = SimulatedGameDay(inline("one", hold={"approval": True, "timeout": "5m"}))
    simulated.settle()
    simulated.settle(5 * MINUTE)
    assert (simulated.ready(), simulated.day.status.verdict) == ("False HoldTimedOut", "Inconclusive")


def edit(simulated: SimulatedGameDay) -> None:
    """Somebody who may not approve changes what is to be approved."""
    experiment = simulated.experiments["kill"]
    simulated.experiments["kill"] = build.experiment(suspend=True, faults=[build.fault(max=2)])
    assert simulated.experiments["kill"] != experiment


def test_an_approval_is_of_the_experiment_as_it_was_then() -> None:
    simulated = SimulatedGameDay(by_name("one", **APPROVED))
    simulated.settle()
    edit(simulated)
    simulated.annotate("one/alice")
    simulated.settle(MINUTE)
    assert (simulated.ready(), len(simulated.runs)) == ("False AwaitingApproval", 0)
    simulated.annotate(None)
    simulated.settle()
    simulated.annotate("one/alice")
    simulated.settle()
    assert len(simulated.runs) == 1


def test_what_is_changed_after_its_approval_is_to_be_approved_again() -> None:
    simulated = SimulatedGameDay(by_name("one", **APPROVED))
    simulated.settle()
    simulated.change(suspend=True)
    simulated.annotate("one/alice")
    simulated.settle()
    assert simulated.ready() == "False Suspended"
    edit(simulated)
    simulated.settle(MINUTE)
    assert simulated.ready() == "False AwaitingApproval"
    hold = simulated.current.hold
    assert hold is not None
    assert (hold.approver, hold.standing) == (None, "one/alice")


def test_what_is_changed_between_the_note_of_a_run_and_the_run_is_not_run() -> None:
    simulated = SimulatedGameDay(by_name("one", **APPROVED), inline("two"))
    simulated.settle()
    simulated.annotate("one/alice")
    simulated.look(die=True)
    assert simulated.current.run is not None
    edit(simulated)
    simulated.look()
    (act, _) = simulated.day.status.acts
    assert (act.verdict, act.reason, simulated.runs) == ("Inconclusive", "ExperimentChanged", [])


def test_edits_make_no_hold_longer() -> None:
    simulated = SimulatedGameDay(by_name("one", **APPROVED))
    simulated.settle()
    simulated.look(59 * MINUTE)
    edit(simulated)
    simulated.settle()
    simulated.settle(MINUTE)
    assert simulated.ready() == "False HoldTimedOut"


def test_a_hold_for_a_time_ends_by_itself() -> None:
    simulated = SimulatedGameDay(inline("one", hold={"for": "5m"}))
    step = simulated.settle()
    assert (simulated.ready(), step.again) == ("Unknown Held", 5 * MINUTE)
    simulated.settle(4 * MINUTE)
    assert not simulated.runs
    simulated.settle(MINUTE)
    assert len(simulated.runs) == 1


def test_an_abort_ends_a_hold_at_once() -> None:
    simulated = held()
    simulated.change(abort=True)
    simulated.settle()
    assert (simulated.ready(), simulated.day.status.verdict) == ("False AbortRequested", "Aborted")


def test_the_window_ends_a_hold() -> None:
    simulated = held(window={"end": "2026-12-01T19:30:00Z"})
    step = simulated.settle()
    assert step.again == 30 * MINUTE
    simulated.settle(30 * MINUTE)
    assert simulated.ready() == "False WindowPassed"


def test_an_approval_by_nobody_knows_whom_is_none() -> None:
    """Without the policy in the cluster, any name could be written there."""
    simulated = SimulatedGameDay(inline("one", **APPROVED))
    simulated.guarded = False
    simulated.settle()
    assert simulated.ready() == "False ApprovalPolicyMissing"
    assert "install Showstopper's chart" in simulated.day.status.conditions[0].message


def test_a_hold_counts_on_while_no_operator_is_there() -> None:
    simulated = held()
    simulated.look(2 * HOUR)
    simulated.settle()
    assert simulated.ready() == "False HoldTimedOut"
