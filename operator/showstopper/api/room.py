"""AudioRoom: the deployment under test, its components, its listeners, and what serves it now."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from showstopper.api.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.quantities import Between, Duration, parse_duration
from showstopper.api.rules import Matching, unique_names


class Reference(Spec):
    """Another object of the same namespace, by name."""

    name: Name


class LiveKit(Spec):
    """The LiveKit deployment that carries the room."""

    url: Annotated[
        str,
        StringConstraints(max_length=256),
        Matching("wss?://[^/ ]+(/[^ ]*)?", 'write the address of LiveKit\'s signalling, like "ws://relay:7880"'),
    ]
    """Where LiveKit's signalling is reached from pods of this namespace."""
    room: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """The room's name in LiveKit."""
    credentials_secret_ref: Reference
    """A Secret with LIVEKIT_API_KEY and LIVEKIT_API_SECRET; the listeners' pods read it, the operator never does."""


class Port(Spec):
    """A port of a component, named so that faults can speak of it."""

    name: Name
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["TCP", "UDP"] = "TCP"


Label = Annotated[str, StringConstraints(max_length=63)]


class Selector(Spec):
    """Which pods make up a component."""

    match_labels: Annotated[
        dict[Annotated[str, StringConstraints(max_length=316)], Label], Field(min_length=1, max_length=16)
    ]


class Component(Spec):
    """A part of the deployment under test, such as its relays or its store."""

    name: Name
    selector: Selector
    container: Name | None = None
    """The container that matters; the pod's first when left out."""
    ports: Annotated[tuple[Port, ...], Field(max_length=16)] = ()

    rules = (unique_names("ports", "ports of a component", optional=True),)


class Arrivals(Spec):
    """Newcomers: each joins afresh, listens for `stay`, and leaves."""

    every: Annotated[Duration, Between("100ms", "1h", zero="no newcomers")] = parse_duration("5s")
    """How often a newcomer joins, over all pods of the fleet; 0s for none."""
    stay: Annotated[Duration, Between("1s", "1h")] = parse_duration("15s")
    """How long a newcomer listens."""


class Listeners(Spec):
    """The fleet of virtual listeners: residents, who stay, and arrivals."""

    count: Annotated[int, Field(ge=1, le=10_000)] = 6
    """Residents: listeners who stay."""
    per_pod: Annotated[int, Field(ge=1, le=20)] = 3
    """Residents in one pod. More in one process, on a slow processor, hear gaps that are not there."""
    arrivals: Arrivals | None = Arrivals()
    """Newcomers: some failures are silent for whoever is in already."""


class Host(StrEnum):
    """Who speaks."""

    MANAGED = "Managed"  # a host of ours speaks a time code: live sound is told from hold music and from old sound
    EXTERNAL = "External"  # somebody else speaks: only sound and silence can be told apart


class Program(Spec):
    """What is on the air."""

    host: Host = Host.MANAGED
    """Managed: the operator runs a host that speaks a time code. External: somebody else speaks."""
    hold: Annotated[Duration, Between("0s", "10m")] = parse_duration("3s")
    """How long the managed host plays hold music before it speaks."""


class AudioRoomSpec(Spec):
    """What room there is and what to measure in it."""

    livekit: LiveKit
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=16)]
    """The parts of the deployment under test that faults can aim at."""
    listeners: Listeners = Listeners()
    program: Program = Program()

    rules = (unique_names("components", "components"),)

    def component(self, name: str) -> Component | None:
        """The component of that name, if the room has it."""
        return next((component for component in self.components if component.name == name), None)


class MeasuredIndicator(Status):
    """An indicator's value as a text with its unit ("76.4%", "9.48s", "3"), with bounds where it is not exact."""

    indicator: Text
    value: Text | None = None
    at_least: Text | None = None
    at_most: Text | None = None
    samples: int = 0
    worst_listener: Text | None = None
    worst: Text | None = None
    reason: Message | None = None


class ComponentImage(Status):
    """An image that a component's pods run, by digest; several while a rollout is under way."""

    component: Name
    container: Name
    image: Annotated[str, StringConstraints(max_length=512)]
    digest: Annotated[str, StringConstraints(max_length=512)] = ""


class ListenersStatus(Status):
    """How many residents are meant to be in, report, and hear the live host."""

    intended: int = 0
    reporting: int = 0
    live: int = 0


class AudioRoomStatus(Status):
    """What the room is like now."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    listeners: ListenersStatus = ListenersStatus()
    audible: Text | None = None
    serving: Annotated[list[Text], Field(max_length=64)] = []
    indicators: Annotated[list[MeasuredIndicator], Field(max_length=32)] = []
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    measured_at: Timestamp | None = None


class AudioRoom(Resource):
    """A room that can be experimented on."""

    kind: ClassVar[str] = "AudioRoom"
    plural: ClassVar[str] = "audiorooms"
    short_names: ClassVar[tuple[str, ...]] = ("room", "rooms")
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Ready", "string", ".status.conditions[?(@.type=='Ready')].status", 0),
        ("Reason", "string", ".status.conditions[?(@.type=='Ready')].reason", 0),
        ("Listeners", "integer", ".status.listeners.intended", 0),
        ("Live", "integer", ".status.listeners.live", 0),
        ("Audible", "string", ".status.audible", 0),
        ("Serving", "string", ".status.serving", 1),
    )

    spec: AudioRoomSpec
    status: AudioRoomStatus = AudioRoomStatus()
