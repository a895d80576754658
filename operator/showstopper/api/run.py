"""ExperimentRun: the record of one execution of an experiment. Its spec never changes, except for `abort`."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.conditions import Condition
from showstopper.api.experiment import AbortIf, Expectation, Fault, Timing
from showstopper.api.faults.flood import FloodFigures
from showstopper.api.faults.process import ProcessFigures
from showstopper.api.faults.stage import DoorFigures, HostFigures
from showstopper.api.faults.storm import StormFigures
from showstopper.api.room import AudioRoom, AudioRoomSpec, ComponentImage, MeasuredIndicator
from showstopper.api.schema.base import Message, Metadata, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.rules import CelRule, immutable_spec

MOST_KILLED = 100
"""Maximum number of pods that one run may hit by faults whose targets its record names each, with times, within 64 KiB:
kills, and all that the operator carries out itself."""
MOST_MEDIA = 4
MOST_OTHERS = 20
MOST_BYSTANDERS = 1000
"""Maximum number of pods beside the targets that a run's record has: 11 KB of its 64 KiB."""
UID_LENGTH = 8
"""Characters of a pod's UID that the record has of these: 32 random bits tell the pods of a room apart."""
ShortUid = Annotated[str, StringConstraints(max_length=UID_LENGTH)]
MOST_RECORDED = 10_000
"""Characters of a value, as JSON, that is kept to be put back."""


class DayOrigin(Spec):
    """Act of a game day that a run belongs to."""

    name: Name
    """Name of the GameDay."""
    uid: Annotated[str, StringConstraints(max_length=64)]
    """UID of the GameDay."""
    act: Name
    """Name of the act."""
    performance: Annotated[int, Field(ge=1)]
    """Number of the performance, counted from 1."""
    hash: Annotated[str, StringConstraints(max_length=64)]
    """Hash of the game day's revision, window, acts and onFailure."""


class Origin(Spec):
    """Experiment that requested the run, and what triggered the request."""

    name: Name
    """Name of the Experiment or, for an inline experiment of a game day, the names of game day and act."""
    uid: Annotated[str, StringConstraints(max_length=64)]
    """UID of the Experiment or, for an inline experiment, of the GameDay."""
    generation: int
    """Generation of the Experiment when the run was requested."""
    hash: Annotated[str, StringConstraints(max_length=64)]
    """Hash of the experiment's revision, roomRef, timing, faults, expect and abortIf."""
    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    """Revision of the experiment."""
    run_request: Annotated[str, StringConstraints(max_length=256)] = ""
    """Value of the annotation showstopper.dev/run-requested."""
    scheduled_at: Timestamp | None = None
    """Scheduled time that triggered the run. Absent unless a schedule did."""
    released: Annotated[str, StringConstraints(max_length=64)] = ""
    """Release that triggered the run. Empty unless `runOn` did."""
    asked_at: Timestamp | None = None
    """When the operator created the run, by its own clock. It orders runs that were created within one second."""
    game_day: DayOrigin | None = None
    """Act of a game day that the run belongs to. Absent for other runs."""


class RoomSnapshot(Spec):
    """AudioRoom as it was declared when the run was requested."""

    name: Name
    """Name of the AudioRoom."""
    uid: Annotated[str, StringConstraints(max_length=64)]
    """UID of the AudioRoom."""
    spec: AudioRoomSpec
    """Spec of the AudioRoom."""


class ReleaseImage(Spec):
    """Image that was deployed when the run was requested."""

    component: Name
    """Component whose pods ran the image."""
    container: Name
    """Container that ran the image."""
    image: Annotated[str, StringConstraints(max_length=512)]
    """Image reference as the pod declares it."""
    digest: Annotated[str, StringConstraints(max_length=512)] = ""
    """Digest of the image. Empty if the container had not started."""
    template: Annotated[str, StringConstraints(max_length=64)] = ""
    """Hash of the pod template that the component's workload declares. It begins with "mixed" while its pods may have
    several. Empty if no Deployment, StatefulSet, DaemonSet or Argo Rollout makes them."""

    @classmethod
    def of(cls, image: ComponentImage) -> "ReleaseImage":
        """The immutable form of an image in a room's status."""
        return cls.model_validate(image.model_dump())


class ChosenPod(Spec):
    """Pod that a fault is about to hit, as it was when it was chosen."""

    fault: Name
    """Name of the fault."""
    pod: Text
    """Name of the pod."""
    uid: Annotated[str, StringConstraints(max_length=64)]
    """UID of the pod."""
    node: Text = ""
    """Node that the pod runs on."""
    address: Text = ""
    """IP address of the pod."""
    serving: bool | None = None
    """Whether listeners received media from the pod when it was chosen. Absent if unknown."""
    restarts: int | None = None
    """How often containers of the pod had been restarted when it was chosen. Absent if unknown."""
    media: Annotated[tuple[Text, ...], Field(max_length=MOST_MEDIA)] = ()
    """Addresses and ports from which listeners received media of the pod when it was chosen. They may be of its node or
    of a Service."""


class ExperimentRunSpec(Spec):
    """Snapshot of what is run. Immutable, except that `abort` may be set to true once."""

    experiment: Origin
    """Experiment that requested the run, and what triggered the request."""
    room: RoomSnapshot
    """AudioRoom as it was declared when the run was requested."""
    release: Annotated[tuple[ReleaseImage, ...], Field(max_length=64)] = ()
    """Images that the room's components ran when the run was requested."""
    timing: Timing
    """How long to watch the room before and after the faults, and when to give up."""
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=8)]
    """Faults to inject, all at the same time."""
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1, max_length=16)]
    """Expectations, all of which must be met for the verdict Passed."""
    abort_if: Annotated[tuple[AbortIf, ...], Field(max_length=8)] = ()
    """Conditions, any of which ends the run early with the verdict Aborted."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)]
    """Seed of random choices, such as which of several pods to target."""
    deadline: Timestamp
    """Time by which the run ends, whatever state it is in."""
    targets: Annotated[tuple[ChosenPod, ...], Field(max_length=100)] = ()
    """Pods that a run without a baseline is about to hit. Creating such a run records its targets before the first
    effect: from then on these pods count as hit, unless they are found untouched."""
    abort: bool = False
    """Whether to end the run early. Set it to true to revert every fault and end with the verdict Aborted."""

    rules = (
        CelRule("!oldSelf.abort || self.abort", "an aborted run stays aborted: request a new run of the Experiment"),
    )


class StepName(StrEnum):
    """Steps of a run, in order."""

    PLANNED = "Planned"
    """The run was created, and waits for its turn."""
    BASELINE = "Baseline"
    """The room is measured before anything is injected."""
    INJECTING = "Injecting"
    """The faults are being injected."""
    ACTIVE = "Active"
    """Faults with a duration are in effect."""
    REVERTING = "Reverting"
    """The faults are being reverted."""
    RECOVERING = "Recovering"
    """The room is measured after the faults."""
    JUDGED = "Judged"
    """The run has its verdict."""


class Step(Status):
    """Step of the run, with its times."""

    name: StepName
    """Name of the step. Injecting is recorded before its effect, and completed after it."""
    started_at: Timestamp
    """When the step began."""
    completed_at: Timestamp | None = None
    """When the step was completed."""
    message: Message | None = None
    """What happens in the step, for a person."""


class TargetRecord(Status):
    """Record of a pod that a fault hit: the times, the outcome, and the proof."""

    fault: Name
    """Name of the fault."""
    pod: Text
    """Name of the pod."""
    uid: Text
    """UID of the pod."""
    node: Text = ""
    """Node that the pod ran on."""
    address: Text = ""
    """IP address of the pod."""
    serving: bool | None = None
    """Whether listeners received media from the pod when it was chosen. Absent if unknown."""
    restarts: int | None = None
    """How often containers of the pod had been restarted when it was chosen. Absent if unknown."""
    restarted: Text | None = None
    """Container that was restarted since, with its exit code and its kubelet's reason. Absent if none was."""
    media: Annotated[tuple[Text, ...], Field(max_length=MOST_MEDIA)] = ()
    """Addresses and ports from which listeners received media of the pod when it was chosen."""
    requested_at: Timestamp | None = None
    """When the fault was requested: just before the call."""
    answered_at: Timestamp | None = None
    """When the API server had accepted the call, or the node's agent had injected the fault."""
    armed_at: Timestamp | None = None
    """When the fault took effect on the node, on the operator's clock: the kernel had the packet rules, the processes
    had the signal, they were frozen, or the host had begun."""
    lifted_at: Timestamp | None = None
    """When the fault was reverted and verified to have left nothing behind, on the operator's clock."""
    matched: int | None = None
    """Number of packets that the fault applied to."""
    affected: int | None = None
    """Number of packets that the fault dropped, delayed, duplicated or changed."""
    processes: ProcessFigures | None = None
    """Last observation of the processes that the fault applied to."""
    host: HostFigures | None = None
    """What the host had counted last of a fault that it carried out on itself."""
    door: DoorFigures | None = None
    """What a pod of the door had counted last of a fault that it carried out on itself."""
    gone_at: Timestamp | None = None
    """When the pod, or every process of the container, was gone. Of a fault that lasts, when that was found."""
    media_stopped_at: Timestamp | None = None
    """When the last media packet from the pod's address arrived at any listener."""
    proven: bool = False
    """Whether the fault is proven to have taken effect on this pod."""
    reason: Text | None = None
    """Reason why the pod was not hit, in CamelCase. Absent if it was, or if the outcome is not known yet."""
    message: Message | None = None
    """What went wrong with this pod, for a person."""


class ChangeRecord(Status):
    """Record of a change of an object: what was there is written down before it is changed, and put back from here."""

    fault: Name
    """Name of the fault."""
    kind: Text
    """Kind of the object: Deployment, StatefulSet, DaemonSet, ConfigMap or Node."""
    name: Text
    """Name of the object."""
    uid: Text
    """UID of the object."""
    field: Annotated[str, Field(max_length=1024)]
    """Field of the object, as a JSON pointer such as /spec/replicas."""
    before: Annotated[str, Field(max_length=MOST_RECORDED)] | None = None
    """What the field held, as JSON. Absent if it was not there. Of a ConfigMap's text that was put back, its hash."""
    after: Annotated[str, Field(max_length=MOST_RECORDED)] | None = None
    """What the fault writes into the field, as JSON. Of a ConfigMap's text that was put back, its hash."""
    lasts: bool = True
    """Whether the field is put back when the fault is over."""
    changed_at: Timestamp | None = None
    """When the API server had accepted the change, and the field was read back as `after`."""
    restored_at: Timestamp | None = None
    """When the field was read back as `before`, or the object was found to be gone."""
    left_at: Timestamp | None = None
    """When somebody else's value was found in the field, and left as it was."""
    reason: Text | None = None
    """Reason why the change was not made, or did not last, in CamelCase. Absent if all went well."""
    message: Message | None = None
    """What went wrong with the change, and what to do, for a person."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the other changes of its run."""
        return self.fault, self.kind, self.name, self.field

    @property
    def is_left(self) -> bool:
        """Whether it lasts, and is neither put back nor left to somebody else."""
        return self.lasts and self.restored_at is None and self.left_at is None


class FaultRecord(Status):
    """Record of a fault: totals over its targets, and whether it is proven and reverted."""

    name: Name
    """Name of the fault."""
    kind: Text
    """Kind of the fault, such as podKill."""
    targets: int = 0
    """Number of target pods when the fault began."""
    armed_at: Timestamp | None = None
    """When the first target was hit, on the operator's clock. Of a flood or storm, when its first gate opened. The time
    that is judged begins here. Absent of calls that the operator makes for each target, such as podKill."""
    lifted_at: Timestamp | None = None
    """When the last target was free again, on the operator's clock. Recovery counts from here."""
    successors: int | None = None
    """Number of pods that replaced a deleted target while the fault lasted, and became targets themselves."""
    matched: int | None = None
    """Number of packets that the fault applied to, over all targets."""
    affected: int | None = None
    """Number of packets that the fault dropped, delayed, duplicated or changed, over all targets."""
    storm: StormFigures | None = None
    """The outcome of a storm: joins tried, let in and refused, and how long they took."""
    flood: FloodFigures | None = None
    """What a flooder said at its end. Absent where nobody had to ask: its packets were counted."""
    backend: Text | None = None
    """By what means the fault was carried out, such as netem, NFQUEUE or voice."""
    asked_for: Text | None = None
    """For how long targets should have been hit, over all of them: their number at the start times the duration."""
    in_force: Text | None = None
    """For how long targets were hit, over all of them and those that replaced them."""
    proven: bool = False
    """Whether the fault is proven to have taken effect on its targets."""
    reverted: bool = False
    """Whether the fault is verified to have left nothing behind."""
    cut_short: Text | None = None
    """Reason why the fault ended before its time, such as LeaseLost. No verdict rests on such a fault."""
    reason: Text | None = None
    """Reason why the fault is not proven, in CamelCase. Absent if it is."""
    message: Message | None = None
    """What proves the fault, or what is missing, for a person."""


class WindowRecord(Status):
    """Indicators measured in one window of the run."""

    name: Text
    """Name of the window. Baseline: before the faults. Judged: from the first injection to the end of the recovery."""
    from_: Annotated[Timestamp, Field(alias="from")]
    """Start of the window."""
    to: Timestamp
    """End of the window."""
    residents: int = 0
    """Number of residents that should have been in the room."""
    unknown: Text | None = None
    """Share of the listening time for which the state of a resident is unknown."""
    indicators: Annotated[list[MeasuredIndicator], Field(max_length=32)] = []
    """Indicators measured in the window."""


class ExpectationRecord(Status):
    """Expectation, with the measured value and the outcome."""

    indicator: Annotated[str, Field(max_length=512)]
    """Name of the indicator, or of what another source was asked."""
    min: Text | None = None
    """Required minimum, in the indicator's unit."""
    max: Text | None = None
    """Allowed maximum, in the indicator's unit."""
    outcome: Text
    """Met, Missed, or Unmeasured if there is no value to judge by."""
    value: Text | None = None
    """Measured value, in the indicator's unit."""
    margin: Text | None = None
    """Distance of the value from the bound, in the indicator's unit. Negative if the expectation was missed."""
    message: Message = ""
    """Outcome in one sentence, for a person."""


class SampledStretch(Status):
    """Stretch of time for which samples of a source say the same, or a mixture if there are many short ones."""

    from_: Annotated[Timestamp, Field(alias="from")]
    """Start of the stretch."""
    to: Timestamp
    """End of the stretch."""
    held: float
    """Number of seconds in which what was asked held."""
    missed: float
    """Number of seconds in which it did not hold. The rest of the stretch is unknown."""
    samples: int
    """Number of samples that the stretch rests on."""


class SourceRecord(Status):
    """Samples of what an expectation asks of a source other than the listeners."""

    expectation: int
    """Position of the expectation in `spec.expect`, counted from 0."""
    stretches: Annotated[list[SampledStretch], Field(max_length=8)] = []
    """What the samples say, in order. Time between the stretches was not sampled, and is unknown."""
    message: Message | None = None
    """Why the newest sample that failed could not be taken, for a person."""


class BaselineRecord(Status):
    """What the verdict needs of the baseline. It is measured once, when the baseline is over."""

    residents: int
    """Number of residents that should have been in the room."""
    unknown: float
    """Share of the listening time for which the state of a resident is unknown, from 0 to 1."""
    audible: float | None = None
    """Share of the known listening time in which residents heard the host, from 0 to 1."""
    audible_at_least: float
    """The same share, if nobody heard the host in unknown time."""
    audible_at_most: float
    """The same share, if everybody heard the host in unknown time."""
    unheard: Annotated[list[int], Field(max_length=500)] = []
    """Residents who were seen, and never to hear the host: their places in the room, counted from 0."""
    unseen: Annotated[list[int], Field(max_length=500)] = []
    """Residents of whom nothing is known: their places in the room, counted from 0."""


class OutageRecord(Status):
    """Outage: a stretch in which a listener in the room did not hear the live host."""

    listener: Text
    """Name of the listener."""
    after: Text | None = None
    """Start of the outage, as the time since the first injection."""
    dead_air: Text | None = None
    """How long the listener did not hear the live host."""
    silence: Text | None = None
    """Part of the dead air in which the listener was connected."""
    missing: Text | None = None
    """How much media did not arrive. It exceeds the dead air where the codec concealed a gap."""
    recovered: bool = False
    """Whether the listener heard the live host again within the window."""
    ended: Text | None = None
    """How the outage ended: Recovered, NotRecovered (not within the window), Left (the listener left before that) or
    Unknown (nothing more is known of the listener)."""


class SharedStart(Status):
    """Start of an outage that fleet and crowd both saw: the median of either's listeners."""

    after: Text
    """Start of the outage as the crowd tells it, as the time since the first injection."""
    fleet_later: Text
    """How much later the fleet tells it, such as "3.1ms". Negative if earlier. No verdict rests on more than 20 ms."""


class CrowdRecord(Status):
    """What the room's crowd told of the run."""

    baseline: BaselineRecord | None = None
    """What the verdict needs of the baseline. Absent until the baseline is over."""
    windows: Annotated[list[WindowRecord], Field(max_length=4)] = []
    """Indicators of the crowd before the faults (Baseline) and from the first injection on (Judged)."""
    starts: Annotated[list[SharedStart], Field(max_length=8)] = []
    """Starts of outages that fleet and crowd both saw."""
    outages: Annotated[list[OutageRecord], Field(max_length=10)] = []
    """The outages of the crowd's listeners with the most dead air, worst first."""


class ClockWitness(Status):
    """Process of a listener pod whose own clock shows whether the operator's clock has stepped since the baseline."""

    boot: Text
    """Identity of the process."""
    offset: float
    """Seconds to add to its monotonic clock to get the operator's, when the baseline began."""
    uncertainty: float = 0.0
    """How wrong the offset may be, in seconds."""


class HostAbsence(Status):
    """Stretch of time in which the room's managed host could not be heard, for a reason of its own."""

    from_: Annotated[Timestamp, Field(alias="from")]
    """Start of the absence, on the operator's clock."""
    to: Timestamp
    """End of the absence."""
    message: Message
    """Why the host could not be heard: its process started anew, stood still, or did not answer."""


class HostRecord(Status):
    """What the room's managed host says of itself. What listeners missed because of it is not the room's."""

    seen_until: Timestamp | None = None
    """When a process of the host answered last, on the operator's clock. Absent if none has."""
    absences: Annotated[list[HostAbsence], Field(max_length=20)] = []
    """When the host could not be heard, in order. Of more than 20 absences, those nearest to each other as one."""


class EarlyEnd(Status):
    """Why a run ended before its last step."""

    reason: Text
    """Reason in CamelCase, such as AbortRequested, Stopped, DeadlineExceeded or LeaseLost."""
    message: Message
    """Explanation for a person: what happened, and what to do."""
    verdict: Text
    """Verdict that the run ends with for this reason: Aborted, Inconclusive or Error."""


class ExperimentRunStatus(Status):
    """Record of the run: steps, targets, proof, indicators, expectations and verdict. At most 64 KiB."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until the operator has seen the run."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the run passed), Reconciling, Stalled, Finished and Suspended."""
    step: Text | None = None
    """Name of the newest step: Baseline, Injecting, Active, Reverting, Recovering or Judged."""
    steps: Annotated[list[Step], Field(max_length=32)] = []
    """Steps that the run has begun, in order."""
    targets: Annotated[list[TargetRecord], Field(max_length=500)] = []
    """Pods that the faults hit: every pod that the operator or a kill hits, and up to 20 of all others, the worst
    first."""
    faults: Annotated[list[FaultRecord], Field(max_length=8)] = []
    """Record of each fault."""
    changes: Annotated[list[ChangeRecord], Field(max_length=32)] = []
    """Changes of objects that faults make, each written down before it is made."""
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    """Images that ran when the baseline began. Empty without a baseline, in which case `spec.release` applies."""
    windows: Annotated[list[WindowRecord], Field(max_length=4)] = []
    """Indicators measured before the faults (Baseline) and from the first injection on (Judged)."""
    baseline: BaselineRecord | None = None
    """What the verdict needs of the baseline. Absent until the baseline is over."""
    expectations: Annotated[list[ExpectationRecord], Field(max_length=16)] = []
    """Expectations with the measured values, in the order of `spec.expect`."""
    sources: Annotated[list[SourceRecord], Field(max_length=16)] = []
    """Samples of sources other than the listeners, from which expectations on them are judged."""
    clock_witnesses: Annotated[list[ClockWitness], Field(max_length=3)] = []
    """Clocks that tell whether the times of this record are of one clock, also where another operator went on."""
    host: HostRecord | None = None
    """Presence of the room's managed host during the run. Absent if somebody else speaks in the room."""
    bystanders: Annotated[list[ShortUid], Field(max_length=MOST_BYSTANDERS)] = []
    """Pods of the room's components that were seen during the run, and that no fault of it takes: the first eight
    characters of their UIDs, by which one that is gone at the end is missed."""
    others_gone: Annotated[list[Text], Field(max_length=MOST_OTHERS)] = []
    """Names of pods of the room's components that went during the run, and that no fault of it was meant to end. UIDs,
    where a pod went while the operator was away."""
    outages: Annotated[list[OutageRecord], Field(max_length=20)] = []
    """The outages with the most dead air, worst first. Those of the crowd are in `crowd`."""
    crowd: CrowdRecord | None = None
    """What the room's crowd told. Absent if the room has none."""
    ended_early: EarlyEnd | None = None
    """Why the run ended before its last step. Written before the faults are reverted. Absent if it did not."""
    verdict: Text | None = None
    """Verdict of the run. Passed: all expectations were met. Failed: one was missed. Inconclusive: the room or the
    measurement allows no verdict. Aborted: the run was ended early. Error: Showstopper itself failed."""
    reason: Text | None = None
    """Reason for the verdict, in CamelCase."""
    message: Message | None = None
    """Explanation of the verdict, for a person."""
    started_at: Timestamp | None = None
    """When the first step began."""
    finished_at: Timestamp | None = None
    """When the verdict was reached."""
    audible: Text | None = None
    """AudibleRatio: share of the listening time in which residents heard the host."""
    dead_air: Text | None = None
    """LongestDeadAir: the longest time for which any listener did not hear the host."""
    recovery: Text | None = None
    """RecoveryTime: time from the end of the faults until the room was heard as before."""


class ExperimentRun(Resource):
    """Record of one execution of an experiment."""

    kind: ClassVar[str] = "ExperimentRun"
    plural: ClassVar[str] = "experimentruns"
    record: ClassVar[bool] = True
    short_names: ClassVar[tuple[str, ...]] = ("exprun",)
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Experiment", "string", ".spec.experiment.name", 0),
        ("Step", "string", ".status.step", 0),
        ("Verdict", "string", ".status.verdict", 0),
        ("Reason", "string", ".status.reason", 0),
        ("Audible", "string", ".status.audible", 0),
        ("Dead air", "string", ".status.deadAir", 0),
        ("Recovery", "string", ".status.recovery", 0),
    )
    rules = (
        immutable_spec(
            ("experiment", "room", "timing", "faults", "expect", "seed", "deadline"),
            ("release", "abortIf", "targets"),
            "a run is a record and never changes, except for abort: change the Experiment to request a new run",
            moving="step",
        ),
        CelRule(
            "self.spec.abort == oldSelf.spec.abort || !has(oldSelf.status) || !has(oldSelf.status.verdict)",
            "spec.abort: the run is already over, and its verdict is final",
        ),
    )

    spec: ExperimentRunSpec
    status: ExperimentRunStatus = ExperimentRunStatus()

    def fault(self, name: str) -> Fault:
        """The fault of that name.

        Raises:
            KeyError: there is none.
        """
        return {fault.name: fault for fault in self.spec.faults}[name]

    @property
    def finished(self) -> bool:
        """Whether there is a verdict."""
        return self.status.verdict is not None

    @property
    def release(self) -> tuple[ReleaseImage, ...]:
        """The images that the run is about."""
        begun = tuple(ReleaseImage.of(image) for image in self.status.release)
        return begun or self.spec.release

    @property
    def inline(self) -> bool:
        """Whether its experiment is written in a game day, and is no Experiment of its own."""
        origin = self.spec.experiment
        return origin.game_day is not None and origin.game_day.uid == origin.uid

    @property
    def room(self) -> AudioRoom:
        """The room as it was declared when the run was asked for."""
        metadata = Metadata(name=self.spec.room.name, namespace=self.metadata.namespace, uid=self.spec.room.uid)
        return AudioRoom(metadata=metadata, spec=self.spec.room.spec)
