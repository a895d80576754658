"""When the listeners of a crowd had no session, and how often they were refused and lost, from its diary. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from showstopper.audio.crowd import stalls
from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.stalls import Stall
from showstopper.availability.spans import State

_WITHOUT = {Event.LOST: State.JOINING, Event.REFUSED: State.OFFLINE}
"""Who is lost comes back at once, as its client does. Who was refused waits before it tries again. Where either may be
our own doing, it is Unknown what the room would have done."""


class Sessions:
    """One for each slot."""

    def __init__(self, slots: int, began: float) -> None:
        """Nobody is in. Everybody joins from `began` on."""
        self.refused: Counter[str] = Counter()
        """Joins and tries to resume that failed, by Refusal. INSTRUMENT for what may be our own doing."""
        self.lost: Counter[str] = Counter()
        """Sessions that were lost, by Loss. INSTRUMENT likewise."""
        self._since: list[tuple[float, State] | None] = [(began, State.JOINING)] * slots
        self._over: list[list[tuple[float, float, State]]] = [[] for _ in range(slots)]

    def take(self, entry: Entry, stood_still: Iterable[Stall] = ()) -> None:
        """Take what happened, in the order in which it did. `stood_still` is when our own process did, until then."""
        at, state, since = entry.at, _WITHOUT.get(entry.event), self._since[entry.slot]
        stall = stalls.before(at, stood_still)
        goes_on = stall is not None and since is not None and since[1] is State.UNKNOWN
        if is_ours := state is not None and (goes_on or stalls.is_ours(entry.reason, stall)):
            state = State.UNKNOWN
        if is_ours and stall is not None:  # it was lost then, and we were told later
            at = min(at, stall[1])
        if entry.event is Event.REFUSED:
            self.refused[Refusal.INSTRUMENT if is_ours else entry.reason] += 1
        elif entry.event is Event.LOST:
            self.lost[Loss.INSTRUMENT if is_ours else entry.reason] += 1
        if since is not None:
            at = max(at, since[0])
            self._over[entry.slot].append((since[0], at, since[1]))
        self._since[entry.slot] = None if state is None else (at, state)

    def without(self, slot: int) -> Sequence[tuple[float, float, State]]:
        """When it had none, and whether it was Joining or Offline then, or Unknown by our own doing."""
        since = self._since[slot]
        return [*self._over[slot], *([] if since is None else [(since[0], math.inf, since[1])])]

    def forget(self, slot: int, before: float) -> None:
        """Forget what was over by then."""
        self._over[slot] = [each for each in self._over[slot] if each[1] > before]
