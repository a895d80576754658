"""GameDay: the rehearsal of a whole show: experiments (acts) in order, with holds before them, and one verdict."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from showstopper.api.conditions import Condition
from showstopper.api.experiment import ExperimentSpec
from showstopper.api.room import Reference
from showstopper.api.schema.base import GROUP, Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.quantities import Duration, DurationBounds, on_the_calendar
from showstopper.api.schema.rules import Matching, Rule, exactly_one, unique_names

APPROVE = f"{GROUP}/approve"
"""Annotation with which a person approves a held act: "<act>/<approver>"."""

_WRITE_A_MOMENT = 'write date, time and zone, like "2026-12-01T19:00:00Z" or "2026-12-01T20:00:00+01:00"'
_DATE, _TIME, _ZONE = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}", "Z|[+-][0-9]{2}:[0-9]{2}"


Moment = Annotated[
    str,
    StringConstraints(max_length=25),
    Matching(f"{_DATE}T{_TIME}({_ZONE})", f"not a date and time: {_WRITE_A_MOMENT}"),
    AfterValidator(on_the_calendar),
]


class OnFailure(StrEnum):
    """What happens after an act that did not pass."""

    CONTINUE = "Continue"
    """The next act begins."""
    STOP = "Stop"
    """The game day ends."""


_NOBODY_MAY = 'this hold never ends: write approval: true, or for, like "5m"'
_ONE_END = "a hold ends by approval or after a time: write either approval: true, or for"
_NO_TIMEOUT = "timeout belongs to approval: true: leave it out of a hold with for"


class Hold(Spec):
    """Hold before an act: wait for an approval, or for a fixed time."""

    approval: bool = False
    """Whether to wait for a person to approve the act, with `showstopper gameday approve` or the annotation
    showstopper.dev/approve."""
    timeout: Annotated[Duration, DurationBounds("1s", "24h")] | None = None
    """How long to wait for the approval. The game day ends if there is none by then. Default: 1h."""
    for_: Annotated[Duration, DurationBounds("1s", "24h")] | None = Field(default=None, alias="for")
    """How long to wait before the act begins by itself."""

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
_ITS_TURN = "an act runs in its turn: leave schedule, suspend and dryRun out of its experiment"


class Act(Spec):
    """Act of the game day: one experiment, and an optional hold before it."""

    name: Name
    """Name of the act, unique within the game day."""
    experiment_ref: Reference | None = None
    """Experiment to run, in the same namespace. Suspend it if it should run on game days only."""
    experiment: ExperimentSpec | None = None
    """Inline experiment, which exists for this game day only."""
    hold: Hold | None = None
    """Hold before the act. Default: none."""
    on_failure: OnFailure | None = None
    """What happens if this act does not pass. Default: the onFailure of the game day."""

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
    """Time window in which acts may begin. An act that is under way when the window closes runs to its end."""

    start: Moment | None = None
    """Earliest time at which an act may begin, in RFC 3339. Default: immediately."""
    end: Moment
    """Latest time at which an act may begin, in RFC 3339. If acts remain then, the game day ends with reason
    WindowPassed."""

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
    """Desired rehearsal.

    The game day is performed when it is applied, within its window, and again when `revision`, `window`, `acts` or
    `onFailure` changes. Such a change ends a performance that is under way. A change of the annotation
    showstopper.dev/run-requested asks for another one, which begins when the one that is under way is over.
    """

    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    """Free text, such as the version of a release. A change of it requests a new performance."""
    window: PerformanceWindow | None = None
    """Time window in which acts may begin. Default: any time."""
    acts: Annotated[tuple[Act, ...], Field(min_length=1, max_length=12)]
    """Acts of the game day, performed one after the other in this order."""
    on_failure: OnFailure = OnFailure.STOP
    """What happens after an act that did not pass. Continue: the next act begins. Stop: the game day ends. The game day
    does not pass in either case."""
    suspend: bool = False
    """Whether to hold back further acts. The act under way runs to its end. A performance that has begun can be
    suspended for one hour, then it ends."""
    abort: bool = False
    """Whether to end the game day. Set it to true to abort and revert the act under way."""
    history_limit: Annotated[int, Field(ge=1, le=50)] = 5
    """Number of past performances whose inline-experiment runs are kept."""

    rules = (unique_names("acts", "acts"),)


class HoldRecord(Status):
    """Record of a hold."""

    started_at: Timestamp
    """When the hold began."""
    until: Timestamp
    """When the hold ends by itself or, if it waits for an approval, times out."""
    ended_at: Timestamp | None = None
    """When the hold ended."""
    approver: Text | None = None
    """Person who approved the act."""
    hash: Text | None = None
    """Hash of the experiment that is held, as an approval approves it."""
    standing: Text | None = None
    """Value of the annotation showstopper.dev/approve before the hold began, which does not approve this hold."""


class ActRecord(Status):
    """Record of an act in the current performance."""

    name: Name
    """Name of the act."""
    hold: HoldRecord | None = None
    """Hold before the act, once it has begun."""
    run: Text | None = None
    """Name of the act's ExperimentRun. It is recorded before the run is created."""
    run_uid: Text | None = None
    """UID of the act's ExperimentRun. Absent until the run is known to exist."""
    started_at: Timestamp | None = None
    """When the act began."""
    finished_at: Timestamp | None = None
    """When the act was over."""
    verdict: Text | None = None
    """Verdict of the act: Passed, Failed, Inconclusive, Aborted or Error."""
    reason: Text | None = None
    """Reason for the verdict, in CamelCase."""
    message: Message | None = None
    """Explanation of the verdict, for a person."""
    audible: Text | None = None
    """AudibleRatio of the act's run."""
    dead_air: Text | None = None
    """LongestDeadAir of the act's run."""
    recovery: Text | None = None
    """RecoveryTime of the act's run."""

    @property
    def begun(self) -> bool:
        """Whether the name of its run was recorded, so that the run may exist."""
        return self.run is not None


class DayIndicator(Status):
    """Worst value of an indicator over all acts that measured it."""

    indicator: Text
    """Name of the indicator, such as AudibleRatio."""
    worst: Text
    """Worst value, in the indicator's unit."""
    act: Name
    """Act with the worst value."""
    measured_in: int = 0
    """Number of acts that measured the indicator."""


class GameDayStatus(Status):
    """Observed state of the game day: its newest performance, act by act."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until the operator has seen the game day."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the game day passed), Reconciling, Stalled, Finished and Suspended."""
    performance: int = 0
    """Number of this performance, counted from 1."""
    last_hash: Text | None = None
    """Hash of the revision, window, acts and onFailure of this performance."""
    last_handled_run_request: Text | None = None
    """Value of the annotation showstopper.dev/run-requested when this performance began."""
    act: Text | None = None
    """Name of the act that is under way or held."""
    progress: Text | None = None
    """Number of acts that are over, of all, such as 2/5."""
    acts: Annotated[list[ActRecord], Field(max_length=12)] = []
    """Record of each act."""
    indicators: Annotated[list[DayIndicator], Field(max_length=32)] = []
    """Worst value of each indicator over all acts."""
    paused_at: Timestamp | None = None
    """When the performance was suspended. Absent unless it is suspended between acts."""
    started_at: Timestamp | None = None
    """When the performance began."""
    finished_at: Timestamp | None = None
    """When the performance was over."""
    verdict: Text | None = None
    """Verdict of the game day, never better than that of its worst act: Passed, Failed, Inconclusive, Aborted or
    Error."""
    reason: Text | None = None
    """Reason for the verdict, in CamelCase."""
    message: Message | None = None
    """Explanation of the verdict, for a person."""
    audible: Text | None = None
    """Worst AudibleRatio over all acts."""
    dead_air: Text | None = None
    """Worst LongestDeadAir over all acts."""
    recovery: Text | None = None
    """Worst RecoveryTime over all acts."""


class GameDay(Resource):
    """Rehearsal of a whole show: acts in order, with holds before them, and one overall verdict."""

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
