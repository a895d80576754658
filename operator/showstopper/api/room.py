"""AudioRoom: the deployment under test, its components, its listeners, and the pods that serve it now."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from showstopper.api.conditions import Condition
from showstopper.api.schema.base import Message, Name, PortNumber, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.quantities import Duration, DurationBounds, on_the_calendar, parse_duration
from showstopper.api.schema.rules import Matching, Rule, unique_names
from showstopper.availability.units import DURATION_PATTERN


class Reference(Spec):
    """Reference to an object in the same namespace."""

    name: Name
    """Name of the referenced object, in the same namespace."""


class LiveKit(Spec):
    """LiveKit deployment that carries the room."""

    url: Annotated[
        str,
        StringConstraints(max_length=256),
        Matching("wss?://[^/ ]+(/[^ ]*)?", 'write the address of LiveKit\'s signalling, like "ws://relay:7880"'),
    ]
    """WebSocket URL of LiveKit's signalling endpoint, as pods in this namespace reach it."""
    room: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """Name of the room in LiveKit."""
    credentials_secret_ref: Reference
    """Secret with the keys LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Only the pods of the listeners and of the managed
    host read it. The operator does not."""


class Port(Spec):
    """Named port of a component."""

    name: Name
    """Name of the port, unique within the component. Faults refer to the port by this name."""
    port: PortNumber
    """Port number on the component's pods, or the first one of a range."""
    end_port: PortNumber | None = None
    """Last port of the range that begins at `port`, as in a NetworkPolicy. Default: `port` alone."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Transport protocol of the port."""

    rules = (
        Rule(
            "!has(self.endPort) || self.endPort >= self.port",
            "endPort is the last port of the range: write one that is not below port",
            holds=lambda port: port.end_port is None or port.end_port >= port.port,
        ),
    )

    @property
    def last(self) -> int:
        """The last port of the range, which may be the first one too."""
        return self.end_port or self.port


Label = Annotated[str, StringConstraints(max_length=63)]


class Selector(Spec):
    """Label selector for the pods of a component."""

    match_labels: Annotated[
        dict[Annotated[str, StringConstraints(max_length=316)], Label], Field(min_length=1, max_length=16)
    ]
    """Labels that a pod must carry, all of them, to belong to the component."""


class Component(Spec):
    """Part of the deployment under test, such as its relays or its store."""

    name: Name
    """Name of the component, unique within the room. Faults, peers and release gates refer to it by this name."""
    selector: Selector
    """Label selector for the component's pods, in the namespace of the room."""
    container: Name | None = None
    """Container that process faults target, and whose image is the component's part of the release.
    Default: the one in the pod's annotation `kubectl.kubernetes.io/default-container`, else its only container that is
    no known sidecar."""
    ports: Annotated[tuple[Port, ...], Field(max_length=16)] = ()
    """Ports of the component that faults can name."""

    rules = (unique_names("ports", "ports of a component", optional=True),)


class Arrivals(Spec):
    """Arrivals: listeners that join afresh, listen for a while, and leave."""

    every: Annotated[Duration, DurationBounds("100ms", "1h", zero="no newcomers")] = parse_duration("5s")
    """Interval between arrivals, over the whole fleet. 0s disables arrivals."""
    stay: Annotated[Duration, DurationBounds("1s", "1h")] = parse_duration("15s")
    """How long each arrival listens before it leaves."""


class CrowdArrivals(Spec):
    """Newcomers of a crowd: listeners that join afresh, each once, listen for a while, and leave. They tell when they
    got in and when they first heard the host.
    """

    every: Annotated[Duration, DurationBounds("100ms", "1h")] = parse_duration("5s")
    """Interval between arrivals, over the whole crowd: its pods take turns. Ten a second are a tenth of what one relay
    core lets in. More is no audience that comes and goes, but a storm."""
    stay: Annotated[Duration, DurationBounds("1s", "1h")] = parse_duration("15s")
    """How long each newcomer listens before it leaves. Those of one pod at a time are bounded: 1000 at most, and no
    more than 3000 listeners with those who stay, for one process and core keeps no more without missing packets. The
    place of one who left is free after ten seconds, when what it heard is settled."""


MOST_CROWD_PODS = 100
MOST_IN_A_POD, MOST_NEWCOMERS_IN_A_POD = 3000, 1000
SETTLED_AFTER = timedelta(seconds=10)
"""So long after a newcomer has left its place is taken (audio/settings.py)."""


def _milliseconds(field: str) -> str:
    """CEL for the whole of a duration: getMilliseconds may be that, or the part below a second."""
    return f"(duration(self.{field}).getSeconds() * 1000 + duration(self.{field}).getMilliseconds() % 1000)"


def _is_sane(field: str, least: str) -> str:
    """CEL: what is not gets a message of its own."""
    value = f"duration(self.{field})"
    pattern = f"self.{field}.matches('{DURATION_PATTERN}')"
    return f"{pattern} && {value} >= duration('{least}') && {value} <= duration('1h')"


_AT_ONCE = (
    f"({_milliseconds('arrivals.stay')} + {SETTLED_AFTER // timedelta(milliseconds=1)}) / "
    f"({_milliseconds('arrivals.every')} * ((self.count + self.perPod - 1) / self.perPod)) + 1"
)
_ARRIVE = f"has(self.arrivals) && {_is_sane('arrivals.every', '100ms')} && {_is_sane('arrivals.stay', '1s')}"


class Crowd(Spec):
    """Crowd: many cheap listeners beside the residents. They count packets, and compare them with those of two of their
    own that decode. Expectations say whether they are about it.
    """

    count: Annotated[int, Field(ge=1, le=100_000)]
    """Number of listeners of the crowd. They stay in the room for as long as it exists."""
    per_pod: Annotated[int, Field(ge=1, le=MOST_IN_A_POD)] = 1000
    """Maximum number of them in one pod. A thousand take about a third of a processor."""
    hidden: bool = True
    """Whether others in the room are not told of them. Hidden listeners cost the relay about half, and are no model of
    an audience that everybody sees come."""
    arrivals: CrowdArrivals | None = None
    """Newcomers of the crowd, beside those who stay. Default: none."""

    rules = (
        Rule(
            f"self.count <= self.perPod * {MOST_CROWD_PODS}",
            f"a crowd has at most {MOST_CROWD_PODS} pods: write a larger perPod ({MOST_IN_A_POD} at most), or a "
            "smaller count",
            holds=lambda crowd: crowd.count <= crowd.per_pod * MOST_CROWD_PODS,
        ),
        Rule(
            f"!({_ARRIVE}) || {_AT_ONCE} <= (self.perPod > {MOST_IN_A_POD - MOST_NEWCOMERS_IN_A_POD} "
            f"? {MOST_IN_A_POD} - self.perPod : {MOST_NEWCOMERS_IN_A_POD})",
            f"a pod holds {MOST_NEWCOMERS_IN_A_POD} newcomers at a time, and {MOST_IN_A_POD} listeners with those who "
            "stay: write a longer arrivals.every, a shorter arrivals.stay, or a smaller perPod",
            holds=lambda crowd: crowd.newcomers <= min(MOST_NEWCOMERS_IN_A_POD, MOST_IN_A_POD - crowd.per_pod),
        ),
    )

    @property
    def pods(self) -> int:
        """The number of its pods."""
        return -(-self.count // self.per_pod)

    @property
    def newcomers(self) -> int:
        """The most newcomers that have a place in one pod at a time."""
        if self.arrivals is None:
            return 0
        return (self.arrivals.stay + SETTLED_AFTER) // (self.arrivals.every * self.pods) + 1


class Listeners(Spec):
    """Fleet of virtual listeners: residents, which stay in the room, arrivals, which come and go, and a crowd."""

    count: Annotated[int, Field(ge=1, le=10_000)] = 6
    """Number of residents: listeners that stay in the room for as long as it exists."""
    per_pod: Annotated[int, Field(ge=1, le=20)] = 3
    """Maximum number of residents in one pod. Too many on a slow processor report gaps that are not in the audio."""
    arrivals: Arrivals | None = Arrivals()
    """Arrivals, which reveal failures that listeners already in the room do not notice, such as refused joins."""
    crowd: Crowd | None = None
    """Crowd of cheap listeners. Default: none."""


class Host(StrEnum):
    """Who speaks in the room."""

    MANAGED = "Managed"
    """The operator runs a host that speaks a time code, which tells live sound from any other."""
    EXTERNAL = "External"
    """Somebody else speaks. Only sound and silence can be told apart."""


_DAY = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT = f"[0-9]{{4}}-{_DAY}T{_TIME}:[0-5][0-9]([.][0-9]{{1,6}})?(Z|[+-]{_TIME})"
"""RFC 3339. No format: with that of a date CEL would take it for a timestamp, and could not say what to write."""


class Program(Spec):
    """Program of the room: who speaks, and the hold music before it."""

    host: Host = Host.MANAGED
    """Who speaks. Managed: the operator runs a host that speaks a time code, so that listeners can tell live speech
    from hold music, stale sound and any other. External: somebody else speaks, and listeners only tell sound from
    silence."""
    hold: Annotated[Duration, DurationBounds("0s", "10m")] = parse_duration("3s")
    """How long the managed host plays hold music before it starts to speak."""
    starts_at: (
        Annotated[
            str,
            StringConstraints(max_length=40),
            Matching(_INSTANT, 'write a time with its zone, like "2026-08-12T20:00:00-04:00"'),
            AfterValidator(on_the_calendar),
        ]
        | None
    ) = None
    """When the show is announced to start. The indicator StartDelay counts from then, and nothing else does: the
    managed host speaks whatever the time is. Default: StartDelay counts from the beginning of the judged window."""

    @property
    def start(self) -> float | None:
        """When the show is announced to start, in Unix seconds."""
        return datetime.fromisoformat(self.starts_at).timestamp() if self.starts_at is not None else None


class Door(Spec):
    """Door of the room: the endpoint at which clients get their tokens."""

    url: Annotated[
        str,
        StringConstraints(max_length=256),
        Matching("https?://[^/ ]+(/[^ ]*)?", 'write the address of the token endpoint, like "http://door:8090/token"'),
    ]
    """URL of a token endpoint, as pods in this namespace reach it: anybody's that answers as LiveKit's client SDKs
    expect (`TokenSource.endpoint`). Listeners ask it for a token at every join. The crowd and the managed host sign
    their own."""
    counts: (
        Annotated[
            str,
            StringConstraints(max_length=256),
            Matching(
                "https?://[^/ ]+(/[^ ]*)?", 'write the address of the count, like "http://door:8090/rooms/main-stage"'
            ),
        ]
        | None
    ) = None
    """URL of the room's public listener count, as the operator reaches it: a GET answers JSON with `listeners.now`, the
    number of listeners now. It is asked once a second, for the indicator CountError. Default: nobody asks."""
    component: Name | None = None
    """Component of the room whose pods are this door, if they are of Showstopper's own stage (chart audio-room with
    `door.enabled`). They carry out faults of the door on themselves. Default: the door is somebody else's, and takes no
    such faults."""


class AudioRoomSpec(Spec):
    """Desired state of the room: the deployment under test, and the listeners that measure it."""

    livekit: LiveKit
    """LiveKit deployment that carries the room."""
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=16)]
    """Parts of the deployment under test that faults can target."""
    listeners: Listeners = Listeners()
    """Fleet of virtual listeners that join the room and measure what they hear."""
    program: Program = Program()
    """Program of the room: who speaks, and the hold music before it."""
    door: Door | None = None
    """Door of the room, where listeners get their tokens. Default: they sign their own."""

    rules = (
        unique_names("components", "components"),
        Rule(
            "!has(self.door) || !has(self.door.component) || "
            "self.components.exists(each, each.name == self.door.component)",
            "door.component names a component of the room: add it to components, or leave it out",
            holds=lambda spec: (
                spec.door is None
                or spec.door.component is None
                or spec.door.component in {component.name for component in spec.components}
            ),
        ),
        Rule(
            "!has(self.listeners.crowd) || self.program.host == 'Managed'",
            "a crowd needs program.host: Managed: it cannot tell an external host's pauses from dead air yet. Leave "
            "listeners.crowd out",
            holds=lambda spec: spec.listeners.crowd is None or spec.program.host is Host.MANAGED,
        ),
    )

    def component(self, name: str) -> Component | None:
        """The component of that name, if the room has it."""
        return next((component for component in self.components if component.name == name), None)


class MeasuredIndicator(Status):
    """Measured value of an indicator, with bounds where part of the measurement is missing."""

    indicator: Text
    """Name of the indicator, such as AudibleRatio."""
    value: Text | None = None
    """Measured value in the indicator's unit, such as "76.4%", "9.48s" or "3". Absent if there is no value."""
    at_least: Text | None = None
    """Lower bound of the true value. Absent if the value is exact."""
    at_most: Text | None = None
    """Upper bound of the true value. Absent if the value is exact, or has no upper bound."""
    samples: int = 0
    """Number of listeners or arrivals that the value rests on."""
    worst_listener: Text | None = None
    """Listener with the worst value."""
    worst: Text | None = None
    """Value of the worst listener, in the indicator's unit."""
    reason: Message | None = None
    """Why there is no value, or why it is not known exactly."""


class ComponentImage(Status):
    """Image that pods of a component run. During a rollout a component has several."""

    component: Name
    """Component whose pods run the image."""
    container: Name
    """Container that runs the image."""
    image: Annotated[str, StringConstraints(max_length=512)]
    """Image reference as the pod declares it."""
    digest: Annotated[str, StringConstraints(max_length=512)] = ""
    """Digest of the running image. Empty until the container has started."""
    template: Annotated[str, StringConstraints(max_length=64)] = ""
    """Hash of the pod template that the component's workload declares. It begins with "mixed" while its pods may have
    several. Empty if no Deployment, StatefulSet, DaemonSet or Argo Rollout makes them."""


class CrowdStatus(Status):
    """Number of listeners of the crowd that are wanted, that report, and that hear the host."""

    intended: int = 0
    """Number of listeners that should be in the crowd."""
    reporting: int = 0
    """Number of listeners whose state is known."""
    live: int = 0
    """Number of listeners that heard the live host some five seconds ago: so long it takes until that is settled."""
    others: Text | None = None
    """States of the other ones, with how many are in each, such as "12 NoMedia, 3 Unknown"."""
    refusals: Text | None = None
    """Why joins were refused since the crowd's processes began, with how many were, such as "15 Unavailable"."""


class ListenersStatus(Status):
    """Number of residents that are wanted, that report, and that hear the host."""

    intended: int = 0
    """Number of residents that should be in the room."""
    reporting: int = 0
    """Number of residents whose state is known."""
    live: int = 0
    """Number of residents that hear the live host or, with an external host, sound."""
    crowd: CrowdStatus | None = None
    """Number of the crowd's listeners, likewise. Absent if the room has no crowd."""


class AudioRoomStatus(Status):
    """Observed state of the room."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until the operator has seen the room."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the residents hear the host), Reconciling, Stalled, Finished, Suspended and, if an archive is
    configured, Archived."""
    listeners: ListenersStatus = ListenersStatus()
    """Number of residents that are wanted, that report, and that hear the host."""
    audible: Text | None = None
    """AudibleRatio over the last minute: share of the listening time in which residents heard the host."""
    serving: Annotated[list[Text], Field(max_length=64)] = []
    """Names of the pods from which listeners receive media now."""
    indicators: Annotated[list[MeasuredIndicator], Field(max_length=32)] = []
    """Indicators measured over the last minute."""
    release: Annotated[list[ComponentImage], Field(max_length=64)] = []
    """Images that the pods of the components run now: the release."""
    measured_at: Timestamp | None = None
    """When this status was measured."""


class AudioRoom(Resource):
    """Audio room under test: its deployment, and the virtual listeners that measure what is heard in it."""

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
