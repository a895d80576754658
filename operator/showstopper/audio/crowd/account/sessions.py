"""When the listeners of a crowd had no session, and how often they were refused and lost, from its diary. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.availability.spans import State

_WITHOUT = {Event.LOST: State.JOINING, Event.REFUSED: State.OFFLINE}
"""Who is lost comes back at once, as its client does. Who was refused waits before it tries again."""


class Sessions:
    """One for each slot."""

    def __init__(self, slots: int, began: float) -> None:
        """Nobody is in. Everybody joins from `began` on."""
        self.refused: Counter[str] = Counter()
        """Joins and tries to resume that failed, by Refusal."""
        self.lost: Counter[str] = Counter()
        """Sessions that were lost, by Loss."""
        self._since: list[tuple[float, State] | None] = [(began, State.JOINING)] * slots
        self._over: list[list[tuple[float, float, State]]] = [[] for _ in range(slots)]

    def take(self, entry: Entry) -> None:
        """Take what happened, in the order in which it did."""
        if entry.event is Event.REFUSED:
            self.refused[entry.reason] += 1
        elif entry.event is Event.LOST:
            self.lost[entry.reason] += 1
        if (since := self._since[entry.slot]) is not None:
            self._over[entry.slot].append((since[0], entry.at, since[1]))
        state = _WITHOUT.get(entry.event)
        self._since[entry.slot] = None if state is None else (entry.at, state)

    def without(self, slot: int) -> Sequence[tuple[float, float, State]]:
        """When it had none, and whether it was Joining or Offline then."""
        since = self._since[slot]
        return [*self._over[slot], *([] if since is None else [(since[0], math.inf, since[1])])]

    def forget(self, slot: int, before: float) -> None:
        """Forget what was over by then."""
        self._over[slot] = [each for each in self._over[slot] if each[1] > before]
