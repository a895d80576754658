"""Clocks: by how much the wall clocks of a room's host and listeners are apart, where the operator knows it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SKEW_SECONDS = 2.0
"""From here on live sound cannot be told from stale: sound is stale at 5 s, and the slowest relay of a live room is
heard within one. What lies between is worth this."""


@dataclass(frozen=True, slots=True)
class HostClock:
    """The wall clock of one process of the host: by how many seconds it is ahead of the operator's, and how wrong that
    may be. `since`: when the process began, in Unix seconds.
    """

    since: float
    ahead: float
    uncertainty: float


def at(clocks: Sequence[HostClock], moment: float) -> HostClock | None:
    """The clock of the process that spoke then. None: it is not known."""
    return max((clock for clock in clocks if clock.since <= moment), key=lambda clock: clock.since, default=None)
