"""When and how a client comes back: the rules of LiveKit's Rust client, which the Python SDK is.

Source: livekit/rust-sdks at 0b5462a9, livekit/src/rtc_engine and livekit-api/src/signal_client.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from livekit.protocol import rtc

from showstopper.audio.crowd.negotiation import LeaveMessage

ATTEMPTS = 10
"""RECONNECT_ATTEMPTS: one to resume, if that is allowed, and full joins."""

FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 7.0

RESUMED_SECONDS = 1.0
"""A resumed session must have a living transport within this time."""

FAILED_SECONDS = 13.7
"""Without any datagram for so long libwebrtc calls a peer connection failed (measured on four clients)."""

OWN_FIRST_PAUSE_SECONDS = 0.25
OWN_LONGEST_PAUSE_SECONDS = 5.0
"""Of whoever joins afresh after the client has given up: as residents do that decode (listener/residents.py)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that the steps of a join may take: the connection and its upgrade, `join`, and the media's transport."""

    signalling: float = 5.0
    response: float = 5.0
    media: float = 15.0


class ReturnMode(StrEnum):
    """How a client comes back."""

    RESUME = "Resume"
    """Open the signalling again. Media goes on."""

    JOIN = "Join"


def attempts(leave: LeaveMessage | None) -> list[ReturnMode]:
    """The client's attempts to come back, in their order. None where the server told it to stay away."""
    if leave is not None and leave.action == rtc.LeaveRequest.DISCONNECT:
        return []
    if leave is not None and leave.action == rtc.LeaveRequest.RECONNECT:
        return [ReturnMode.JOIN] * ATTEMPTS
    return [ReturnMode.RESUME, *[ReturnMode.JOIN] * (ATTEMPTS - 1)]


def pause(attempt: int, draw: float) -> float:
    """Seconds to wait after that attempt (from 1) has failed. `draw` is random in [0, 1)."""
    return draw * min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, ATTEMPTS))


def own_pause(attempt: int, draw: float) -> float:
    """Seconds to wait after a join afresh has failed for that time (from 1). `draw` is random in [0, 1)."""
    return draw * min(OWN_LONGEST_PAUSE_SECONDS, OWN_FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, ATTEMPTS))
