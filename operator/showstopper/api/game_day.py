"""GameDay: experiments in order, as one night is rehearsed, with holds between them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from showstopper.api.base import GROUP, Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.experiment import ExperimentSpec
from showstopper.api.quantities import Between, Duration
from showstopper.api.room import Reference
from showstopper.api.rules import Matching, Rule, exactly_one, unique_names

APPROVE = f"{GROUP}/approve"
"""The annotation by which a person lets a held act begin: "<act>/<approver>"."""

_WRITE_A_MOMENT = 'write date, time and zone, like "2026-12-01T19:00:00Z" or "2026-12-01T20:00:00+01:00"'
_DATE, _TIME, _ZONE = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}", "Z|[+-][0-9]{2}:[0-9]{2}"


def _on_the_calendar(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Moment = Annotated[
    str,
    StringConstraints(max_length=25),
    Matching(f"{_DATE}T{_TIME}({_ZONE})", f"no moment: {_WRITE_A_MOMENT}"),
    AfterValidator(_on_the_calendar),
]


class OnFailure(StrEnum):
    """What follows an act that has not passed."""

    CONTINUE = "Continue"
    STOP = "Stop"


_NOBODY_MAY = 'nobody may approve this hold, and nothing else ends it: write approval: true, or for, like "5m"'
_ONE_END = "a hold ends by approval or by itself: write either approval: true, or for"
_NO_TIMEOUT = "a hold with for ends by itself: timeout belongs to approval: true"


class Hold(Spec):
    """What an act waits for before it begins."""

    approval: bool = False
    """Wait until a person who may approve lets it begin, by the annotation showstopper.dev/approve."""
    timeout: Annotated[Duration, Between("1s", "24h")] | None = None
    """How long to wait for the approval; then the game day ends. Default: 1h."""
    for_: Annotated[Duration, Between("1s", "24h")] | None = Field(default=None, alias="for")
    """Wait for so long, then begin."""

    rules = (
        Rule(
            "self.approval || has(self.__for__)",
            _NOBODY_MAY,
            holds=lambda hold: hold.approval or hold.for_ is not None,
        ),
        Rule(
            "!self.approval || !has(self.__for__)",
            _ONE_END,
            holds=lambda hold: not hold.approval or hold.for_ is None,
        ),
        Rule(
            "!has(self.timeout) || !has(self.__for__)",
            _NO_TIMEOUT,
            holds=lambda hold: hold.timeout is None or hold.for_ is None,
        ),
    )


_ONE_EXPERIMENT = "write exactly one of experimentRef (an Experiment by name) and experiment (what to run)"
_ITS_TURN = "an act runs when its turn comes: leave out schedule, suspend and dryRun of its experiment"


class Act(Spec):
    """One experiment of the day. A hold comes before it."""

    name: Name
    experiment_ref: Reference | None = None
    """An Experiment in the same namespace; suspend it if it should run on game days only."""
    experiment: ExperimentSpec | None = None
    """The experiment itself, for this day only."""
    hold: Hold | None = None
    """What to wait for before this act begins."""
    on_failure: OnFailure | None = None
    """What follows if this act does not pass. Default: the game day's own onFailure."""

    rules = (
        exactly_one(("experimentRef", "experiment"), _ONE_EXPERIMENT),
        Rule(
            "!has(self.experiment) || "
            "!(has(self.experiment.schedule) || self.experiment.suspend || self.experiment.dryRun)",
            _ITS_TURN,
            holds=lambda act: (
                act.experiment is None
                or not (act.experiment.schedule is not None or act.experiment.suspend or act.experiment.dry_run)
            ),
        ),
    )


_IN_ORDER = "the window ends before it starts: write an end after the start"


class PerformanceWindow(Spec):
    """When acts may begin. What runs at its end is not cut off."""

    start: Moment | None = None
    """Nothing begins before. Default: at once."""
    end: Moment
    """Nothing begins after; a day that is not through by then ends."""

    rules = (
        Rule(
            "!has(self.start) || timestamp(self.start) < timestamp(self.end)",
            _IN_ORDER,
            holds=lambda window: (
                window.start is None or datetime.fromisoformat(window.start) < datetime.fromisoformat(window.end)
            ),
        ),
    )


class GameDaySpec(Spec):
    """What to rehearse.

    The day is performed when it is applied (in its window), and anew when `revision`, `window`, `acts` or `onFailure`
    changes; what was under way then ends.
    """

    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    """Any text, such as a release's version: a new one asks for a new performance."""
    window: PerformanceWindow | None = None
    """When acts may begin. Default: at any time."""
    acts: Annotated[tuple[Act, ...], Field(min_length=1, max_length=12)]
    """One after the other, in this order."""
    on_failure: OnFailure = OnFailure.STOP
    """What follows an act that has not passed: the next act, or the end. The day does not pass either way."""
    suspend: bool = False
    """Begin no further act; what runs goes on. In the middle of a day for an hour at the most, then the day ends."""
    abort: bool = False
    """Set it to true to end the day: the act under way is aborted and reverted."""
    history_limit: Annotated[int, Field(ge=1, le=50)] = 5
    """How many performances' runs of experiments that are written here are kept."""

    rules = (unique_names("acts", "acts"),)


class HoldRecord(Status):
    """A hold that has begun: since when, until when at the most, and who let the act begin."""

    started_at: Timestamp
    until: Timestamp
    ended_at: Timestamp | None = None
    approver: Text | None = None
    standing: Text | None = None
    """What the annotation said before the hold began: no approval of this hold."""


class ActRecord(Status):
    """One act of this performance. Its run is written down before it is made."""

    name: Name
    hold: HoldRecord | None = None
    run: Text | None = None
    run_uid: Text | None = None
    """Not there until the run is known to have been made."""
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    verdict: Text | None = None
    reason: Text | None = None
    message: Message | None = None
    audible: Text | None = None
    dead_air: Text | None = None
    recovery: Text | None = None

    @property
    def begun(self) -> bool:
        """Whether its run was written down, and so may have been made."""
        return self.run is not None


class DayIndicator(Status):
    """The worst value of an indicator over the acts that measured it."""

    indicator: Text
    worst: Text
    act: Name
    measured_in: int = 0
    """In how many acts."""


class GameDayStatus(Status):
    """Where the day stands: the newest performance, act by act."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    performance: int = 0
    """Which performance this is, from 1."""
    last_hash: Text | None = None
    """Of what this performance performs."""
    act: Text | None = None
    """The act under way or held, for people."""
    progress: Text | None = None
    """Acts that are over, of all."""
    acts: Annotated[list[ActRecord], Field(max_length=12)] = []
    indicators: Annotated[list[DayIndicator], Field(max_length=32)] = []
    paused_at: Timestamp | None = None
    """Since when it is suspended in the middle."""
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    verdict: Text | None = None
    reason: Text | None = None
    message: Message | None = None
    audible: Text | None = None
    dead_air: Text | None = None
    recovery: Text | None = None


class GameDay(Resource):
    """A rehearsal: acts in order, and one verdict, which is never better than the worst act."""

    kind: ClassVar[str] = "GameDay"
    plural: ClassVar[str] = "gamedays"
    short_names: ClassVar[tuple[str, ...]] = ("gd",)
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Act", "string", ".status.act", 0),
        ("Acts", "string", ".status.progress", 0),
        ("Verdict", "string", ".status.verdict", 0),
        ("Reason", "string", ".status.conditions[?(@.type=='Ready')].reason", 0),
        ("Audible", "string", ".status.audible", 0),
        ("Dead air", "string", ".status.deadAir", 0),
        ("Recovery", "string", ".status.recovery", 0),
    )

    spec: GameDaySpec
    status: GameDayStatus = GameDayStatus()

    @property
    def finished(self) -> bool:
        """Whether the newest performance is over."""
        return self.status.verdict is not None
