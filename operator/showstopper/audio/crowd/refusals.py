"""Why a listener of the crowd was not let in, or lost what it had."""

from __future__ import annotations

import errno
from enum import StrEnum

from showstopper.errors import ShowstopperError


class Refusal(StrEnum):
    """Why a join failed."""

    UNREACHABLE = "Unreachable"
    """No connection to the signalling: DNS, TCP or TLS."""

    UNAUTHORIZED = "Unauthorized"
    """HTTP 401 or 403: the key or the token is refused."""

    NOT_FOUND = "NotFound"
    """HTTP 404: no such room, and joining does not create it."""

    UNAVAILABLE = "Unavailable"
    """HTTP 503: LiveKit's media node did not answer in time, or takes nobody."""

    HTTP = "Http"
    """Any other answer than an upgrade to WebSocket."""

    TIMED_OUT = "TimedOut"
    """The time that a join may take was over."""

    CLOSED = "Closed"
    """The server closed the signalling before the listener was in."""

    TOLD_TO_LEAVE = "ToldToLeave"
    """The server sent `leave`."""

    NONSENSE = "Nonsense"
    """The server said what this client cannot read."""

    NO_UDP = "NoUdp"
    """The server offered no UDP address of the address family in use: this client cannot fall back to TCP."""

    HANDSHAKE = "Handshake"
    """DTLS failed, or the certificate is not the one that was announced."""

    INSTRUMENT = "Instrument"
    """This process has no more sockets, ports or memory, or had stood still: nothing is known of the room."""


FINAL = frozenset({Refusal.UNAUTHORIZED})
"""LiveKit's Rust client gives up at 401 and 403, and tries again after anything else."""

_BY_STATUS = {401: Refusal.UNAUTHORIZED, 403: Refusal.UNAUTHORIZED, 404: Refusal.NOT_FOUND, 503: Refusal.UNAVAILABLE}

_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors that say something of this process, and nothing of the room."""


class Refused(ShowstopperError):
    """A join that failed. The message says what the server said."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @classmethod
    def by_system(cls, error: OSError, url: str) -> Refused:
        """For a connection that cannot be had."""
        reason = Refusal.INSTRUMENT if error.errno in _OURS else Refusal.UNREACHABLE
        return cls(reason, f"{url}: {error}")

    @classmethod
    def by_http(cls, status: int, body: str) -> Refused:
        """For an HTTP answer that is no upgrade."""
        return cls(_BY_STATUS.get(status, Refusal.HTTP), f"HTTP {status} {body[:200].strip()}".strip())


class Loss(StrEnum):
    """Why a listener that was in the room is not any more."""

    SIGNALLING_CLOSED = "SignallingClosed"
    PING_TIMEOUT = "PingTimeout"
    """Nothing came over the signalling for as long as the server had announced."""

    TRANSPORT_FAILED = "TransportFailed"
    """No datagram came for as long as libwebrtc waits before it calls a peer connection failed."""

    TOLD_TO_LEAVE = "ToldToLeave"
    NONSENSE = "Nonsense"
    INSTRUMENT = "Instrument"
    """This process had stood still, and that may be why: nothing is known of the room."""
