"""Experiment: what to break in which room, and what listeners may notice of it."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from showstopper.api.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.cron import Cron, TimeZone
from showstopper.api.flood import LONGEST, MOST_TARGETS, PacketFlood
from showstopper.api.indicators import Bound, IndicatorName, bounds_in_unit, check_bounds, write_one_of
from showstopper.api.kinds import AGENT_KINDS, CROWD_KINDS, FAULT_KINDS, INSTANT_KINDS
from showstopper.api.network import (
    Bandwidth,
    Corrupt,
    Delay,
    DnsFailure,
    Duplicate,
    NetworkFault,
    PacketLoss,
    Partition,
    PortBlock,
    Reorder,
)
from showstopper.api.process import ContainerKill, Freeze, ProcessFault
from showstopper.api.quantities import (
    Between,
    Duration,
    Percent,
    parse_duration,
)
from showstopper.api.room import Reference
from showstopper.api.rules import Rule, exactly_one, refuse_doubled_names, unique_names
from showstopper.availability.measurements import Measured


class Target(Spec):
    """Which pods of a component a fault hits, and how many at the most."""

    component: Name
    """A component of the room, by name."""
    serving: bool | None = None
    """True: only pods that carry the sound now. False: only pods that do not. Left out: any."""
    max: Annotated[int, Field(ge=1, le=500)] = 1
    """At most so many pods are hit."""
    max_percent: Percent | None = None
    """At most this share of the component's pods is hit, rounded down."""
    min_ready: Annotated[int, Field(ge=0, le=10_000)] = 0
    """So many ready pods of the component must be left."""


class PodKill(Spec):
    """Delete pods, as a crash does with a grace period of zero."""

    grace_period: Annotated[Duration, Between("0s", "10m", whole_seconds=True)] = parse_duration("0s")


_ONE_KIND = (
    f"write exactly one kind of fault in an entry ({', '.join(FAULT_KINDS)}), and another in an entry of its own"
)
_HOW_LONG = f'{" and ".join(INSTANT_KINDS)} take no duration, and every other kind lasts: write duration, like "30s"'
_SHORT_FLOODS = "a packetFlood lasts 10m at the most: write a shorter duration"
_FEW_FLOODED = f"a packetFlood has {MOST_TARGETS} targets at the most: write a smaller target.max"
_INSTANT = " || ".join(f"has(self.{kind})" for kind in INSTANT_KINDS)


class Fault(Spec):
    """One cause: its target, and exactly one of the kinds."""

    name: Name
    target: Target
    duration: Annotated[Duration, Between("1s", "1h")] | None = None
    """How long it lasts; every kind needs it that is not done in an instant."""
    pod_kill: PodKill | None = None
    packet_loss: PacketLoss | None = None
    delay: Delay | None = None
    duplicate: Duplicate | None = None
    corrupt: Corrupt | None = None
    reorder: Reorder | None = None
    bandwidth: Bandwidth | None = None
    partition: Partition | None = None
    port_block: PortBlock | None = None
    dns_failure: DnsFailure | None = None
    container_kill: ContainerKill | None = None
    freeze: Freeze | None = None
    packet_flood: PacketFlood | None = None

    rules = (
        exactly_one(FAULT_KINDS, _ONE_KIND),
        Rule(f"({_INSTANT}) != has(self.duration)", _HOW_LONG),
        Rule(
            "!has(self.packetFlood) || !has(self.duration) || duration(self.duration) <= duration('10m')",
            _SHORT_FLOODS,
        ),
        Rule(f"!has(self.packetFlood) || self.target.max <= {MOST_TARGETS}", _FEW_FLOODED),
    )

    @property
    def kind(self) -> str:
        """The kind's name as written in YAML, such as podKill."""
        return next(kind for kind, field in FAULT_KINDS.items() if getattr(self, field) is not None)

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> Self:
        given = [kind for kind, field in FAULT_KINDS.items() if getattr(self, field) is not None]
        if len(given) != 1:
            raise ValueError(f"{self.name} has {' and '.join(given) or 'none'}: {_ONE_KIND}")
        if self.instant is (self.duration is not None):
            raise ValueError(f"{self.name}: {_HOW_LONG}")
        return self

    @model_validator(mode="after")
    def _bounded_flood(self) -> Self:
        if self.packet_flood is not None and self.duration is not None and self.duration > LONGEST:
            raise ValueError(f"{self.name}: {_SHORT_FLOODS}")
        if self.packet_flood is not None and self.target.max > MOST_TARGETS:
            raise ValueError(f"{self.name}: {_FEW_FLOODED}")
        return self

    @property
    def network(self) -> NetworkFault | None:
        """What it says of the packets that it means, if it is about some."""
        spec = getattr(self, FAULT_KINDS[self.kind])
        return spec if isinstance(spec, NetworkFault) else None

    @property
    def process(self) -> ProcessFault | None:
        """What it says of the container whose processes it means, if it is about some."""
        spec = getattr(self, FAULT_KINDS[self.kind])
        return spec if isinstance(spec, ProcessFault) else None

    @property
    def instant(self) -> bool:
        """Whether it is done in an instant; else it lasts until it is lifted."""
        return self.kind in INSTANT_KINDS

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports of its target that it names."""
        if self.packet_flood is not None:
            return (self.packet_flood.port,)
        return self.network.ports if self.network else ()

    @property
    def by_agents(self) -> bool:
        """Whether the agents of the targets' nodes do it; else the operator does, through the API server."""
        return self.kind in AGENT_KINDS or self.by_crowd

    @property
    def by_crowd(self) -> bool:
        """Whether pods of the crowd do it, behind the gates of agents."""
        return self.kind in CROWD_KINDS


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


class Expectation(Spec):
    """A bound on what is measured from the first injection to the end of the recovery."""

    indicator: IndicatorName
    """The indicator to bound."""
    min: Bound | None = None
    """At least this, in the indicator's unit: "99.5%", "20s" or "3"."""
    max: Bound | None = None
    """At most this, in the indicator's unit: "99.5%", "20s" or "3"."""

    rules = bounds_in_unit("min", "max")

    @model_validator(mode="after")
    def _one_bound_in_its_unit(self) -> Self:
        check_bounds(self.measured, self.min, self.max, write_one_of("min", "max"))
        return self

    @property
    def measured(self) -> Measured:
        """What is bounded, whichever source measures it."""
        return self.indicator


class AbortIf(Spec):
    """End the run early when an indicator stays out of bounds for a while."""

    indicator: IndicatorName
    """The indicator to watch."""
    below: Bound | None = None
    """Abort while it is below this, in the indicator's unit: "10%", "20s" or "3"."""
    above: Bound | None = None
    """Abort while it is above this, in the indicator's unit: "10%", "20s" or "3"."""
    for_: Annotated[Duration, Between("0s", "1h"), Field(alias="for")] = parse_duration("0s")
    """How long it has to stay so."""

    rules = bounds_in_unit("below", "above")

    @model_validator(mode="after")
    def _one_bound_in_its_unit(self) -> Self:
        check_bounds(self.indicator, self.below, self.above, write_one_of("below", "above"))
        return self


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
        Rule("has(self.schedule) || !(has(self.timeZone) || has(self.startingDeadline))", _WITHOUT_SCHEDULE),
    )

    @model_validator(mode="after")
    def _every_fault_once(self) -> Self:
        refuse_doubled_names((fault.name for fault in self.faults), "faults")
        return self

    @model_validator(mode="after")
    def _nothing_of_a_schedule_without_one(self) -> Self:
        if self.schedule is None and (self.time_zone is not None or self.starting_deadline is not None):
            raise ValueError(_WITHOUT_SCHEDULE)
        return self


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
