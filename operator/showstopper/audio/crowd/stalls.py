"""Stalls: stretches in which our own process stood still, and what may be their doing and not the room's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from showstopper.audio.crowd.refusals import Loss, Refusal

Stall = tuple[float, float]
"""[start, end) in monotonic seconds."""

AFTERMATH_SECONDS = 20.0
"""For so long after a stall a session may be lost because of it: LiveKit 1.13.5 gives up whoever is silent for 16 s
(measured), a client goes on for 15 s with a join that we held up, and those who come back then come all at once."""

_MAY_BE_OURS = frozenset(
    {
        Refusal.TIMED_OUT,
        Refusal.CLOSED,
        Refusal.TOLD_TO_LEAVE,
        Refusal.HANDSHAKE,
        Loss.SIGNALLING_CLOSED,
        Loss.PING_TIMEOUT,
        Loss.TRANSPORT_FAILED,
    }
)
"""What a room may do to a client that is slow, and so to a process that stood still. Names of both kinds are the same
where they say the same."""


def before(at: float, stalls: Iterable[Stall], seconds: float = AFTERMATH_SECONDS) -> Stall | None:
    """The last stall within so many seconds before that time. None if there was none."""
    return max((stall for stall in stalls if stall[0] < at and stall[1] > at - seconds), default=None)


def is_ours(reason: str, stall: Stall | None) -> bool:
    """Whether a refusal or a loss says nothing of the room: our own process failed, or stood still before it."""
    return reason == Refusal.INSTRUMENT or (stall is not None and reason in _MAY_BE_OURS)
