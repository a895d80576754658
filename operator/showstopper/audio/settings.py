"""Settings of host, listener and crowd, from the environment of their pods. A wrong value is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from showstopper.errors import SettingsError

PROGRAMS = ("Managed", "External")

MOST_OF_A_CROWD = 3000
"""So many cheap listeners one process and core can keep without missing a packet (`make bench-crowd`)."""

MOST_NEWCOMERS = 1000
"""Of those, at a time. What is told of them each second is some 250 kB then."""

PLACE_SECONDS = 10.0
"""So long after a newcomer has left its place is taken: until what it heard is settled, which takes some six."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Where the room is and how to get in.

    Attributes:
        door: endpoint that gives listeners their tokens. Empty: they sign their own.
    """

    name: str
    url: str
    livekit_room: str
    key: str
    secret: str = field(repr=False)
    port: int = 8090
    door: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> RoomSettings:
        """From SHOWSTOPPER_ROOM, _PORT and _DOOR, and LIVEKIT_URL, _ROOM, _API_KEY and _API_SECRET."""
        url = text(environment, "LIVEKIT_URL", "the room's address, for instance ws://relay:7880")
        if not url.startswith(("ws://", "wss://", "http://", "https://")):
            raise SettingsError(f"LIVEKIT_URL is {url!r}; it must begin with ws:// or wss://")
        return cls(
            name=text(environment, "SHOWSTOPPER_ROOM", "the AudioRoom's name"),
            url=url,
            livekit_room=text(environment, "LIVEKIT_ROOM", "the room's name in LiveKit"),
            key=text(environment, "LIVEKIT_API_KEY", "the API key's name"),
            secret=text(environment, "LIVEKIT_API_SECRET", "the API key's secret"),
            port=int(number(environment, "SHOWSTOPPER_PORT", 8090, 0, 65535, whole=True)),
            door=_door(environment),
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """The pod that a process is in."""

    namespace: str
    pod: str
    uid: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Identity | None:
        """From SHOWSTOPPER_POD_UID, SHOWSTOPPER_POD and SHOWSTOPPER_NAMESPACE. None: it is in no pod."""
        uid = environment.get("SHOWSTOPPER_POD_UID", "").strip()
        if not uid:
            return None
        return cls(
            namespace=text(environment, "SHOWSTOPPER_NAMESPACE", "the pod's namespace"),
            pod=text(environment, "SHOWSTOPPER_POD", "the pod's name"),
            uid=uid,
        )


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the host needs to know. Without an identity, nobody asks it for faults."""

    room: RoomSettings
    hold_seconds: float = 3.0
    identity: Identity | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> HostSettings:
        """The room's settings, its identity, and SHOWSTOPPER_HOLD_SECONDS of hold music before it speaks at first."""
        return cls(
            room=RoomSettings.read(environment),
            hold_seconds=number(environment, "SHOWSTOPPER_HOLD_SECONDS", 3.0, 0, 86_400),
            identity=Identity.read(environment),
        )


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """What a listener pod needs to know: how many residents, and how often a newcomer arrives."""

    room: RoomSettings
    pod: str
    residents: int
    first: int
    arrival_every: float = 0.0
    arrival_stay: float = 15.0
    arrival_phase: float = 0.0
    program: str = "Managed"
    stale_seconds: float = 5.0

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ListenerSettings:
        """The room's settings and the SHOWSTOPPER_* variables of a listener pod."""
        pod = text(environment, "SHOWSTOPPER_POD", "the pod's name")
        per_pod = int(number(environment, "SHOWSTOPPER_LISTENERS", 0, 0, 1000, whole=True, needed=True))
        first = int(number(environment, "SHOWSTOPPER_FIRST", _ordinal(pod) * per_pod, 0, 1_000_000, whole=True))
        return cls(
            room=RoomSettings.read(environment),
            pod=pod,
            residents=_residents(environment, per_pod, first),
            first=first,
            arrival_every=number(environment, "SHOWSTOPPER_ARRIVAL_EVERY", 0, 0, 86_400),
            arrival_stay=number(environment, "SHOWSTOPPER_ARRIVAL_STAY", 15, 1, 86_400),
            arrival_phase=_phase(environment, pod),
            program=_program(environment),
            stale_seconds=_stale_seconds(environment),
        )


@dataclass(frozen=True, slots=True)
class ArrivalSettings:
    """How often a newcomer of a crowd pod comes, how long it stays, and when the first one comes, in seconds."""

    every: float
    stay: float
    phase: float = 0.0

    @property
    def places(self) -> int:
        """The most that have a place at a time."""
        return int((self.stay + PLACE_SECONDS) / self.every) + 1


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """What a crowd pod needs to know. `first` is the number of its first listener in the whole crowd."""

    room: RoomSettings
    pod: str
    size: int
    first: int = 0
    hidden: bool = True
    stale_seconds: float = 5.0
    arrivals: ArrivalSettings | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> CrowdSettings:
        """The room's settings and the SHOWSTOPPER_* variables of a crowd pod."""
        if _program(environment) != "Managed":
            raise SettingsError(
                "SHOWSTOPPER_PROGRAM is 'External'; a crowd cannot tell an external host's pauses from dead air yet: "
                "write program.host: Managed, or leave listeners.crowd out"
            )
        pod = text(environment, "SHOWSTOPPER_POD", "the pod's name")
        per_pod = int(number(environment, "SHOWSTOPPER_LISTENERS", 0, 1, MOST_OF_A_CROWD, whole=True, needed=True))
        first = _ordinal(pod) * per_pod
        size = _residents(environment, per_pod, first)
        if size == 0:
            raise SettingsError(f"SHOWSTOPPER_COUNT leaves nobody for {pod}, whose first listener is number {first}")
        return cls(
            room=RoomSettings.read(environment),
            pod=pod,
            size=size,
            first=first,
            hidden=_choice(environment, "SHOWSTOPPER_HIDDEN", ("true", "false")) == "true",
            stale_seconds=_stale_seconds(environment),
            arrivals=_arrivals(environment, pod, size),
        )


def _door(environment: Mapping[str, str]) -> str:
    door = environment.get("SHOWSTOPPER_DOOR", "").strip()
    if door and not door.startswith(("http://", "https://")):
        raise SettingsError(f"SHOWSTOPPER_DOOR is {door!r}; it must begin with http:// or https://")
    return door


def _arrivals(environment: Mapping[str, str], pod: str, size: int) -> ArrivalSettings | None:
    """The newcomers of a crowd pod. None: none ever comes."""
    every = number(environment, "SHOWSTOPPER_ARRIVAL_EVERY", 0, 0, 86_400)
    if not every:
        return None
    stay = number(environment, "SHOWSTOPPER_ARRIVAL_STAY", 15, 1, 86_400)
    arrivals = ArrivalSettings(every, stay, _phase(environment, pod))
    if arrivals.places > MOST_NEWCOMERS or size + arrivals.places > MOST_OF_A_CROWD:
        raise SettingsError(
            f"SHOWSTOPPER_ARRIVAL_EVERY and _STAY have {arrivals.places} newcomers in at a time beside {size} "
            f"listeners; a pod holds {MOST_NEWCOMERS}, and {MOST_OF_A_CROWD} of both: let them come "
            "more rarely, or stay shorter"
        )
    return arrivals


def _program(environment: Mapping[str, str]) -> str:
    return _choice(environment, "SHOWSTOPPER_PROGRAM", PROGRAMS)


def _stale_seconds(environment: Mapping[str, str]) -> float:
    return number(environment, "SHOWSTOPPER_STALE_SECONDS", 5, 0.5, 400)


def _residents(environment: Mapping[str, str], per_pod: int, first: int) -> int:
    """As many as fit into the pod, but in the whole fleet no more than SHOWSTOPPER_COUNT, if it is set."""
    count = int(number(environment, "SHOWSTOPPER_COUNT", first + per_pod, 0, 1_000_000, whole=True))
    return max(0, min(per_pod, count - first))


def _phase(environment: Mapping[str, str], pod: str) -> float:
    """Where in their interval the pod's newcomers come: pods take turns, SHOWSTOPPER_ARRIVAL_STEP seconds apart."""
    phase = number(environment, "SHOWSTOPPER_ARRIVAL_PHASE", 0, 0, 86_400)
    return phase + _ordinal(pod) * number(environment, "SHOWSTOPPER_ARRIVAL_STEP", 0, 0, 86_400)


def _ordinal(pod: str) -> int:
    """The number at the end of a StatefulSet pod's name, 0 if there is none."""
    last = pod.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0


def _choice(environment: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of the choices. The first, if nothing is set."""
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; write {' or '.join(choices)}")
    return value


def text(environment: Mapping[str, str], name: str, meaning: str) -> str:
    """The value of a variable.

    Raises:
        SettingsError: it is not set. `meaning` says what it holds.
    """
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set; it holds {meaning}")
    return value


def number(
    environment: Mapping[str, str],
    name: str,
    default: float,
    least: float,
    most: float,
    *,
    whole: bool = False,
    needed: bool = False,
) -> float:
    """A number between two bounds. Not set: the default, unless it is needed.

    Raises:
        SettingsError: naming the variable, and what it must be.
    """
    given = environment.get(name, "").strip()
    if not given and needed:
        raise SettingsError(f"{name} is not set; it holds a number from {least:g} to {most:g}")
    if not given:
        return default
    try:
        value = int(given) if whole else float(given)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{name} is {given!r}; it must be {kind} from {least:g} to {most:g}")
    return value
