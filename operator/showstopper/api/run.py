"""ExperimentRun: the record of one execution. Its spec never changes, but for `abort`."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.base import Message, Metadata, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.experiment import AbortIf, Expectation, Fault, Timing
from showstopper.api.faults.process import ProcessFigures
from showstopper.api.room import AudioRoom, AudioRoomSpec, ComponentImage, MeasuredIndicator
from showstopper.api.rules import CelRule, immutable_spec

MOST_KILLED = 100
"""Maximum number of pods that one run may kill: its record names each of them, with times, within 64 KiB."""


class DayOrigin(Spec):
    """The act of a game day that a run is of."""

    name: Name
    uid: Annotated[str, StringConstraints(max_length=64)]
    act: Name
    performance: Annotated[int, Field(ge=1)]
    hash: Annotated[str, StringConstraints(max_length=64)]
    """Of what is performed: revision, window, acts and onFailure."""


class Origin(Spec):
    """The experiment that asked for this run, and what made it ask."""

    name: Name
    uid: Annotated[str, StringConstraints(max_length=64)]
    generation: int
    hash: Annotated[str, StringConstraints(max_length=64)]
    """Of what is run: revision, roomRef, timing, faults, expect and abortIf."""
    revision: Annotated[str, StringConstraints(max_length=128)] = ""
    run_request: Annotated[str, StringConstraints(max_length=256)] = ""
    """What the annotation showstopper.dev/run-requested said."""
    scheduled_at: Timestamp | None = None
    """The firing of the schedule that asked for it."""
    released: Annotated[str, StringConstraints(max_length=64)] = ""
    """The release whose coming asked for it (`runOn`)."""
    asked_at: Timestamp | None = None
    """When the operator made the run, by its clock: two runs may be of one whole second."""
    game_day: DayOrigin | None = None
    """The act that it is of. An experiment that is written in the act has the game day's UID as its own."""


class RoomSnapshot(Spec):
    """The room as it was declared when the run was asked for."""

    name: Name
    uid: Annotated[str, StringConstraints(max_length=64)]
    spec: AudioRoomSpec


class ReleaseImage(Spec):
    """An image that was deployed when the run was asked for."""

    component: Name
    container: Name
    image: Annotated[str, StringConstraints(max_length=512)]
    digest: Annotated[str, StringConstraints(max_length=512)] = ""

    @classmethod
    def of(cls, image: ComponentImage) -> "ReleaseImage":
        """The immutable form of what a room's status says."""
        return cls(component=image.component, container=image.container, image=image.image, digest=image.digest)


class ChosenPod(Spec):
    """A pod that a fault is about to hit, as it was when it was chosen."""

    fault: Name
    pod: Text
    uid: Annotated[str, StringConstraints(max_length=64)]
    node: Text = ""
    address: Text = ""
    serving: bool | None = None


class ExperimentRunSpec(Spec):
    """What is run. Immutable but for `abort`, false to true, once."""

    experiment: Origin
    room: RoomSnapshot
    release: Annotated[tuple[ReleaseImage, ...], Field(max_length=64)] = ()
    timing: Timing
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=8)]
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1, max_length=16)]
    abort_if: Annotated[tuple[AbortIf, ...], Field(max_length=8)] = ()
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)]
    """Of what is chosen at random, such as one target of many."""
    deadline: Timestamp
    """Whatever happens, the run is over then."""
    targets: Annotated[tuple[ChosenPod, ...], Field(max_length=100)] = ()
    """What a run that begins with its injection is about to hit. Creating the run is then the note that is written
    before the effect: from that moment on these pods count as hit, unless they are there untouched."""
    abort: bool = False
    """Set it to true to end the run early; everything injected is reverted."""

    rules = (CelRule("!oldSelf.abort || self.abort", "an aborted run stays aborted: ask the Experiment for a new run"),)


class StepName(StrEnum):
    """The steps of a run, in order (DESIGN.md, section 3)."""

    PLANNED = "Planned"
    BASELINE = "Baseline"
    INJECTING = "Injecting"
    ACTIVE = "Active"
    REVERTING = "Reverting"
    RECOVERING = "Recovering"
    JUDGED = "Judged"


class Step(Status):
    """A step with its times. `Injecting` is written before its effect and completed after it."""

    name: StepName
    started_at: Timestamp
    completed_at: Timestamp | None = None
    message: Message | None = None


class TargetRecord(Status):
    """One pod that a fault hit: when, what came of it, and what proves it."""

    fault: Name
    pod: Text
    uid: Text
    node: Text = ""
    address: Text = ""
    serving: bool | None = None  # whether it carried the sound when it was chosen
    requested_at: Timestamp | None = None  # just before the call
    answered_at: Timestamp | None = None  # the API server had answered it
    armed_at: Timestamp | None = None  # the node's kernel had the rules, or the signal, or had frozen it
    lifted_at: Timestamp | None = None  # it was over, and nothing of it was found
    matched: int | None = None  # packets that the fault was meant for
    affected: int | None = None  # packets that it dropped, delayed, doubled or changed
    processes: ProcessFigures | None = None  # what was last seen of the processes that the fault was meant for
    gone_at: Timestamp | None = None  # the UID, or every process of the container, was no longer there
    media_stopped_at: Timestamp | None = None  # the last packet from its address at any listener
    proven: bool = False
    message: Message | None = None


class FaultRecord(Status):
    """Sums over a fault's targets, and whether it is proven and reverted."""

    name: Name
    kind: Text
    targets: int = 0  # at its start
    successors: int | None = None  # pods that became targets while it lasted, for one that was gone
    matched: int | None = None  # over all targets, of which `status.targets` may name only the worst
    affected: int | None = None
    backend: Text | None = None  # by what means it was done
    proven: bool = False
    reverted: bool = False
    cut_short: Text | None = None
    """Why it ended before anybody asked for its end, such as `LeaseLost`: no verdict rests on it."""
    message: Message | None = None


class WindowRecord(Status):
    """The indicators of one stretch of the run."""

    name: Text  # Baseline, Judged
    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    residents: int = 0
    unknown: Text | None = None
    indicators: Annotated[list[MeasuredIndicator], Field(max_length=32)] = []


class ExpectationRecord(Status):
    """One expectation with what was measured."""

    indicator: Text
    min: Text | None = None
    max: Text | None = None
    outcome: Text
    value: Text | None = None
    margin: Text | None = None
    message: Message = ""


class OutageRecord(Status):
    """One of the worst outages: seconds after the injection, how long, and how it ended."""

    listener: Text
    after: Text | None = None
    dead_air: Text | None = None
    silence: Text | None = None
    missing: Text | None = None
    recovered: bool = False


class ExperimentRunStatus(Status):
    """The record: steps, targets, proof, indicators, expectations, verdict. At most 64 KiB."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    step: Text | None = None  # the newest step's name, for people
    steps: Annotated[list[Step], Field(max_length=32)] = []
    targets: Annotated[list[TargetRecord], Field(max_length=500)] = []
    faults: Annotated[list[FaultRecord], Field(max_length=8)] = []
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    """The images that ran when the baseline began; without a baseline, those of the spec did."""
    windows: Annotated[list[WindowRecord], Field(max_length=4)] = []
    expectations: Annotated[list[ExpectationRecord], Field(max_length=16)] = []
    outages: Annotated[list[OutageRecord], Field(max_length=20)] = []
    abort_reason: Text | None = None
    abort_message: Message | None = None
    verdict: Text | None = None
    reason: Text | None = None
    message: Message | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    audible: Text | None = None
    dead_air: Text | None = None
    recovery: Text | None = None


class ExperimentRun(Resource):
    """One execution of an experiment."""

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
            "a run is a record and never changes, but for abort: change the Experiment, and a new run is made",
            moving="step",
        ),
        CelRule(
            "self.spec.abort == oldSelf.spec.abort || !has(oldSelf.status) || !has(oldSelf.status.verdict)",
            "spec.abort: the run is over already, and its verdict stands",
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
        """The images that it is about."""
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
