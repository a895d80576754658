"""Storms as they are declared, what comes of one, and the two parts of them that agents do: the gate, and counting."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from showstopper.api.faults.crowd import CrowdFault
from showstopper.api.faults.gates import Arrivals, Gate
from showstopper.api.schema.base import Message, Name, PortNumber, Spec, Status, Text
from showstopper.api.schema.quantities import Duration, DurationBounds, parse_duration
from showstopper.api.schema.rules import Rule

_A_BUDGET = "all at once needs a budget: write joins, or a rate in joins a second"
_A_NUMBER = "all at once needs a budget: write connections, or a rate in connections a second"
_TWICE = "everybody joins, is dropped and joins again: write tries of twice the clients or more"
# livekit-server 1.13.5, pkg/rtc/room.go: a participant who is not ready after a minute is removed (JoinTimeout).
_SENT_AWAY = (
    "LiveKit sends whoever takes no media away after a minute: write a drop below 1m, or leave signallingOnly out"
)
_A_RATE = "a ramp is of a rate: write rate, in joins a second, or leave ramp out"


class JoinStorm(CrowdFault):
    """A pod in the room's namespace joins the room as many visitors, through the targets. Each visitor tries once."""

    brings_people: ClassVar[bool] = True

    port: Name
    """The TCP port of the targets that takes joins, by its name in the room. Targets take turns."""
    joins: Annotated[int, Field(ge=1, le=3000)] | None = None
    """Number of joins. Required without `rate`. Default: what the rate makes of the duration, without its last four
    seconds: two for the last join, and two in which all leave."""
    rate: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Joins a second, over all targets. Default: all at once, and then `joins` is needed."""
    ramp: Annotated[Duration, DurationBounds("1s", "5m")] | None = None
    """Time over which the rate grows evenly from nothing. Default: the rate holds from the first join on."""
    signalling_only: bool = False
    """Whether visitors are only let in: signalling without ICE, DTLS and sound. Otherwise they take the sound, too, and
    the target has to be `serving: true`."""
    hidden: bool = False
    """Whether nobody in the room is told of the visitors. Only visible ones are what an audience is."""

    rules = (
        Rule(
            "has(self.rate) || has(self.joins)",
            _A_BUDGET,
            holds=lambda storm: storm.rate is not None or storm.joins is not None,
        ),
        Rule(
            "!has(self.ramp) || has(self.rate)",
            _A_RATE,
            holds=lambda storm: storm.ramp is None or storm.rate is not None,
        ),
    )


class RetryStorm(CrowdFault):
    """A pod in the room's namespace joins the room as many clients, drops them all at once, and they come back at once.

    A client that is refused tries again without backoff, until it is in or the budget of tries is used up.
    """

    brings_people: ClassVar[bool] = True

    port: Name
    """The TCP port of the targets that takes joins, by its name in the room. Targets take turns."""
    clients: Annotated[int, Field(ge=1, le=1000)]
    """Number of clients."""
    tries: Annotated[int, Field(ge=2, le=50_000)]
    """The most joins of all clients together, first ones included: at least twice the number of clients."""
    rate: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Clients a second at first, before the drop. Default: all at once."""
    drop: Annotated[Duration, DurationBounds("1s", "5m")] = parse_duration("5s")
    """When all connections are dropped, counted from the first join."""
    pause: Annotated[Duration, DurationBounds("0s", "10s")] = parse_duration("0s")
    """How long a refused client waits before it tries again. The wait stays the same from try to try."""
    signalling_only: bool = False
    """Whether clients are only let in: signalling without ICE, DTLS and sound. Otherwise they take the sound, too, and
    the target has to be `serving: true`."""
    hidden: bool = False
    """Whether nobody in the room is told of the clients. Only visible ones are what an audience is."""

    rules = (
        Rule(
            "self.tries >= 2 * self.clients",
            _TWICE,
            holds=lambda storm: storm.tries >= 2 * storm.clients,
        ),
        Rule(
            "!self.signallingOnly || duration(self.drop) < duration('1m')",
            _SENT_AWAY,
            holds=lambda storm: not storm.signalling_only or storm.drop < parse_duration("1m"),
        ),
    )


class Opening(StrEnum):
    """How far a connection of a flood goes."""

    TCP = "TCP"
    """It is connected, and held open without a word."""
    WEB_SOCKET = "WebSocket"
    """It asks for a WebSocket without a token, which the server has to answer."""


class ConnectionFlood(CrowdFault):
    """A pod in the room's namespace opens connections to a TCP port of the targets. Nobody joins by them."""

    port: Name
    """The TCP port of the targets that is flooded, by its name in the room. Targets take turns."""
    opening: Opening = Opening.WEB_SOCKET
    """TCP: each is connected, and held open without a word. WebSocket: each asks for a WebSocket without a token, which
    the server has to answer."""
    connections: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Number of connections. Required without `rate`. Default: what the rate makes of the duration, without its last
    four seconds: two for the last connection, and two in which all are closed."""
    rate: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Connections a second, over all targets. Default: all at once, and then `connections` is needed."""

    rules = (
        Rule(
            "has(self.rate) || has(self.connections)",
            _A_NUMBER,
            holds=lambda flood: flood.rate is not None or flood.connections is not None,
        ),
    )


class MediaPort(Spec):
    """UDP port, or range of ports, that media comes by."""

    port: PortNumber
    """Port number, or the first one of the range."""
    end_port: PortNumber | None = None
    """Last port of the range. Default: `port` alone."""

    @property
    def last(self) -> int:
        """The last port of the range, which may be the first one too."""
        return self.end_port or self.port


class StormGate(Gate):
    """The target is the pod of a storm: what it sends passes to these ports of the peers only, under the lease."""

    signalling: PortNumber
    """TCP port that the joins go to."""
    media: Annotated[tuple[MediaPort, ...], Field(max_length=16)] = ()
    """UDP ports that media comes by. Default: the storm takes none."""


class StormArrivals(Arrivals):
    """Count what arrives from the peers, which are pods of storms, at a TCP port of the targets; nothing is changed."""

    signalling: PortNumber
    """TCP port that the joins go to."""


class RefusedJoins(Status):
    """Joins, or connections, that were refused for one reason."""

    reason: Text
    """Why, such as Unauthorized (HTTP 401 or 403), NotFound (404), Unavailable (503), TimedOut or Unreachable."""
    count: int
    """Number of joins."""


class JoinTimes(Status):
    """How long joins took to a step, of those that got there."""

    count: int
    """Number of joins that got there."""
    p50: Text
    """Median, such as "31.4ms"."""
    p95: Text
    """95th percentile."""
    longest: Text
    """Longest time."""


class StormFigures(Status):
    """The outcome of a storm: joins, or connections, that were tried. Each succeeded, failed, or is unknown."""

    asked: int
    """Number of joins, or connections, that were asked for."""
    attempts: int = 0
    """Number of them that were tried."""
    let_in: int = 0
    """Number of visitors who got in, or of connections that were taken."""
    refused: Annotated[list[RefusedJoins], Field(max_length=16)] = []
    """Tries that were refused, by reason, the most frequent one first."""
    unknown: int = 0
    """Number of tries that say nothing of the room: the storm's own process failed, stood still, or was ended."""
    answered: int = 0
    """Number of tries that the other side answered: with 101, with another answer over HTTP, or with a connection."""
    heard: int = 0
    """Number of visitors who got a packet of sound."""
    lost: int = 0
    """Number of visitors who got in and lost their session before the storm was over."""
    upgraded: JoinTimes | None = None
    """From the call to the answer: 101, or what a connection waits for."""
    connected: JoinTimes | None = None
    """From the call to a transport for media: ICE and DTLS."""
    first_packet: JoinTimes | None = None
    """From the call to the first packet of sound."""
    dropped: int | None = None
    """Number of clients of a retryStorm who were in when all connections were dropped. Absent of other storms."""
    gone: int | None = None
    """Number of clients of a retryStorm who had lost their session by then: they were not dropped, and did not come
    back. Absent of other storms."""
    back: int | None = None
    """Number of clients who were in again after the drop."""
    came_back: JoinTimes | None = None
    """From the drop until a client was in again, over as many tries as it took."""
    late_seconds: float = 0.0
    """How much later than it was due a try began at most, by the storm's own doing."""
    message: Message = ""
    """What visitors who were refused were told most often."""

    @property
    def refusals(self) -> int:
        """Number of joins that were refused."""
        return sum(each.count for each in self.refused)
