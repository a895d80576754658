"""ReleaseGate: the experiments that a release must have passed before it may be rolled out further."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.conditions import Condition
from showstopper.api.room import ComponentImage, Reference
from showstopper.api.schema.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.quantities import Duration, DurationBounds, parse_duration
from showstopper.api.schema.rules import unique_names


class ReleaseScope(StrEnum):
    """What tells two releases apart."""

    POD_TEMPLATE = "PodTemplate"
    """Digests of all containers, and the pod templates of the workloads: also environment, annotations, sidecars."""
    IMAGES = "Images"
    """Digests of all containers alone."""


class RequiredExperiment(Spec):
    """Experiment that the release must have passed."""

    name: Name
    """Name of an Experiment in the same namespace."""


class ReleaseGateSpec(Spec):
    """Desired state of the gate: the experiments that the images of a room's components must have passed."""

    room_ref: Reference
    """AudioRoom, in the same namespace, whose images are the release."""
    components: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Names of the components whose images are the release. Default: all components of the room."""
    release: ReleaseScope = ReleaseScope.POD_TEMPLATE
    """What tells releases apart. PodTemplate: the digests of all containers, and the pod templates of the Deployments,
    StatefulSets and DaemonSets: a changed environment variable, checksum annotation or sidecar is a release, too.
    Images: the digests alone."""
    revision: Annotated[str, StringConstraints(max_length=256)] | None = None
    """Any string, such as a commit. A new one makes tools that wait for the gate wait for the answer about this
    change: the gate is not Ready for it before the operator has read the workloads again."""
    experiments: Annotated[tuple[RequiredExperiment, ...], Field(min_length=1, max_length=32)]
    """Experiments that must have passed. A pass counts if it was with exactly this release, in this room, and with
    experiment and room as they are declared now."""
    max_age: Annotated[Duration, DurationBounds("1m", "8760h")] = parse_duration("168h")
    """How long a pass remains valid."""
    request_runs: bool = False
    """Whether the gate requests missing runs itself. If false, something else has to request them: a schedule, runOn,
    or a person."""
    suspend: bool = False
    """Keeps the gate closed. A suspended gate requests no runs."""

    rules = (unique_names("experiments", "required experiments"),)


class RequirementState(StrEnum):
    """State of a required experiment, for the deployed release."""

    PASSED = "Passed"
    """It passed with this release, no longer ago than maxAge."""
    FAILED = "Failed"
    """Its newest verdict on this release is not Passed."""
    WAITING = "Waiting"
    """A run is under way or will start by itself."""
    EXPIRED = "Expired"
    """It passed longer ago than maxAge, and no run will start by itself."""
    UNDECIDED = "Undecided"
    """Its newest runs on this release gave no verdict, and no run will start by itself."""
    MISSING = "Missing"
    """It has not run with this release, and no run will start by itself."""


class Requirement(Status):
    """Required experiment, with the run that counts for the release."""

    name: Text
    """Name of the experiment."""
    state: RequirementState
    """Passed: passed with this release, no longer ago than maxAge. Failed: the newest verdict on this release is not
    Passed. Waiting: a run is under way or will start by itself. Expired: passed longer ago than maxAge, and no run will
    start by itself. Undecided: its newest runs were Inconclusive or ended in Error, and no run will start by itself.
    Missing: not run with this release, and no run will start by itself."""
    run: Text | None = None
    """Name of the run that the state is about."""
    verdict: Text | None = None
    """Verdict of that run."""
    finished_at: Timestamp | None = None
    """When that run finished."""
    expires_at: Timestamp | None = None
    """When the pass stops being valid."""
    message: Message | None = None
    """Why the experiment is not passed, and what to do about it."""


class RememberedVerdict(Status):
    """Newest verdict of an experiment on a release, which counts also when its run has been deleted."""

    experiment: Text
    """Name of the experiment."""
    release: Text
    """Hash of the release, the experiment and the room that the verdict is about."""
    run: Text | None = None
    """Name of the newest run with a verdict other than Inconclusive or Error."""
    verdict: Text | None = None
    """Verdict of that run."""
    finished_at: Timestamp | None = None
    """When that run finished."""
    undecided: Annotated[list[Text], Field(max_length=8)] = []
    """Names of the runs since then that were Inconclusive or ended in Error, oldest first."""


class ReleaseGateStatus(Status):
    """Observed state of the gate, for the deployed release."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until the operator has seen the gate."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the gate is open), Reconciling, Stalled, Finished and Suspended."""
    open: Annotated[str, StringConstraints(max_length=8)] = ""
    """Yes or No, for people. Tools should read the condition Ready."""
    passed: Text | None = None
    """Number of required experiments that have passed, of all, such as 2/3."""
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    """Images that the gate is about: those that the components run now."""
    experiments: Annotated[list[Requirement], Field(max_length=32)] = []
    """State of each required experiment."""
    verdicts: Annotated[list[RememberedVerdict], Field(max_length=64)] = []
    """Newest verdicts by experiment and release, the newest last. They count also when their runs are deleted."""
    observed_at: Timestamp | None = None
    """When the operator last looked at what is deployed, to the minute. A status that is older than two minutes says
    nothing: the operator is away. Absent while pods and workloads cannot be read."""
    expires_at: Timestamp | None = None
    """When the first of the passes stops being valid. Absent while the gate is closed."""
    message: Message | None = None
    """Why the gate is open or closed."""


class ReleaseGate(Resource):
    """Gate for a release: Ready while every required experiment has passed with the images that are deployed now."""

    kind: ClassVar[str] = "ReleaseGate"
    plural: ClassVar[str] = "releasegates"
    short_names: ClassVar[tuple[str, ...]] = ("gate", "gates")
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Room", "string", ".spec.roomRef.name", 0),
        ("Open", "string", ".status.open", 0),
        ("Passed", "string", ".status.passed", 0),
        ("Observed", "date", ".status.observedAt", 1),
        ("Reason", "string", ".status.conditions[?(@.type=='Ready')].reason", 0),
        ("Message", "string", ".status.message", 1),
    )

    spec: ReleaseGateSpec
    status: ReleaseGateStatus = ReleaseGateStatus()
