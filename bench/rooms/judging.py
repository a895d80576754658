"""Judging: the verdict on what is told of a room, as a run reaches it (engine/runs/judging.py)."""

from dataclasses import dataclass, replace

from bench.rooms import telling
from bench.rooms.room import FOLLOWING, GRID, Room
from showstopper.api.verdicts import Verdict
from showstopper.availability import coverage, excuses, expectations, verdict
from showstopper.availability.expectations import Expectation, Judgement
from showstopper.availability.indicators import Recovery
from showstopper.availability.indicators.indicator import Indicator, Listeners
from showstopper.availability.spans import Window
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Evidence, FaultEvidence


@dataclass(frozen=True)
class Judged:
    """The verdict, and each expectation by itself."""

    verdict: Verdict
    expectations: tuple[Judgement, ...]


def judge(room: Room, *, halves: bool = False) -> Judged:
    """Everything that was asked, judged by what is told."""
    timeline, absences = telling.timeline(room, halves=halves), telling.absences(room)
    residents = [f"r{index}" for index in range(len(room.deaf))]

    def view(first: int, last: int, following: int) -> View:
        window = Window(telling.EPOCH + first * GRID, telling.EPOCH + last * GRID)
        return excuses.excused(timeline.view(window, residents, following * GRID), absences)

    times = room.times
    base = coverage.of(view(0, times.fault, 0))
    after = replace(view(times.fault, times.end, FOLLOWING), never_in=frozenset(base.unheard))
    recovery = Recovery(telling.EPOCH + times.lifted * GRID, base.audible)
    asked = [_expectation(each.indicator, each.bound, least=each.least) for each in room.asked]
    judgements = tuple(
        expectations.judge(expectation, each.indicator.measure(after, recovery))
        for expectation, each in zip(asked, room.asked, strict=True)
    )
    newcomers = [
        (expectations.healthy(expectation, verdict.HEALTHY_RATIO), each.indicator)
        for expectation, each in zip(asked, room.asked, strict=True)
        if each.indicator.listeners is Listeners.ARRIVALS
    ]
    before = view(0, times.fault, FOLLOWING) if newcomers else None
    evidence = Evidence(
        faults=(FaultEvidence("fault", proven=True, reverted=True),),
        expectations=judgements,
        baseline=base,
        judged=coverage.of(after),
        newcomers=tuple(
            expectations.judge(expectation, indicator.measure(before, None))
            for expectation, indicator in newcomers
            if before is not None
        ),
    )
    return Judged(verdict.decide(evidence).verdict, judgements)


def _expectation(indicator: Indicator, bound: float, *, least: bool) -> Expectation:
    return Expectation(indicator, minimum=bound) if least else Expectation(indicator, maximum=bound)
