"""Experiment: what to break in which room, and what listeners may notice of it."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.cron import Cron, TimeZone
from showstopper.api.faults.agent_kinds import AgentKinds
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.flood import PacketFlood
from showstopper.api.faults.pods import PodKill
from showstopper.api.indicators import Indicator, Unit
from showstopper.api.quantities import (
    COUNT_PATTERN,
    DURATION_PATTERN,
    SHARE_PATTERN,
    WRITE_A_COUNT,
    WRITE_A_DURATION,
    WRITE_A_SHARE,
    Between,
    Duration,
    Percent,
    Share,
    parse_duration,
)
from showstopper.api.room import Reference
from showstopper.api.rules import Rule, exactly_one, given, unique_names

# Bounds are written in the indicator's unit: "99.5%", "20s" or "3". Longer ones are no bound in any unit.
Bound = Annotated[str, StringConstraints(min_length=1, max_length=24)]
_UNITS = {
    Unit.SHARE: (SHARE_PATTERN, f"is a share: {WRITE_A_SHARE}"),
    Unit.DURATION: (DURATION_PATTERN, f"is a duration: {WRITE_A_DURATION}"),
    Unit.COUNT: (COUNT_PATTERN, f"is a count: {WRITE_A_COUNT}"),
}


class Target(Spec):
    """Which pods of a component a fault hits, and how many at the most."""

    component: Name
    """The component of the room, by name."""
    serving: bool | None = None
    """True: only pods that carry the sound now. False: only pods that do not. Default: any pod."""
    max: Annotated[int, Field(ge=1, le=500)] = 1
    """Maximum number of pods to target."""
    max_percent: Percent | None = None
    """Maximum share of the component's pods to target, rounded down."""
    min_ready: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Minimum number of ready pods that must remain in the component."""


def _bounds_of_kind(kind: str, spec: type[FaultKind]) -> Iterator[Rule]:
    """The rules of a kind that may not last as long, or hit as many targets, as faults do in general."""
    if spec.longest != FaultKind.longest:
        shorter = f"a {kind} lasts {spec.longest} at the most: write a shorter duration"
        most = parse_duration(spec.longest)
        yield Rule(
            f"!has(self.{kind}) || !has(self.duration) || duration(self.duration) <= duration('{spec.longest}')",
            shorter,
            holds=lambda fault: fault.kind != kind or fault.duration is None or fault.duration <= most,
            says=lambda fault: f"{fault.name}: {shorter}",
        )
    if spec.most_targets != FaultKind.most_targets:
        fewer = f"a {kind} has {spec.most_targets} targets at the most: write a smaller target.max"
        yield Rule(
            f"!has(self.{kind}) || self.target.max <= {spec.most_targets}",
            fewer,
            holds=lambda fault: fault.kind != kind or fault.target.max <= spec.most_targets,
            says=lambda fault: f"{fault.name}: {fewer}",
        )


class Fault(AgentKinds):
    """One cause: its target, and exactly one of the kinds."""

    name: Name
    """Name of the fault, unique in the experiment."""
    target: Target
    """The pods that it hits."""
    duration: Annotated[Duration, Between("1s", "1h")] | None = None
    """How long the fault lasts. Required except for podKill and containerKill."""
    pod_kill: PodKill | None = None
    packet_flood: PacketFlood | None = None

    @classmethod
    def rules_on_kinds(cls) -> tuple[Rule, ...]:
        """One kind, a duration where the kind lasts, and the bounds of each kind."""
        kinds = cls.kinds()
        instant = [kind for kind, spec in kinds.items() if spec.instant]
        is_instant = " || ".join(f"has(self.{kind})" for kind in instant)
        one_kind = (
            f"write exactly one kind of fault in an entry ({', '.join(kinds)}), and another in an entry of its own"
        )
        how_long = f'{" and ".join(instant)} take no duration, and every other kind lasts: write duration, like "30s"'
        return (
            exactly_one(
                kinds,
                one_kind,
                lambda fault: f"{fault.name} has {' and '.join(given(fault, kinds)) or 'none'}: {one_kind}",
            ),
            Rule(
                f"({is_instant}) != has(self.duration)",
                how_long,
                holds=lambda fault: fault.spec.instant is (fault.duration is None),
                says=lambda fault: f"{fault.name}: {how_long}",
            ),
            *(rule for kind, spec in kinds.items() for rule in _bounds_of_kind(kind, spec)),
        )

    @property
    def component(self) -> str | None:
        """The component whose pods are its targets; None: it is aimed at something else."""
        return self.target.component if self.spec.aims_at.at_component else None


def longest(faults: Iterable[Fault]) -> timedelta:
    """How long the one that lasts longest lasts; zero if none does."""
    return max((fault.duration for fault in faults if fault.duration is not None), default=timedelta())


class Timing(Spec):
    """How long to watch before and after, and when to give up."""

    baseline: Annotated[Duration, Between("0s", "1h")] = parse_duration("15s")
    """How long the room has to be well before anything is done to it."""
    recovery: Annotated[Duration, Between("0s", "1h")] = parse_duration("60s")
    """How long to watch after the last fault."""
    deadline: Annotated[Duration, Between("1s", "24h")] | None = None
    """When to give up. Default: baseline, faults and recovery, two minutes more, and the runs queued before."""


def bound_value(indicator: Indicator, text: str) -> float:
    """A bound in the indicator's unit: a share 0 to 1, seconds, or a count.

    Raises:
        ValueError: when the text is not in the indicator's unit, saying what to write.
    """
    pattern, message = _UNITS[indicator.unit]
    if not re.fullmatch(pattern, text):
        raise ValueError(f"{indicator} {message}, not {text!r}")
    if indicator.unit is Unit.SHARE:
        return float(Share.parse(text))
    if indicator.unit is Unit.DURATION:
        return parse_duration(text).total_seconds()
    return float(text)


def _bounds_in_unit(lower: str, upper: str) -> tuple[Rule, ...]:
    """Of two optional bounds, exactly one is given, in the unit of the `indicator` beside them."""

    def in_unit(unit: Unit) -> Rule:
        names = [str(indicator) for indicator in Indicator if indicator.unit is unit]
        pattern, message = _UNITS[unit]
        fits = " && ".join(f"(!has(self.{field}) || self.{field}.matches('{pattern}'))" for field in (lower, upper))

        def wrong(bounded: Any) -> str | None:
            """The bound that is not in the unit of its indicator."""
            if bounded.indicator.unit is not unit:
                return None
            bounds = (getattr(bounded, field) for field in (lower, upper))
            return next((bound for bound in bounds if bound is not None and not re.fullmatch(pattern, bound)), None)

        return Rule(
            f"!(self.indicator in {names}) || ({fits})",
            f"{', '.join(names)}: each {message}",
            f"self.indicator + ' {message}'",
            holds=lambda bounded: wrong(bounded) is None,
            says=lambda bounded: f"{bounded.indicator} {message}, not {wrong(bounded)!r}",
        )

    message = f"write exactly one of {lower} and {upper} (for both, two entries)"
    return (exactly_one((lower, upper), message), *(in_unit(unit) for unit in Unit))


class Expectation(Spec):
    """A bound on an indicator, over the time from the first injection to the end of the recovery."""

    indicator: Indicator
    min: Bound | None = None
    """At least this, in the indicator's unit: "99.5%", "20s" or "3"."""
    max: Bound | None = None
    """At most this, in the indicator's unit: "99.5%", "20s" or "3"."""

    rules = _bounds_in_unit("min", "max")


class AbortIf(Spec):
    """End the run early when an indicator stays out of bounds for a while."""

    indicator: Indicator
    below: Bound | None = None
    """Abort while it is below this, in the indicator's unit: "10%", "20s" or "3"."""
    above: Bound | None = None
    """Abort while it is above this, in the indicator's unit: "10%", "20s" or "3"."""
    for_: Annotated[Duration, Between("0s", "1h"), Field(alias="for")] = parse_duration("0s")
    """How long it has to stay so."""

    rules = _bounds_in_unit("below", "above")


_WITHOUT_SCHEDULE = "timeZone and startingDeadline belong to a schedule: write schedule too, or leave them out"


class RunOn(StrEnum):
    """What asks for a run, beside the spec and a schedule."""

    RELEASE_CHANGE = "ReleaseChange"  # the room's components run other images than before, and all the same ones


class ExperimentSpec(Spec):
    """What to run.

    A new run is asked for when the hash of `revision`, `roomRef`, `timing`, `faults`, `expect` and `abortIf` changes,
    when the annotation showstopper.dev/run-requested does, by `schedule`, and by what `runOn` names.
    """

    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    """Any text, such as a release's version: a new one asks for a new run."""
    room_ref: Reference
    """The AudioRoom to experiment on, in the same namespace."""
    suspend: bool = False
    """Start no new runs."""
    schedule: Cron | None = None
    """When to run, as a cron schedule like that of a CronJob; then it does not run at creation."""
    time_zone: TimeZone | None = None
    """Of the schedule, by its IANA name. Default: UTC."""
    starting_deadline: Annotated[Duration, Between("1s", "24h")] | None = None
    """How late a scheduled run may start; of several that were missed, only the last does. Default: 5m."""
    run_on: Annotated[tuple[RunOn, ...], Field(max_length=1)] = ()
    """ReleaseChange: run when the images of the room's components have changed, and their rollout is over."""
    dry_run: bool = False
    """Plan only: the status lists exactly what would be hit."""
    history_limit: Annotated[int, Field(ge=1, le=200)] = 20
    """How many finished runs are kept."""
    timing: Timing = Timing()
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=8)]
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1, max_length=16)]
    """All have to be met for the verdict Passed."""
    abort_if: Annotated[tuple[AbortIf, ...], Field(max_length=8)] = ()
    """Any of them ends the run early, with the verdict Aborted."""

    rules = (
        unique_names("faults", "faults"),
        Rule(
            "has(self.schedule) || !(has(self.timeZone) || has(self.startingDeadline))",
            _WITHOUT_SCHEDULE,
            holds=lambda spec: spec.schedule is not None or (spec.time_zone is None and spec.starting_deadline is None),
        ),
    )


class PlannedTarget(Status):
    """A pod that a fault hits, and what is known of it."""

    fault: Name
    pod: Text
    uid: Text
    node: Text = ""
    address: Text = ""
    serving: bool | None = None


class RunSummary(Status):
    """The newest run, in short."""

    name: Text
    verdict: Text | None = None
    reason: Text | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None


class MissedRun(Status):
    """A firing of the schedule that got no run."""

    time: Timestamp
    reason: Text
    message: Message = ""


class ExperimentStatus(Status):
    """Where the experiment stands: the newest run's outcome, for this generation only."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    last_handled_run_request: Text | None = None
    last_hash: Text | None = None
    """Of what the newest run ran."""
    last_release: Text | None = None
    """The release that `runOn` last had a run for, or saw first."""
    run: RunSummary | None = None
    verdict: Text | None = None
    audible: Text | None = None
    dead_air: Text | None = None
    recovery: Text | None = None
    faults: Text | None = None
    """The kinds of fault, for people."""
    schedule: Text | None = None
    """The schedule that `nextRunTime` was found for, with its time zone."""
    next_run_time: Timestamp | None = None
    """When the schedule fires next; not there while it is suspended."""
    last_schedule_time: Timestamp | None = None
    """The last firing that got a run."""
    missed_run: MissedRun | None = None
    """The last firing, if it got no run, and why."""
    plan: Annotated[list[PlannedTarget], Field(max_length=100)] = []
    """What a dry run found: exactly what would be hit."""
    message: Message | None = None


class Experiment(Resource):
    """A request for runs."""

    kind: ClassVar[str] = "Experiment"
    plural: ClassVar[str] = "experiments"
    short_names: ClassVar[tuple[str, ...]] = ("exp",)
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Room", "string", ".spec.roomRef.name", 0),
        ("Fault", "string", ".status.faults", 0),
        ("Verdict", "string", ".status.verdict", 0),
        ("Audible", "string", ".status.audible", 0),
        ("Dead air", "string", ".status.deadAir", 0),
        ("Recovery", "string", ".status.recovery", 0),
        ("Run", "string", ".status.run.name", 1),
        ("Schedule", "string", ".spec.schedule", 1),
        ("Next run", "string", ".status.nextRunTime", 1),
    )

    spec: ExperimentSpec
    status: ExperimentStatus = ExperimentStatus()
