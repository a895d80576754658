"""Tallies: what doors have counted of a room. All of it only grows, so that replicas agree by taking the larger. Pure.

Each replica is told of every join by LiveKit itself, and reads what the others have counted: one that started anew, or
missed something, knows it from them. Nothing is counted twice, for nothing is added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Tally:
    """One room, from its creation in LiveKit to its end.

    Attributes:
        created: when LiveKit made the room, in Unix seconds. One that is made anew is another one, and begins at zero.
        sid: LiveKit's name of it, which no other room ever has.
        peak: the most listeners that were in at once.
        joins: how often a listener came in. Who comes back counts again.
        looks: by replica, how often it was asked for the count.
    """

    created: int = 0
    sid: str = ""
    peak: int = 0
    joins: int = 0
    looks: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_looks(self) -> int:
        """How often any replica was asked for the count."""
        return sum(self.looks.values())

    def looked_at(self, replica: str) -> Tally:
        """A replica was asked for the count once more."""
        return replace(self, looks={**self.looks, replica: self.looks.get(replica, 0) + 1})

    def joined(self) -> Tally:
        """One more listener has come in."""
        return replace(self, joins=self.joins + 1)

    def seen(self, listeners: int) -> Tally:
        """So many listeners are in now. They all came in, also those who did before anybody counted."""
        return replace(self, peak=max(self.peak, listeners), joins=max(self.joins, listeners))

    def merged(self, other: Tally) -> Tally:
        """What both together know. In whatever order tallies are merged, and how often, the result is the same."""
        if (self.created, self.sid) != (other.created, other.sid):
            return max(self, other, key=lambda tally: (tally.created, tally.sid))
        looks = {
            replica: max(self.looks.get(replica, 0), other.looks.get(replica, 0))
            for replica in sorted({*self.looks, *other.looks})
        }
        return replace(self, peak=max(self.peak, other.peak), joins=max(self.joins, other.joins), looks=looks)

    def document(self) -> dict[str, object]:
        """As replicas tell each other."""
        return {
            "created": self.created,
            "sid": self.sid,
            "peak": self.peak,
            "joins": self.joins,
            "looks": dict(self.looks),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Tally:
        """What a replica has told.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            created=int(document["created"]),
            sid=str(document["sid"]),
            peak=int(document["peak"]),
            joins=int(document["joins"]),
            looks={str(replica): int(looks) for replica, looks in document["looks"].items()},
        )
