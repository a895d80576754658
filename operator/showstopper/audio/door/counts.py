"""Counts: how many listeners a room has, had at once, and had in all, as a platform shows it beside the room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from livekit.protocol.models import Room
from livekit.protocol.webhook import WebhookEvent

from showstopper.audio.door.tallies import Tally

MOST_EVENTS = 10_000
"""Events whose names are kept: LiveKit tells again what was not answered in time."""


@dataclass(frozen=True, slots=True)
class Count:
    """What is known of a room. `measured_at`: when LiveKit was asked last, in Unix seconds.

    `looks` is how often the count was asked for, which is shown only by a door that takes it for listeners.
    """

    now: int
    peak: int
    cumulative: int
    measured_at: float
    looks: int = 0


class Counts:
    """Of all rooms of a door."""

    def __init__(self, rooms: Iterable[str]) -> None:
        self.rooms = tuple(rooms)
        self.tallies: dict[str, Tally] = {}
        self._now: dict[str, int] = {}
        self._measured_at: float | None = None
        self._seen: OrderedDict[str, None] = OrderedDict()

    def count(self, room: str) -> Count | None:
        """What is shown of a room. None: nothing is known yet."""
        if self._measured_at is None:
            return None
        tally = self.tallies.get(room, Tally())
        return Count(self._now.get(room, 0), tally.peak, tally.joins, self._measured_at, tally.all_looks)

    def looked_at(self, room: str, replica: str) -> None:
        """Somebody has asked this replica for the count of a room."""
        self.tallies[room] = self.tallies.get(room, Tally()).looked_at(replica)

    def polled(self, rooms: Iterable[Room], at: float) -> None:
        """All rooms as LiveKit lists them at that time. One that is missing is over, or has not begun."""
        self._now, self._measured_at = {}, at
        for room in rooms:
            listeners = self._now[room.name] = max(0, room.num_participants - room.num_publishers)
            self._take(room.name, Tally(room.creation_time, room.sid))
            self.tallies[room.name] = self.tallies[room.name].seen(listeners)

    def told(self, event: WebhookEvent) -> None:
        """Take what LiveKit tells. Who may speak is no listener."""
        if event.event != "participant_joined" or event.participant.permission.can_publish or self._knows(event.id):
            return
        name = event.room.name
        if name in self.rooms:
            self._take(name, Tally(event.room.creation_time, event.room.sid))
            if self.tallies[name].sid == event.room.sid:
                self.tallies[name] = self.tallies[name].joined()

    def merge(self, document: Mapping[str, Any]) -> None:
        """Take what another replica has counted.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is something else.
        """
        for name, counted in document["rooms"].items():
            if name in self.rooms:
                self._take(name, Tally.read(counted))

    def document(self) -> dict[str, object]:
        """What other replicas are told."""
        return {"rooms": {name: tally.document() for name, tally in self.tallies.items()}}

    def _take(self, room: str, tally: Tally) -> None:
        known = self.tallies.get(room)
        self.tallies[room] = known.merged(tally) if known is not None else tally

    def _knows(self, event: str) -> bool:
        """Whether an event was told before."""
        if event in self._seen:
            return True
        self._seen[event] = None
        if len(self._seen) > MOST_EVENTS:
            self._seen.popitem(last=False)
        return False
