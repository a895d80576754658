"""Which verdict of a game day is that of the performance that was asked for, and when there will be none."""

from typing import Any

import pytest

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.game_day import GameDay
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.cli.kube.performance import Performance, raise_if_not_taken_up
from showstopper.cli.kube.run_request import NoOperator, RunRefused
from tests.api.build import game_day

NOW = "2026-01-01T00:00:00Z"
PASSED = conditions.succeeded(Reason.ALL_ACTS_PASSED, "all passed")
REFUSED = conditions.refused(Reason.ROOM_NOT_FOUND, "apply the room")
UNDER_WAY = conditions.in_progress(Reason.ACT_UNDER_WAY, "act 1 of 2")
SUSPENDED = conditions.waiting_for_person(Reason.SUSPENDED, "suspended")


def day(outlook: Outlook, performance: int, *, uid: str = "u", generation: int = 1, **spec: Any) -> GameDay:
    body = game_day({"metadata.uid": uid, "metadata.generation": generation})
    body["spec"] |= spec
    listed = [dump(condition) for condition in conditions.conditions(outlook, generation=1, now=NOW)]
    verdict = {"verdict": "Passed"} if outlook is PASSED else {}
    body["status"] = {"observedGeneration": 1, "conditions": listed, "performance": performance, **verdict}
    return GameDay.parse(body)


THERE = day(PASSED, 1)
NEXT = Performance(THERE, after=1)


@pytest.mark.parametrize(
    ("current_day", "waited", "over"),
    [
        (day(PASSED, 1), 60.0, False),
        (day(UNDER_WAY, 2), 60.0, False),
        (day(PASSED, 2), 0.1, True),
        (day(REFUSED, 1), 0.1, False),
        (day(REFUSED, 1), 4.0, True),
        (day(PASSED, 2, generation=2), 60.0, False),
    ],
    ids=["the one before", "under way", "the one after", "refused before", "refused", "not of this form"],
)
def test_the_performance_that_was_asked_for_is_waited_for(current_day: GameDay, waited: float, *, over: bool) -> None:
    assert NEXT.is_over(current_day, waited) is over


@pytest.mark.parametrize("outlook", [PASSED, REFUSED])
def test_whoever_only_watches_means_what_is_there(outlook: Outlook) -> None:
    assert Performance(THERE).is_over(day(outlook, 1), 0.0)


@pytest.mark.parametrize(
    ("current_day", "waited", "error", "says"),
    [
        (day(SUSPENDED, 1, suspend=True), 1.0, RunRefused, "was not performed: Suspended: suspended"),
        (day(UNDER_WAY, 1, uid="another"), 1.0, RunRefused, "was deleted meanwhile"),
        (day(PASSED, 1, generation=2), 31.0, NoOperator, "no operator has observed GameDay show/rehearsal for 30 s"),
    ],
    ids=["suspended", "deleted", "no operator"],
)
def test_what_will_not_come_is_not_waited_for(
    current_day: GameDay, waited: float, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        raise_if_not_taken_up(NEXT, current_day, waited)


@pytest.mark.parametrize(
    "current_day",
    [day(UNDER_WAY, 2, suspend=True), day(UNDER_WAY, 1), day(PASSED, 1, generation=2)],
    ids=["under way", "the one before is", "just changed"],
)
def test_what_may_still_come_is_waited_for(current_day: GameDay) -> None:
    raise_if_not_taken_up(NEXT, current_day, 5.0)
