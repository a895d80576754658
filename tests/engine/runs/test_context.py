"""The context of a run: what ends a run early, and what must not."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.counts import CountLog
from showstopper.availability.hosts import HostFeed, HostLog
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.rooms.skew import ClockSkew
from showstopper.engine.runs.context import RunContext, Services
from showstopper.engine.runs.waiting import RunEnded
from tests.availability.build import L, N, Story, feed, spans
from tests.support import build

START = from_timestamp("2026-01-01T00:00:00Z")
NOW = 30.0


class StandingClock(Clock):
    """Shows one moment."""

    def now(self) -> float:
        return START + NOW


@dataclass
class Heard:
    """What a room's listeners and host tell, without the room, which has no door."""

    timeline: Timeline
    hosts: HostLog = field(default_factory=HostLog)
    skew: ClockSkew = field(default_factory=ClockSkew)
    door: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(log=CountLog()))


def run_of(**spec: Any) -> ExperimentRun:
    """A run that began 30 s ago and ends early if nobody hears anything for five seconds."""
    condition = {"indicator": "AudibleRatio", "below": "10%", "for": "5s"}
    return build.run(abortIf=[condition], status={"startedAt": to_timestamp(START)}, **spec)


def room(run: ExperimentRun, *story: tuple[Any, float], host_until: float = NOW) -> Heard:
    """Both residents went through the same; the host answered until then."""
    told: Story = story
    heard = Heard(Timeline())
    everybody = [span for name in names.residents(run.room) for span in spans(name, told)]
    heard.timeline.add(feed(everybody, clock=NOW, offset=START))
    heard.hosts.add(HostFeed("one", START, 0.001, host_until, START + host_until, -100.0, -97.0, ()))
    return heard


def ended(run: ExperimentRun, heard: Heard) -> tuple[Verdict, str] | None:
    """How the run ends now, if it does."""
    services = SimpleNamespace(clock=StandingClock(), rooms=SimpleNamespace(find=lambda *_: heard))
    context = RunContext(
        services=cast("Services", services),
        record=cast("Any", SimpleNamespace(run=run)),
        wait=cast("Any", None),
        hands=cast("Any", None),
        sampler=cast("Any", None),
    )
    try:
        context.check_abort(START + 5, START + 5)
    except RunEnded as end:
        return end.finding.verdict, end.finding.reason
    return None


@pytest.fixture
def run() -> ExperimentRun:
    return run_of()


DEAF: Story = [(L, 10.0), (N, 20.0)]


def test_a_room_in_which_nobody_hears_anything_ends_its_run(run: ExperimentRun) -> None:
    assert ended(run, room(run, *DEAF)) == (Verdict.ABORTED, "AbortIf")
    assert ended(run, room(run, (L, 30.0))) is None


@pytest.mark.parametrize("silent", [9.0, 27.0])
def test_a_host_that_has_gone_ends_no_run_as_the_room_s(run: ExperimentRun, silent: float) -> None:
    story = [(L, silent + 0.2), (N, NOW - silent - 0.2)]
    assert ended(run, room(run, *story, host_until=silent)) is None


def test_a_speaker_of_somebody_else_s_is_part_of_the_room() -> None:
    spec = {**build.ROOM_SPEC, "program": {"host": "External"}}
    run = run_of(room={"name": "main-stage", "uid": "room-uid", "spec": spec})
    assert ended(run, room(run, *DEAF, host_until=9.0)) == (Verdict.ABORTED, "AbortIf")


def test_where_the_clocks_do_not_tell_what_was_heard_they_end_the_run(run: ExperimentRun) -> None:
    heard = room(run, *DEAF)
    heard.skew.look(START + 20, 0.0, {"main-stage-listeners-0": 6.0})
    assert ended(run, heard) == (Verdict.INCONCLUSIVE, "ClockSkew")
    heard = room(run, (L, 30.0))
    heard.skew.look(START + 20, 0.0, {"main-stage-listeners-0": 6.0})
    assert ended(run, heard) is None
