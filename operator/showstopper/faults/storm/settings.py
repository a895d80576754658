"""What a storm's process is told: the environment of its container, as the operator writes it and the process reads it.

Where the room is and what lets one in comes beside it, as listeners have it (`audio.settings.RoomSettings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from showstopper.faults.flood.sending import Endpoint
from showstopper.faults.flood.settings import GATE_PORT, TERMINATION_MESSAGE

TARGETS = "SHOWSTOPPER_STORM_TARGETS"
WITHIN = "SHOWSTOPPER_STORM_WITHIN"
SPECIAL = "SHOWSTOPPER_STORM_SPECIAL"
JOINS = "SHOWSTOPPER_STORM_JOINS"
RATE = "SHOWSTOPPER_STORM_RATE"
RAMP = "SHOWSTOPPER_STORM_RAMP"
MEDIA = "SHOWSTOPPER_STORM_MEDIA"
VISIBILITY = "SHOWSTOPPER_STORM_VISIBILITY"
SECONDS = "SHOWSTOPPER_STORM_SECONDS"
END = "SHOWSTOPPER_STORM_END"
REPORT = "SHOWSTOPPER_STORM_REPORT"
GATE = "SHOWSTOPPER_STORM_GATE"

ALL_AT_ONCE = "at-once"
"""What RATE holds when there is no rate: leaving it out is a mistake and not a storm without a pace."""
FULL, SIGNALLING = "full", "signalling"
"""What MEDIA holds."""
VISIBLE, HIDDEN = "visible", "hidden"
"""What VISIBILITY holds."""


@dataclass(frozen=True, slots=True)
class MakeJoins:
    """Start one storm: a Job that is never tried again, without a token of the cluster. It ends by itself.

    Attributes:
        targets: where joins go to, in turn.
        joins: how many, and no more.
        rate: joins a second. None: all at once.
        ramp: time over which the rate grows evenly from nothing.
        full: whether visitors take the sound, too.
        hidden: whether nobody in the room is told of them.
        lasts: how long after the first join all leave.
        end: when it has ended, however late it could start.
    """

    targets: Sequence[Endpoint]
    joins: int
    lasts: timedelta
    end: datetime
    rate: int | None = None
    ramp: timedelta = timedelta()
    full: bool = True
    hidden: bool = False


def environment(make: MakeJoins) -> dict[str, str]:
    """The environment of the storm's container, without the room's."""
    return {
        TARGETS: ",".join(map(str, make.targets)),
        WITHIN: ",".join(sorted({str(ip_address(target.address)) for target in make.targets})),
        JOINS: str(make.joins),
        RATE: ALL_AT_ONCE if make.rate is None else str(make.rate),
        RAMP: f"{make.ramp.total_seconds():g}",
        MEDIA: FULL if make.full else SIGNALLING,
        VISIBILITY: HIDDEN if make.hidden else VISIBLE,
        SECONDS: f"{make.lasts.total_seconds():g}",
        END: make.end.isoformat(),
        REPORT: TERMINATION_MESSAGE,
        GATE: str(GATE_PORT),
    }
