"""Waiting: what ends a run while it waits."""

import pytest

from showstopper.clock import Clock, from_timestamp
from showstopper.engine.runs.waiting import RunEnded, RunWait
from tests.support import build


class StandingClock(Clock):
    """Shows one moment. Its steps are counted by hand."""

    def now(self) -> float:
        return from_timestamp("2026-01-01T00:00:00Z")


def test_a_step_of_the_clock_ends_the_run_but_not_its_place_in_the_queue() -> None:
    clock, run = StandingClock(), build.run()
    wait = RunWait(lambda: run, clock, disowned=lambda _: None, stopped=lambda: None)
    clock.steps += 1
    wait.begin()
    wait.check()
    clock.steps += 1
    with pytest.raises(RunEnded) as ended:
        wait.check()
    assert (ended.value.finding.reason, ended.value.finding.verdict) == ("ClockSkew", "Inconclusive")
