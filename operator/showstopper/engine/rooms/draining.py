"""Draining: when a room's fleet leaves it, so that a relay that drains can end. Pure.

LiveKit ends when its participants have left, and listeners and hosts of ours stay. Nobody can be sent elsewhere by
himself: who joins a room goes to the node that has it, also to one that drains, until that has closed the room, some
time after the last has left (livekit: pkg/service/roomallocator.go, SelectRoomNode; `departure_timeout`, 20 s). So all
leave together, stay away, and come back to another relay.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from showstopper.clock import from_timestamp
from showstopper.engine.rooms.pods import Pod

LEAST_SECONDS = 60.0
"""A pod that ends sooner by itself is not worth it: to leave and to come back takes about as long."""
AWAY_SECONDS = 60.0
"""Three times the departure timeout. Whoever keeps a relay alive for longer than that is none of ours."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The fleet has left, for the sake of this pod.

    Attributes:
        since: Unix seconds.
    """

    pod: str
    uid: str
    since: float


@dataclass(slots=True)
class Draining:
    """Whether the fleet of one room is away. A pod is left once, whether that has ended it or not.

    Attributes:
        away: for whose sake it is. None if it is there.
    """

    away: Departure | None = None
    _left: set[str] = field(default_factory=set)

    def look(self, serving: Iterable[Pod], there: Collection[Pod], now: float, *, held: bool) -> None:
        """Decide it anew.

        Args:
            serving: the pods from which residents get media.
            there: the components' pods.
            now: Unix seconds.
            held: a run measures with the fleet, which then stays where it is.
        """
        uids = {str(pod["metadata"]["uid"]) for pod in there}
        self._left &= uids
        if self.away is not None and (held or self.away.uid not in uids or now - self.away.since >= AWAY_SECONDS):
            self.away = None
        if self.away is None and not held:
            self.away = next((_away(pod, now) for pod in serving if self._has_to_be_left(pod, now)), None)
            self._left |= {self.away.uid} if self.away is not None else set()

    def _has_to_be_left(self, pod: Pod, now: float) -> bool:
        ends = pod["metadata"].get("deletionTimestamp")
        return bool(ends) and pod["metadata"]["uid"] not in self._left and from_timestamp(ends) - now > LEAST_SECONDS


def _away(pod: Pod, now: float) -> Departure:
    return Departure(str(pod["metadata"]["name"]), str(pod["metadata"]["uid"]), now)
