"""What a storm's process is told: the environment of its container, as the operator writes it and the process reads it.

Where the room is and what lets one in comes beside it, as listeners have it (`audio.settings.RoomSettings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from showstopper.faults import task
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.task import Names

TARGETS = "SHOWSTOPPER_STORM_TARGETS"
WITHIN = "SHOWSTOPPER_STORM_WITHIN"
SPECIAL = "SHOWSTOPPER_STORM_SPECIAL"
TRIES = "SHOWSTOPPER_STORM_TRIES"
RATE = "SHOWSTOPPER_STORM_RATE"
RAMP = "SHOWSTOPPER_STORM_RAMP"
DEPTH = "SHOWSTOPPER_STORM_DEPTH"
VISIBILITY = "SHOWSTOPPER_STORM_VISIBILITY"
SECONDS = "SHOWSTOPPER_STORM_SECONDS"
CLIENTS = "SHOWSTOPPER_STORM_CLIENTS"
DROP = "SHOWSTOPPER_STORM_DROP"
PAUSE = "SHOWSTOPPER_STORM_PAUSE"
END = "SHOWSTOPPER_STORM_END"
REPORT = "SHOWSTOPPER_STORM_REPORT"
GATE = "SHOWSTOPPER_STORM_GATE"
TASK = Names(targets=TARGETS, within=WITHIN, special=SPECIAL, end=END, report=REPORT, gate=GATE)

ALL_AT_ONCE = "at-once"
"""What RATE holds when there is no rate: leaving it out is a mistake and not a storm without a pace."""
VISIBLE, HIDDEN = "visible", "hidden"
"""What VISIBILITY holds."""


class Depth(StrEnum):
    """How far each try goes. What DEPTH holds."""

    FULL = "full"
    """Into the room, with the sound."""
    SIGNALLING = "signalling"
    """Into the room, without ICE and DTLS."""
    WEB_SOCKET = "websocket"
    """To the answer to a call for a WebSocket without a token."""
    TCP = "tcp"
    """To a connection, which is held open without a word."""

    @property
    def joins(self) -> bool:
        """Whether it goes into the room, for which it needs a token."""
        return self in {Depth.FULL, Depth.SIGNALLING}


@dataclass(frozen=True, slots=True)
class Comeback:
    """How clients are dropped all at once, and come back.

    Attributes:
        clients: how many there are.
        drop: seconds from the first join until all connections are dropped.
        pause: seconds that a client who was refused waits before it tries again.
    """

    clients: int
    drop: float
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class MakeTries:
    """Start one storm: a Job that is never tried again, without a token of the cluster. It ends by itself.

    Attributes:
        targets: where tries go to, in turn.
        tries: how many, and no more.
        rate: tries a second. None: all at once.
        ramp: seconds over which the rate grows evenly from nothing.
        depth: how far each goes.
        hidden: whether nobody in the room is told of who joins.
        lasts: how long after the first try all are ended.
        comeback: of clients who try again; None: everybody tries once.
        end: when it has ended, however late it could start.
    """

    targets: Sequence[Endpoint]
    tries: int
    lasts: timedelta
    end: datetime
    rate: int | None = None
    ramp: float = 0.0
    depth: Depth = Depth.FULL
    hidden: bool = False
    comeback: Comeback | None = None


def environment(make: MakeTries) -> dict[str, str]:
    """The environment of the storm's container, without the room's."""
    return {
        **task.environment(TASK, make.targets, make.end),
        TRIES: str(make.tries),
        RATE: ALL_AT_ONCE if make.rate is None else str(make.rate),
        RAMP: f"{make.ramp:g}",
        DEPTH: make.depth.value,
        VISIBILITY: HIDDEN if make.hidden else VISIBLE,
        SECONDS: f"{make.lasts.total_seconds():g}",
        **_comeback(make.comeback),
    }


def _comeback(comeback: Comeback | None) -> dict[str, str]:
    if comeback is None:
        return {}
    return {CLIENTS: str(comeback.clients), DROP: f"{comeback.drop:g}", PAUSE: f"{comeback.pause:g}"}
