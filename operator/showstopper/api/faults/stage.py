"""Faults of the stage as they are declared: what a room's managed host does instead of its programme, and its door."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Spec, Status, Timestamp
from showstopper.api.schema.quantities import Duration, DurationBounds, SomePercent, parse_duration
from showstopper.api.schema.rules import Rule

_LEAST_BETWEEN = parse_duration("500ms")
_BOTH = (
    "a pattern has a burst and a repetition: write burst and every, or neither for sound that is mangled all the time"
)
_HOW_MANY_TIMES = "Multiplied takes a factor, and nothing else does: write factor, like 100, or leave it out"
_HEARD_BETWEEN = "between two bursts the host is heard for 500ms at least: write a longer every, or a shorter burst"


class HostFault(FaultKind):
    """A fault that the room's managed host carries out on itself. There is one host, so there is nothing to choose."""

    hand: ClassVar[Hand] = Hand.STAGE
    aims_at: ClassVar[Aim] = Aim.HOST


class DeadAir(HostFault):
    """The host goes on sending packets, of silence: connections and relays are well, and nobody hears anything."""


class HoldStall(HostFault):
    """Hold music goes on, or begins, instead of the host: the show does not start, or is interrupted."""


class Garble(HostFault):
    """The host's sound is mangled, so that nobody understands a word: all the time, or in and out by a pattern."""

    burst: Annotated[Duration, DurationBounds("600ms", "1m")] | None = None
    """How long the sound is mangled at a time. Required with `every`. Default: all the time."""
    every: Annotated[Duration, DurationBounds("1s", "2m")] | None = None
    """How long it is from the beginning of a burst to that of the next. Between them the host is heard. Required with
    `burst`."""

    rules = (
        Rule(
            "has(self.burst) == has(self.every)",
            _BOTH,
            holds=lambda garble: (garble.burst is None) is (garble.every is None),
        ),
        Rule(
            "!has(self.burst) || !has(self.every) || duration(self.burst) + duration('500ms') <= duration(self.every)",
            _HEARD_BETWEEN,
            holds=lambda garble: (
                garble.burst is None or garble.every is None or garble.burst + _LEAST_BETWEEN <= garble.every
            ),
        ),
    )


class HostLeaves(HostFault):
    """The host leaves the room, and joins it again at the end: nobody speaks, and no packet comes."""


class DoorFault(FaultKind):
    """A fault that the room's door carries out on itself, in all its pods: whichever is asked answers the same."""

    hand: ClassVar[Hand] = Hand.STAGE
    aims_at: ClassVar[Aim] = Aim.DOOR


class RoomUnavailable(DoorFault):
    """The door answers "this room is not available" (HTTP 503) to those who ask for a token. Who is in stays in."""

    percent: SomePercent | None = None
    """Share of the people who are turned away, by their identities: who was turned away once is so again. The others
    get in. Default: everybody."""
    wait: Annotated[Duration, DurationBounds("0s", "1m")] = parse_duration("0s")
    """How long they wait for that answer."""


class Skew(StrEnum):
    """Ways in which a public count of listeners is wrong."""

    MULTIPLIED = "Multiplied"
    """Every figure is shown `factor` times too large."""
    CUMULATIVE = "Cumulative"
    """All who ever came in are shown as being in now."""
    LEAVES_UNCOUNTED = "LeavesUncounted"
    """Who leaves is still counted, so that the figure only grows."""
    IMPRESSIONS = "Impressions"
    """Everybody who looks at the count is counted as a listener."""


class CountSkew(DoorFault):
    """The door shows a wrong number of listeners. Who listens, and what they hear, is as before."""

    shows: Skew
    """How the count is wrong. Multiplied: every figure is shown `factor` times too large. Cumulative: all who ever came
    in are shown as being in now. LeavesUncounted: who leaves is still counted. Impressions: everybody who looks at the
    count is counted as a listener."""
    factor: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    """How many times too large. Required with Multiplied, and with nothing else."""

    rules = (
        Rule(
            "(self.shows == 'Multiplied') == has(self.factor)",
            _HOW_MANY_TIMES,
            holds=lambda skew: (skew.shows is Skew.MULTIPLIED) is (skew.factor is not None),
        ),
    )


class DoorFigures(Status):
    """What a pod of the door has counted of a fault that it carries out on itself."""

    at: Timestamp
    """When the door counted."""
    asked: Annotated[int, Field(ge=0)] = 0
    """How often it was asked for what the fault is about."""
    answered: Annotated[int, Field(ge=0)] = 0
    """How often it answered as the fault wants."""


class HostFigures(Status):
    """What a host has counted of a fault that it carries out on itself."""

    at: Timestamp
    """When the host counted."""
    milliseconds: Annotated[int, Field(ge=0)] = 0
    """For how long it did what the fault asks for: sound that it sent and the room took, or time out of the room."""


class StageKinds(Spec):
    """A choice of one fault of the stage: a field for each kind."""

    dead_air: DeadAir | None = None
    hold_stall: HoldStall | None = None
    garble: Garble | None = None
    host_leaves: HostLeaves | None = None
    room_unavailable: RoomUnavailable | None = None
    count_skew: CountSkew | None = None
