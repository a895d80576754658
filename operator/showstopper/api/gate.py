"""ReleaseGate: what a release must have passed before it may go on."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.quantities import Between, Duration, parse_duration
from showstopper.api.room import ComponentImage, Reference
from showstopper.api.rules import unique_names


class RequiredExperiment(Spec):
    """An experiment that the release must have passed."""

    name: Name
    """An Experiment in the same namespace."""


class ReleaseGateSpec(Spec):
    """Which experiments the images of a room's components must have passed, and how long ago at the most."""

    room_ref: Reference
    """The AudioRoom whose images are the release, in the same namespace."""
    components: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """The components whose images are the release, by name. Default: all components of the room."""
    experiments: Annotated[tuple[RequiredExperiment, ...], Field(min_length=1, max_length=32)]
    """All of them have to have passed with exactly these images, as they are declared now."""
    max_age: Annotated[Duration, Between("1m", "8760h")] = parse_duration("168h")
    """A pass that is older counts no more."""
    request_runs: bool = False
    """Ask for the runs that are missing; else somebody else has to."""
    suspend: bool = False
    """Keep the gate closed, and ask for nothing."""

    rules = (unique_names("experiments", "required experiments"),)


class RequirementState(StrEnum):
    """How far a required experiment is, for the release that is deployed."""

    PASSED = "Passed"  # and fresh enough
    FAILED = "Failed"  # its newest verdict on this release is another one
    WAITING = "Waiting"  # a run is under way, or will come
    EXPIRED = "Expired"  # it passed too long ago, and nothing will come by itself
    MISSING = "Missing"  # it has not run with this release, and nothing will come by itself


class Requirement(Status):
    """A required experiment, and the run that counts for the release."""

    name: Text
    state: RequirementState
    run: Text | None = None
    verdict: Text | None = None
    finished_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    message: Message | None = None


class ReleaseGateStatus(Status):
    """Whether the release that is deployed may go on."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    open: Annotated[str, StringConstraints(max_length=8)] = ""
    """Yes or No, for people; machines read the conditions."""
    passed: Text | None = None
    """How many of the required experiments have passed, such as 2/3."""
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    """The images that this is about."""
    experiments: Annotated[list[Requirement], Field(max_length=32)] = []
    message: Message | None = None


class ReleaseGate(Resource):
    """Ready while every required experiment has passed with the images that are deployed now."""

    kind: ClassVar[str] = "ReleaseGate"
    plural: ClassVar[str] = "releasegates"
    short_names: ClassVar[tuple[str, ...]] = ("gate", "gates")
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Room", "string", ".spec.roomRef.name", 0),
        ("Open", "string", ".status.open", 0),
        ("Passed", "string", ".status.passed", 0),
        ("Reason", "string", ".status.conditions[?(@.type=='Ready')].reason", 0),
        ("Message", "string", ".status.message", 1),
    )

    spec: ReleaseGateSpec
    status: ReleaseGateStatus = ReleaseGateStatus()
