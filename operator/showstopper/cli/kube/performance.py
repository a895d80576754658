"""Performances: apply a game day, or request another performance of one, and tell when that is over."""

from dataclasses import dataclass

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.game_day import GameDay
from showstopper.cli.kube import lookup, run_request
from showstopper.cli.kube.manifest import Manifest
from showstopper.cli.kube.run_request import NoOperator, RunRefused
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import GAME_DAY
from showstopper.engine.days import programme


@dataclass(frozen=True, slots=True)
class Performance:
    """A performance that is waited for: the first one after that of a number, or any.

    Attributes:
        day: as it was when the performance was requested.
        after: the number of the performance that was there already. None: that one is meant.
    """

    day: GameDay
    after: int | None = None

    def begun(self, day: GameDay) -> bool:
        """Whether what the day's status tells is of this performance."""
        return self.after is None or day.status.performance > self.after

    def is_over(self, day: GameDay, waited: float) -> bool:
        """Whether it has its verdict, or is refused until somebody changes something.

        `waited`: for how many seconds. A refusal from before the request is none.
        """
        if lookup.ready_condition(day) is None:
            return False
        finished, stalled = (
            conditions.is_true(day.status.conditions, kind) for kind in (ConditionType.FINISHED, ConditionType.STALLED)
        )
        if finished:
            return self.begun(day)
        return stalled and (self.after is None or waited > run_request.SETTLE_SECONDS)


def why_without_verdict(day: GameDay) -> str:
    """Why the game day has no verdict in its current form. Empty: it has."""
    if day.finished and lookup.ready_condition(day) is not None:
        return ""
    return f"game day {day.metadata.name} has no verdict in its current form: {lookup.summary(day)}"


def why_superseded(day: GameDay) -> str:
    """Why its verdict is that of a performance before the one that is asked for. Empty: it is not, or there is none."""
    if not day.finished or not programme.asks_for_another(day, day.status):
        return ""
    return f"game day {day.metadata.name} has not begun the performance that was asked for after this verdict"


async def request(client: Client, subject: Manifest | GameDay) -> Performance:
    """Apply the file, or take the game day, and request a performance unless applying did."""
    if isinstance(subject, GameDay):
        return await _another(client, subject)
    body = subject.game_day
    assert body is not None, "whoever asks has looked"
    before = await lookup.existing(client, GAME_DAY, GameDay, body["metadata"]["namespace"], body["metadata"]["name"])
    for kind, each in subject.objects:
        applied = await run_request.apply(client, kind, each)
        if kind is GAME_DAY:
            day = GameDay.parse(applied)
    if before is None or programme.digest(before) != programme.digest(day):
        return Performance(day, before.status.performance if before is not None else 0)
    return await _another(client, day)


def raise_if_not_taken_up(performance: Performance, day: GameDay, waited: float) -> None:
    """Raise if the performance will not begin by itself.

    Args:
        performance: that is waited for.
        day: as it is now.
        waited: for how many seconds.

    Raises:
        RunRefused: the game day is suspended before it has begun, or another one has its name.
        NoOperator: no operator has observed the request.
    """
    namespace, name = day.key
    if day.metadata.uid != performance.day.metadata.uid:
        raise RunRefused(f"GameDay {namespace}/{name} was deleted meanwhile")
    if performance.begun(day):
        return
    seen = lookup.ready_condition(day) is not None
    if seen and day.spec.suspend:
        raise RunRefused(f"GameDay {namespace}/{name} was not performed: {lookup.summary(day)}")
    if not seen and waited > run_request.OPERATOR_SECONDS:
        raise NoOperator(
            f"no operator has observed GameDay {namespace}/{name} for {run_request.OPERATOR_SECONDS:.0f} s: "
            "check kubectl get pods -A -l app.kubernetes.io/name=showstopper"
        )


async def _another(client: Client, day: GameDay) -> Performance:
    day, _ = await run_request.annotate(client, GAME_DAY, day)
    return Performance(day, day.status.performance)
