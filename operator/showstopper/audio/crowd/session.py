"""A session in a room: its signalling and its transport, and what the one says that concerns the other."""

from __future__ import annotations

import time
from collections.abc import Iterator

from showstopper.audio.crowd import negotiation
from showstopper.audio.crowd.dtls import Identity
from showstopper.audio.crowd.negotiation import Negotiation
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.signalling import Signalling
from showstopper.audio.crowd.transport import Transport


class Session:
    """One, over as many signalling connections as it takes."""

    def __init__(self, signalling: Signalling, identity: Identity) -> None:
        """Raises OSError if there is no socket to be had. The signalling is closed then."""
        self.signalling = signalling
        try:
            self.transport = Transport(signalling.host, identity)
        except OSError:
            signalling.close()
            raise
        self.negotiation = Negotiation(self.transport.agent, identity.fingerprint, self.transport.address)

    @property
    def descriptors(self) -> Iterator[int]:
        """Of its sockets, but for those that are closed."""
        for each in (self.signalling.socket, self.transport.socket):
            if each.fileno() >= 0:
                yield each.fileno()

    def hear(self, message: bytes) -> bool:
        """Take a message of the server, and answer it. Returns whether ICE has begun afresh.

        Raises:
            UnreadableMessage: if it cannot be read.
        """
        restarts = self.negotiation.restarts
        answers = self.negotiation.take(message)
        self.transport.peer_fingerprint = self.negotiation.peer_fingerprint
        restarted = self.negotiation.restarts > restarts
        if restarted:
            self.transport.restarted()
        if answers:
            self.signalling.send(*answers)
        for check, address in self.negotiation.checks:
            self.transport.send(check, address)
        self.negotiation.checks.clear()
        return restarted

    def go_on(self, signalling: Signalling) -> None:
        """Go on over another signalling, which the server has given to this session."""
        self.signalling.close()
        self.signalling = signalling
        self.negotiation.leave = None
        signalling.send(negotiation.sync_state())

    def ping(self) -> None:
        """What clients send every five seconds: a ping to the server, and a consent check to the relay."""
        self.signalling.send(negotiation.ping(time.time_ns() // 1_000_000))
        self.transport.consent()

    def goodbye(self) -> None:
        """Say that the client leaves."""
        if not self.signalling.closed:
            self.signalling.send(negotiation.goodbye())

    def close(self) -> None:
        """Close both."""
        self.transport.close()
        self.signalling.close()

    def obstacle(self, host: str) -> Refused:
        """Why no media can flow though the server has let the client in. `host` is the server's."""
        if not self.negotiation.peer_fingerprint:
            return Refused(Refusal.TIMED_OUT, "in the room, but the server offered no media")
        if not self.transport.connected and not self.transport.agent.candidates:
            return Refused(Refusal.NO_UDP, f"the relay has no UDP address in the family of {host}")
        step = "the DTLS handshake" if self.transport.connected else "a nominated pair"
        return Refused(Refusal.TIMED_OUT, f"in the room, but without {step}: is UDP to the relay let through?")
