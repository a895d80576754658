"""The schedule of a storm: when each join is due, and how many fit into a time. Without pydantic, for its process."""

import math

LEAVE_SECONDS = 2.0
"""So long before its fault's end a storm is over: its visitors say goodbye while the gate is open, and what came of it
is known when the gate is shut. Our choice: a kubelet tells of a container's end within a second or so."""

LAST_SECONDS = 2.0
"""What the last visitor has for its join, at the least."""

MOST_JOINS = 3000
"""Of one pod (`audio.settings.MOST_OF_A_CROWD`)."""

MOST_CLIENTS = 1000
"""Of one pod, who try again without backoff, each as fast as it is refused."""

MOST_TRIES = 50_000
"""Of all of them together."""

MOST_CONNECTIONS = 10_000
"""Of one pod, which has some 28,000 ports towards a target (net.ipv4.ip_local_port_range)."""

LATEST_SECONDS = 1.0
"""Who joins so much later than it was due made another storm than the one that was asked for."""


def due(number: int, rate: float | None, ramp: float = 0.0) -> float:
    """When join `number` (from 0) is due, in seconds from the first one.

    While the rate grows, `rate * t² / (2 * ramp)` have come at the time t.

    Args:
        number: of the join.
        rate: joins a second. None: all at once.
        ramp: seconds over which the rate grows evenly from nothing.
    """
    if rate is None:
        return 0.0
    in_ramp = rate * ramp / 2
    if number < in_ramp:
        return math.sqrt(2 * ramp * number / rate)
    return ramp + (number - in_ramp) / rate


def tries_within(seconds: float, rate: float, ramp: float = 0.0) -> int:
    """How many tries are due before so many seconds are over; one at the least."""
    in_time = rate * seconds**2 / (2 * ramp) if seconds < ramp else rate * (seconds - ramp / 2)
    return max(1, math.floor(in_time))


def settled(number: int, rate: float | None, ramp: float = 0.0) -> float:
    """How many seconds after the first try the last of so many has had its time."""
    return due(number - 1, rate, ramp) + LAST_SECONDS


def needed(tries: int, rate: float | None, ramp: float = 0.0) -> float:
    """How many seconds a fault of so many tries has to last."""
    return settled(tries, rate, ramp) + LEAVE_SECONDS


def tries_of(duration: float, rate: float, ramp: float = 0.0) -> int:
    """How many tries a fault of so many seconds has."""
    return tries_within(max(0.0, duration - LAST_SECONDS - LEAVE_SECONDS), rate, ramp)
