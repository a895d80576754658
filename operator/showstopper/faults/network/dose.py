"""Doses: what was counted of a network fault, against what was declared. Pure.

A kind says which bound is its own. Each bound leaves room for chance, six standard deviations on either side, which
chance alone passes once in a billion runs, and for counters that are not read at once. So where few packets came, every
dose is within it, and nothing is said.
"""

import math
from datetime import timedelta

from showstopper.faults.network.plan import burst_bytes
from showstopper.faults.observed import Observed, at_most

DEVIATIONS = 6
UNREAD_PACKETS, UNREAD_SHARE = 10, 0.01
"""What two counters may differ by because one is read after the other. A choice of ours: some milliseconds of media."""
LATE_SECONDS = 0.02
"""By how much a burst may be too long, or come too late: the kernel's timers have ticks of up to 10 ms (HZ=100), and a
thread that is woken on a busy node needs as long again. A choice of ours."""


def by_chance(observed: Observed, share: float) -> str | None:
    """Each packet is hit with the same probability p: of n packets n p are, with a deviation of sqrt(n p (1 - p))."""
    matched, affected = observed.matched, observed.affected
    if abs(affected - matched * share) <= _of_chance(matched, share):
        return None
    return f"acted on {affected} of {matched} packets, and {share:.3%} are about {matched * share:.0f} of them"


def held_back(observed: Observed, share: float) -> str | None:
    """The same, downwards only: a packet that its sender's kernel left to be cut into segments is cut for a queue."""
    return by_chance(observed, share) if observed.affected < observed.matched * share else None


def in_bursts(observed: Observed, share: float, length: timedelta) -> str | None:
    """All packets are hit in bursts of length L, with pauses that spread evenly over 0.5 to 1.5 times their mean m.

    A burst and its pause take L / p on average, with a deviation of m / sqrt(12). So in a time T there are N = T p / L
    of them, with a deviation of sqrt(T m² / 12 / (L / p)³) (renewal theory). One burst more or less is at the ends.
    """
    for target in observed.targets:
        if not target.lasted:
            continue
        allowed = _of_bursts(target.lasted, share, length.total_seconds())
        margin = target.matched * allowed + _of_chance(target.matched, share)
        if abs(target.affected - target.matched * share) > margin:
            return (
                f"acted on {target.affected} of {target.matched} packets of {target.pod} in {target.lasted:.1f} s, and "
                f"bursts that are {share:.3%} of the time hit about {target.matched * share:.0f} of them, "
                f"give or take {margin:.0f}"
            )
    return None


def below_rate(observed: Observed, bits_per_second: int, directions: int) -> str | None:
    """No more bits pass than the rate allows in the time that it was in force, in each direction, and a burst at first.

    How many should have passed at the least cannot be said: a sender is not always there with more than the rate.
    """
    for target in observed.targets:
        if not target.lasted or target.passed_bytes is None:
            continue
        allowed = bits_per_second * at_most(target.lasted) + 8 * burst_bytes(bits_per_second)
        if target.passed_bytes * 8 > directions * allowed:
            rate = target.passed_bytes * 8 / target.lasted
            return (
                f"let {_kilobits(rate)} a second pass at {target.pod}, and {_kilobits(bits_per_second)} a second in "
                f"{'each direction' if directions > 1 else 'one direction'} are allowed"
            )
    return None


def passed(observed: Observed) -> str:
    """The rate that a limit let through, where it is known; else nothing."""
    rates = [
        target.passed_bytes * 8 / target.lasted
        for target in observed.targets
        if target.lasted and target.passed_bytes is not None
    ]
    return f", {_kilobits(sum(rates))} a second passed" if rates else ""


def _of_chance(packets: int, share: float) -> float:
    deviation = math.sqrt(packets * share * (1 - share))
    return DEVIATIONS * deviation + UNREAD_PACKETS + UNREAD_SHARE * packets


def _of_bursts(seconds: float, share: float, length: float) -> float:
    """By how much of the time bursts may be more or less than their share of it."""
    cycle = length / share
    pause = cycle - length
    deviation = math.sqrt(seconds * pause**2 / 12 / cycle**3)
    return (DEVIATIONS * deviation + 1) * length / seconds + LATE_SECONDS / cycle


def _kilobits(bits: float) -> str:
    return f"{bits / 1000:.0f} kbit"
