"""Holds: by time, by a person, and never for ever."""

from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, is_true
from tests.engine.days.life import HOUR, MINUTE, Life, by_name, inline

APPROVED = {"hold": {"approval": True}}
ALICE = "two/https://issuer.example/alice"  # users of an OIDC issuer have slashes in their names


def held(**spec: Any) -> Life:
    """A day whose second act waits for approval."""
    life = Life(by_name("one"), inline("two", **APPROVED), **spec)
    life.settle()
    life.end("Passed")
    life.settle()
    return life


def test_an_approval_is_waited_for_by_a_person_and_recorded() -> None:
    life = held()
    assert life.ready() == "False AwaitingApproval"
    stands = {kind: is_true(life.day.status.conditions, kind) for kind in ConditionType}
    assert stands[ConditionType.SUSPENDED]
    assert not stands[ConditionType.RECONCILING]
    assert "showstopper -n show gameday approve rehearsal two" in life.day.status.conditions[0].message
    life.annotate(ALICE)
    life.settle(MINUTE)
    hold = life.current.hold
    assert hold is not None
    assert (hold.approver, hold.ended_at) == ("https://issuer.example/alice", "2026-12-01T19:01:00.000000Z")
    assert len(life.runs) == 2


@pytest.mark.parametrize("value", ["one/alice", "two", "two/", "/alice", "", "TWO/alice"])
def test_another_annotation_is_no_approval(value: str) -> None:
    life = held()
    life.annotate(value)
    life.settle()
    assert (life.ready(), len(life.runs)) == ("False AwaitingApproval", 1)


def test_what_stood_there_before_is_no_approval_until_it_is_said_again() -> None:
    """The annotation of the last performance, or one that was applied together with the day."""
    life = Life(by_name("one"), inline("two", **APPROVED))
    life.annotate(ALICE)
    life.settle()
    life.end("Passed")
    life.settle()
    assert life.ready() == "False AwaitingApproval"
    assert "remove it first" in life.day.status.conditions[0].message
    life.annotate(None)
    life.settle()
    life.annotate(ALICE)
    life.settle()
    assert len(life.runs) == 2


@pytest.mark.parametrize("late", [None, ALICE], ids=["never", "too late"])
def test_a_hold_that_nobody_ends_ends_the_day(late: str | None) -> None:
    life = held()
    step = life.settle(59 * MINUTE)
    assert (life.ready(), step.again) == ("False AwaitingApproval", MINUTE)
    life.annotate(late)
    life.settle(MINUTE)
    assert (life.ready(), life.day.status.verdict, len(life.runs)) == ("False HoldTimedOut", "Aborted", 1)


def test_a_day_that_nobody_lets_begin_is_inconclusive() -> None:
    life = Life(inline("one", hold={"approval": True, "timeout": "5m"}))
    life.settle()
    life.settle(5 * MINUTE)
    assert (life.ready(), life.day.status.verdict) == ("False HoldTimedOut", "Inconclusive")


def test_a_hold_for_a_time_ends_by_itself() -> None:
    life = Life(inline("one", hold={"for": "5m"}))
    step = life.settle()
    assert (life.ready(), step.again) == ("Unknown Held", 5 * MINUTE)
    life.settle(4 * MINUTE)
    assert not life.runs
    life.settle(MINUTE)
    assert len(life.runs) == 1


def test_an_abort_ends_a_hold_at_once() -> None:
    life = held()
    life.change(abort=True)
    life.settle()
    assert (life.ready(), life.day.status.verdict) == ("False AbortRequested", "Aborted")


def test_the_window_ends_a_hold() -> None:
    life = held(window={"end": "2026-12-01T19:30:00Z"})
    step = life.settle()
    assert step.again == 30 * MINUTE
    life.settle(30 * MINUTE)
    assert life.ready() == "False WindowPassed"


def test_an_approval_by_nobody_knows_whom_is_none() -> None:
    """Without the policy in the cluster, any name could be written there."""
    life = Life(inline("one", **APPROVED))
    life.guarded = False
    life.settle()
    assert life.ready() == "False ApprovalPolicyMissing"
    assert "install Showstopper's chart" in life.day.status.conditions[0].message


def test_a_hold_counts_on_while_no_operator_is_there() -> None:
    life = held()
    life.look(2 * HOUR)
    life.settle()
    assert life.ready() == "False HoldTimedOut"
