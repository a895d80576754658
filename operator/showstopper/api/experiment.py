"""Experiment: the faults to inject into a room, and how much of them listeners may notice."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.conditions import Condition
from showstopper.api.expectations.indicators import Bound, IndicatorName, bounds_in_unit, told_by_crowds
from showstopper.api.expectations.sources import SOURCES, Queries
from showstopper.api.faults.base import Aim, FaultKind
from showstopper.api.faults.flood import PacketFlood
from showstopper.api.faults.injected_kinds import InjectedKinds
from showstopper.api.faults.nodes import NodeDrain
from showstopper.api.faults.pods import PodEvict, PodKill
from showstopper.api.faults.storm import ConnectionFlood, JoinStorm, RetryStorm
from showstopper.api.faults.workloads import ConfigPush, RolloutRestart, ScaleDown
from showstopper.api.room import Reference
from showstopper.api.schema.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.cron import Cron, TimeZone
from showstopper.api.schema.quantities import (
    Duration,
    DurationBounds,
    Percent,
    SomePercent,
    format_duration,
    parse_duration,
)
from showstopper.api.schema.rules import Rule, exactly_one, given, unique_names
from showstopper.availability.indicators import INDICATORS, Indicator, Population
from showstopper.availability.measurements import Measurable

MOST_PODS = FaultKind.most_targets
"""Targets that a fault has at the most."""


class Fleet(StrEnum):
    """The parts of a room's own fleet that a network fault can be aimed at."""

    HOST = "Host"
    """The managed host: its uplink and its downlink."""
    LISTENERS = "Listeners"
    """The pods of the room's listeners: their last mile. A crowd's pods are none of them."""

    @property
    def aim(self) -> Aim:
        """The same as what a fault is aimed at."""
        return Aim(self.value)


_ONE_TARGET = (
    "write exactly one of component, for pods under test, and fleet, for the media of the room's own Host or Listeners"
)
_OF_COMPONENT = (
    "serving, maxPercent and minReady are of a component's pods: leave them out, and choose among listeners by percent "
    "or max"
)
_OF_LISTENERS = "percent is of the room's listener pods: write fleet: Listeners, or maxPercent for a component's pods"
_ONE_HOST = "a room has one host, and nothing to choose: leave out max"


class Target(Spec):
    """Selection of the pods that a fault hits: of a component of the room, or of the room's own fleet."""

    component: Name | None = None
    """Name of the component of the room whose pods are targeted. Required unless the fleet is targeted."""
    fleet: Fleet | None = None
    """Part of the room's own fleet whose media is targeted: the managed Host, or the pods of the Listeners, but for
    those of a crowd. Of network faults only."""
    serving: bool | None = None
    """Whether to target only pods from which listeners receive media now (true), or only the others (false). Default:
    any pod."""
    max: Annotated[int, Field(ge=1, le=MOST_PODS)] | None = None
    """Maximum number of pods to target. Default: 1, or with percent 500."""
    percent: SomePercent | None = None
    """Share of the listener pods to target, rounded down. Each holds several listeners (listeners.perPod of the room).
    Default: as many pods as max says."""
    max_percent: Percent | None = None
    """Maximum share of the component's pods to target, rounded down."""
    min_ready: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Minimum number of ready pods that must remain in the component."""

    rules = (
        exactly_one(("component", "fleet"), _ONE_TARGET),
        Rule(
            "!has(self.fleet) || !(has(self.serving) || has(self.maxPercent) || self.minReady > 0)",
            _OF_COMPONENT,
            holds=lambda target: (
                target.fleet is None or (target.serving is None and target.max_percent is None and not target.min_ready)
            ),
        ),
        Rule(
            "!has(self.percent) || (has(self.fleet) && self.fleet == 'Listeners')",
            _OF_LISTENERS,
            holds=lambda target: target.percent is None or target.fleet is Fleet.LISTENERS,
        ),
        Rule(
            "!has(self.max) || !has(self.fleet) || self.fleet != 'Host'",
            _ONE_HOST,
            holds=lambda target: target.max is None or target.fleet is not Fleet.HOST,
        ),
    )

    def most(self, pods: int) -> int:
        """How many of so many pods may be hit."""
        shares = [float(share) for share in (self.percent, self.max_percent) if share is not None]
        most = self.max or (MOST_PODS if self.percent is not None else 1)
        return min([most, *(math.floor(pods * share + 1e-9) for share in shares)])


def _bounds_of_kind(kind: str, spec: type[FaultKind]) -> Iterator[Rule]:
    """The rules of a kind that may not last as long, hit as many targets, or choose among them, as others do."""
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
            f"!has(self.{kind}) || !has(self.target) || !has(self.target.max) || "
            f"self.target.max <= {spec.most_targets}",
            fewer,
            holds=lambda fault: (
                fault.kind != kind or fault.target is None or (fault.target.max or 1) <= spec.most_targets
            ),
            says=lambda fault: f"{fault.name}: {fewer}",
        )
    if spec.aims_at is Aim.WORKLOAD:
        whole = f"a {kind} takes the component as a whole, whoever serves: leave out target.serving"
        yield Rule(
            f"!has(self.{kind}) || !has(self.target) || !has(self.target.serving)",
            whole,
            holds=lambda fault: fault.kind != kind or fault.target is None or fault.target.serving is None,
            says=lambda fault: f"{fault.name}: {whole}",
        )


def _of_fleet(kinds: Mapping[str, type[FaultKind]]) -> Iterator[Rule]:
    """The rules on what may be aimed at the room's own fleet: faults of the network, on media alone."""
    of_network = [kind for kind, spec in kinds.items() if spec.hits_fleet]
    others = [kind for kind, spec in kinds.items() if spec.aims_at.at_component and not spec.hits_fleet]
    elsewhere = "!has(self.target) || !has(self.target.fleet)"
    only_network = (
        f"only the network of the fleet is hit ({', '.join(of_network)}): write a target like {{component: relay}} for "
        "every other kind"
    )
    only_media = "of the fleet only media is hit, which is UDP: leave out ports, and every protocol but UDP"
    no_ports = [
        f"(!has(self.{kind}) || !has(self.{kind}.ports) || self.{kind}.ports.size() == 0)" for kind in of_network
    ]
    no_tcp = [
        f"(!has(self.{kind}) || !('TCP' in self.{kind}.protocols))"
        for kind in of_network
        if "protocols" in kinds[kind].model_fields
    ]
    yield Rule(
        f"{elsewhere} || !({' || '.join(f'has(self.{kind})' for kind in others)})",
        only_network,
        holds=lambda fault: fault.fleet is None or fault.kind not in others,
        says=lambda fault: f"{fault.name}: {only_network}",
    )
    yield Rule(
        f"{elsewhere} || ({' && '.join((*no_ports, *no_tcp))})",
        only_media,
        holds=lambda fault: fault.fleet is None or not fault.spec.names_more_than_media,
        says=lambda fault: f"{fault.name}: {only_media}",
    )


class Fault(InjectedKinds):
    """Fault to inject: its target, and exactly one kind of fault."""

    name: Name
    """Name of the fault, unique within the experiment."""
    target: Target | None = None
    """Selection of the pods that the fault hits. Required except for faults that the room's host or door carries out
    on itself."""
    duration: Annotated[Duration, DurationBounds("1s", "1h")] | None = None
    """How long the fault lasts. Required except for those that are done in an instant, such as podKill."""
    pod_kill: PodKill | None = None
    pod_evict: PodEvict | None = None
    rollout_restart: RolloutRestart | None = None
    scale_down: ScaleDown | None = None
    config_push: ConfigPush | None = None
    node_drain: NodeDrain | None = None
    packet_flood: PacketFlood | None = None
    join_storm: JoinStorm | None = None
    retry_storm: RetryStorm | None = None
    connection_flood: ConnectionFlood | None = None

    @classmethod
    def rules_on_kinds(cls) -> tuple[Rule, ...]:
        """One kind, a target and a duration where the kind has them, and the bounds of each kind."""
        kinds = cls.kinds()
        instant = [kind for kind, spec in kinds.items() if spec.instant]
        is_instant = " || ".join(f"has(self.{kind})" for kind in instant)
        one_kind = (
            f"write exactly one kind of fault in an entry ({', '.join(kinds)}), and another in an entry of its own"
        )
        kills = f"{', '.join(instant[:-1])} and {instant[-1]}"
        how_long = f'{kills} take no duration, and every other kind lasts: write duration, like "30s"'
        of_stage = [kind for kind, spec in kinds.items() if not spec.aims_at.at_component]
        is_of_stage = " || ".join(f"has(self.{kind})" for kind in of_stage)
        whom = (
            f"faults of the room's host and door themselves ({', '.join(of_stage)}) take no target, and every other "
            "kind hits pods: write target, like {component: relay}"
        )
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
            Rule(
                f"({is_of_stage}) != has(self.target)",
                whom,
                holds=lambda fault: fault.spec.aims_at.at_component is (fault.target is not None),
                says=lambda fault: f"{fault.name}: {whom}",
            ),
            *(rule for kind, spec in kinds.items() for rule in _bounds_of_kind(kind, spec)),
            *_of_fleet(kinds),
        )

    @property
    def component(self) -> str | None:
        """The component whose pods are its targets; None: it is aimed at something else."""
        return self.target.component if self.target is not None else None

    @property
    def fleet(self) -> Fleet | None:
        """The part of the room's own fleet whose media it hits; None: it is aimed at something else."""
        return self.target.fleet if self.target is not None else None

    @property
    def aim(self) -> Aim:
        """What it is aimed at: what its kind is, unless its target is of the fleet."""
        return self.fleet.aim if self.fleet is not None else self.spec.aims_at


def longest(faults: Iterable[Fault]) -> timedelta:
    """Duration of the fault that lasts longest, or zero if none lasts."""
    return max((fault.duration for fault in faults if fault.duration is not None), default=timedelta())


class Timing(Spec):
    """How long to watch the room before and after the faults, and when to give up."""

    baseline: Annotated[Duration, DurationBounds("0s", "1h")] = parse_duration("15s")
    """How long the room is measured, and must be healthy, before the faults."""
    recovery: Annotated[Duration, DurationBounds("0s", "1h")] = parse_duration("60s")
    """How long the room is measured after the last fault."""
    deadline: Annotated[Duration, DurationBounds("1s", "24h")] | None = None
    """When to give up, counted from the creation of the run. Default: baseline, longest fault and recovery, plus two
    minutes, plus the time that the runs queued before it take."""


_ONE_SOURCE = f"write exactly one of {', '.join(('indicator', *SOURCES))} in an entry"


class Expectation(Queries):
    """Bound on what is measured from the first injection to the end of the recovery."""

    indicator: IndicatorName | None = None
    """Indicator to bound. Required unless another source is asked."""
    listeners: Population | None = None
    """Whom the indicator is measured of. Fleet: the residents and arrivals, who decode what they hear. Crowd: the
    crowd of the room, and its newcomers. All: both together. Default: Fleet."""
    min: Bound | None = None
    """Minimum value, in the indicator's unit: a share like "99.5%", a duration like "20s", or a count like "3"."""
    max: Bound | None = None
    """Maximum value, in the indicator's unit: a share like "99.5%", a duration like "20s", or a count like "3"."""

    rules = (
        exactly_one(("indicator", *SOURCES), _ONE_SOURCE),
        *bounds_in_unit("min", "max", queries=SOURCES),
        told_by_crowds("listeners"),
    )

    @property
    def measured(self) -> Measurable:
        """What is bounded, whichever source measures it."""
        measured = self.indicator.among(self.listeners or Population.FLEET) if self.indicator else self.query
        assert measured is not None, "the model refuses an expectation of nothing"
        return measured


class AbortIf(Spec):
    """Condition on an indicator that ends the run early."""

    indicator: IndicatorName
    """Indicator to watch while the run is under way."""
    below: Bound | None = None
    """Abort when the indicator is below this value, in its unit: a share like "10%", a duration like "20s", or a count
    like "3"."""
    above: Bound | None = None
    """Abort when the indicator is above this value, in its unit: a share like "10%", a duration like "20s", or a count
    like "3"."""
    for_: Annotated[Duration, DurationBounds("0s", "1h"), Field(alias="for")] = parse_duration("0s")
    """How long the condition must hold before the run is aborted. With 0s, an indicator that is taken over the last
    `for` is taken over the last five seconds."""

    rules = bounds_in_unit("below", "above")


def _recovery_is_long_enough(indicator: Indicator) -> Rule:
    """A bound on an indicator that is known some seconds after its value can be met before the recovery ends."""
    more = timedelta(seconds=indicator.seen_after)
    seen = format_duration(more)
    write = f"{indicator.name} is known {seen} after its value: write a timing.recovery of at least"

    def needed(spec: "ExperimentSpec") -> timedelta:
        bounds = [each.max for each in spec.expect if each.indicator is indicator and each.max is not None]
        return max((parse_duration(bound) + more for bound in bounds), default=timedelta())

    bounded = f"has(each.indicator) && each.indicator == '{indicator.name}' && has(each.max)"
    valid = f"each.max.matches('{indicator.unit.pattern}')"
    too_short = f"duration(self.timing.recovery) < duration(each.max) + duration('{seen}')"
    return Rule(  # no sum in the API server's message: to look for the bound once more is above the budget of CEL
        f"!self.expect.exists(each, {bounded} && {valid} && {too_short})",
        f"{write} its max and {seen}",
        holds=lambda spec: spec.timing.recovery >= needed(spec),
        says=lambda spec: f"{write} {format_duration(needed(spec))}",
    )


_OF_HOST = tuple(kind for kind, spec in Fault.kinds().items() if spec.aims_at is Aim.HOST)
_ONE_OF_HOST = (
    f"a host carries out one of its own faults ({', '.join(_OF_HOST)}) at a time: write the others in experiments of "
    "their own"
)
_OF_DOOR = tuple(kind for kind, spec in Fault.kinds().items() if spec.aims_at is Aim.DOOR)
_ONE_OF_DOOR = (
    f"a door carries out each of its faults ({', '.join(_OF_DOOR)}) once at a time: write the others in experiments of "
    "their own"
)


def _one_at_a_time(kind: str) -> Rule:
    """An experiment takes one fault of that kind."""
    message = f"an experiment has one {kind}: write the others in experiments of their own"
    return Rule(
        f"self.faults.filter(each, has(each.{kind})).size() <= 1",
        message,
        holds=lambda spec: sum(each.kind == kind for each in spec.faults) <= 1,
    )


_WITHOUT_SCHEDULE = "timeZone and startingDeadline belong to a schedule: write schedule too, or leave them out"


class RunOn(StrEnum):
    """Events that trigger a run, besides a change of the spec and a schedule."""

    RELEASE_CHANGE = "ReleaseChange"
    """The images of the room's components have changed, and their rollout is complete."""


class ExperimentSpec(Spec):
    """Desired experiment.

    A new run is requested when `revision`, `roomRef`, `timing`, `faults`, `expect` or `abortIf` changes, when the
    annotation showstopper.dev/run-requested changes, by `schedule`, and by the events in `runOn`.
    """

    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    """Free text, such as the version of a release. A change of it requests a new run."""
    room_ref: Reference
    """AudioRoom to experiment on, in the same namespace."""
    suspend: bool = False
    """Whether to start no new runs. A run that has begun continues, and one that waits ends."""
    schedule: Cron | None = None
    """Cron schedule of the runs, as in a CronJob. A scheduled experiment does not run when it is created."""
    time_zone: TimeZone | None = None
    """IANA name of the time zone of the schedule. Default: UTC."""
    starting_deadline: Annotated[Duration, DurationBounds("1s", "24h")] | None = None
    """How late a scheduled run may start. If several were missed, only the latest is made up for. Default: 5m."""
    run_on: Annotated[tuple[RunOn, ...], Field(max_length=1)] = ()
    """Events that trigger a run. ReleaseChange: the images of the room's components have changed, and their rollout is
    complete."""
    dry_run: bool = False
    """Whether to plan only. `status.plan` then lists exactly the pods that a run would hit."""
    history_limit: Annotated[int, Field(ge=1, le=200)] = 20
    """Number of finished runs to keep."""
    timing: Timing = Timing()
    """How long to watch the room before and after the faults, and when to give up."""
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=8)]
    """Faults to inject, all at the same time."""
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1, max_length=16)]
    """Expectations, all of which must be met for the verdict Passed."""
    abort_if: Annotated[tuple[AbortIf, ...], Field(max_length=8)] = ()
    """Conditions, any of which ends the run early with the verdict Aborted."""

    rules = (
        unique_names("faults", "faults"),
        Rule(
            f"self.faults.filter(each, {' || '.join(f'has(each.{kind})' for kind in _OF_HOST)}).size() <= 1",
            _ONE_OF_HOST,
            holds=lambda spec: sum(each.spec.aims_at is Aim.HOST for each in spec.faults) <= 1,
        ),
        *(_one_at_a_time(kind) for kind, spec in Fault.kinds().items() if spec.one_at_a_time),
        Rule(
            " && ".join(f"self.faults.filter(each, has(each.{kind})).size() <= 1" for kind in _OF_DOOR),
            _ONE_OF_DOOR,
            holds=lambda spec: all(sum(each.kind == kind for each in spec.faults) <= 1 for kind in _OF_DOOR),
        ),
        Rule(
            "has(self.schedule) || !(has(self.timeZone) || has(self.startingDeadline))",
            _WITHOUT_SCHEDULE,
            holds=lambda spec: spec.schedule is not None or (spec.time_zone is None and spec.starting_deadline is None),
        ),
        *(_recovery_is_long_enough(indicator) for indicator in INDICATORS if indicator.seen_after),
    )


class PlannedTarget(Status):
    """Pod that a fault would hit."""

    fault: Name
    """Name of the fault."""
    pod: Text
    """Name of the pod."""
    uid: Text
    """UID of the pod."""
    node: Text = ""
    """Node that the pod runs on."""
    address: Text = ""
    """IP address of the pod."""
    serving: bool | None = None
    """Whether listeners receive media from the pod. Absent if unknown."""


class RunSummary(Status):
    """Summary of a run."""

    name: Text
    """Name of the ExperimentRun."""
    verdict: Text | None = None
    """Verdict of the run. Absent until it has one."""
    reason: Text | None = None
    """Reason for the verdict, in CamelCase."""
    started_at: Timestamp | None = None
    """When the first step of the run began."""
    finished_at: Timestamp | None = None
    """When the run reached its verdict."""


class ComponentRelease(Status):
    """Release of one component, in hashes."""

    name: Name
    """Name of the component."""
    images: Text
    """Hash of the digests of its containers' images."""
    template: Text = ""
    """Hash of its pod template. Empty if it is not known."""


class ReleaseVerdict(Status):
    """Newest verdict of the experiment on a release, which gates count also when its run has been deleted."""

    run: Text
    """Name of the run."""
    verdict: Text
    """Verdict of the run: Passed, Failed or Aborted."""
    finished_at: Timestamp
    """When the run finished."""
    hash: Text
    """Hash of what the experiment declared when the run was requested."""
    room: Text
    """Hash of the AudioRoom as it was declared then."""
    components: Annotated[list[ComponentRelease], Field(max_length=16)] = []
    """What the room's components ran."""


class MissedRun(Status):
    """Scheduled time at which no run was started."""

    time: Timestamp
    """Scheduled time."""
    reason: Text
    """Why no run was started, in CamelCase."""
    message: Message = ""
    """Explanation for a person."""


class ExperimentStatus(Status):
    """Observed state of the experiment: the outcome of its newest run."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until the operator has seen the experiment."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the newest run passed, for this generation), Reconciling, Stalled, Finished and Suspended."""
    last_handled_run_request: Text | None = None
    """Value of the annotation showstopper.dev/run-requested that was last answered with a run."""
    last_hash: Text | None = None
    """Hash of the revision, roomRef, timing, faults, expect and abortIf of the newest run."""
    last_release: Text | None = None
    """Release for which `runOn` last triggered a run, or the first release that it saw."""
    run: RunSummary | None = None
    """Newest run."""
    verdict: Text | None = None
    """Verdict of the newest run: Passed, Failed, Inconclusive, Aborted or Error."""
    audible: Text | None = None
    """AudibleRatio of the newest run: share of the listening time in which residents heard the host."""
    dead_air: Text | None = None
    """LongestDeadAir of the newest run: the longest time for which any listener did not hear the host."""
    recovery: Text | None = None
    """RecoveryTime of the newest run: time from the end of the faults until the room was heard as before."""
    faults: Text | None = None
    """Kinds of fault in the spec, for people."""
    schedule: Text | None = None
    """Schedule and time zone that `nextRunTime` was computed from."""
    next_run_time: Timestamp | None = None
    """Next scheduled time. Absent while the experiment is suspended."""
    last_schedule_time: Timestamp | None = None
    """Last scheduled time at which a run was started."""
    missed_run: MissedRun | None = None
    """Last scheduled time, if no run was started then, and why."""
    verdicts: Annotated[list[ReleaseVerdict], Field(max_length=16)] = []
    """Newest verdict on each of the last 16 releases, also where its run has been deleted."""
    plan: Annotated[list[PlannedTarget], Field(max_length=100)] = []
    """Result of a dry run: exactly the pods that a run would hit."""
    message: Message | None = None
    """State of the experiment, for a person."""


class Experiment(Resource):
    """Experiment on an AudioRoom: faults to inject, and how much of them listeners may notice."""

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
