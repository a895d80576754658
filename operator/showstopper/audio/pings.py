"""Pings: how often a client sends one, and how the listeners of a fleet keep theirs apart."""

from __future__ import annotations

PING_SECONDS = 5.0
"""Of LiveKit's Rust client, which the Python SDK is, and of the crowd, which follows its rules (crowd/rules.py)."""

PINGS_APART_SECONDS = 0.5
"""Between the first joins of neighbours. Six are in after 2.5 s, while a host that began with them plays hold music."""


def ping_phase(index: int) -> float:
    """Seconds that a listener waits before its first join, by its number in the fleet: pods need not ask each other.

    Pings go on from the join. Where signalling runs through a living relay to a dead one, a client is lost 7.5 s after
    its next ping: listeners that joined together all ping together, and what is then measured is their phase. So a
    fleet's first joins go round the ping's interval in steps, and each further round divides the steps of those before
    it (by a van der Corput sequence).
    """
    turns, place = divmod(index, round(PING_SECONDS / PINGS_APART_SECONDS))
    return PINGS_APART_SECONDS * (place + _van_der_corput(turns))


def _van_der_corput(number: int) -> float:
    """The number's binary digits, mirrored at the point: 1/2, 1/4, 3/4, 1/8, ... from 1 on."""
    return int(f"{number:b}"[::-1], 2) / (1 << number.bit_length())
