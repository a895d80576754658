"""One listener of the crowd: it joins, resumes and leaves. Once it is in, sweeps read its sockets."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from showstopper.audio.crowd import calls, negotiation
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Lost, Marks
from showstopper.audio.crowd.dtls import HandshakeFailed
from showstopper.audio.crowd.negotiation import Negotiation, Nonsense
from showstopper.audio.crowd.refusals import Loss, Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.signalling import Signalling
from showstopper.audio.crowd.stun import Address
from showstopper.audio.crowd.transport import Transport

INSIST_SECONDS = 0.3
"""How often what may have been lost is sent again during a join; a check that is answered at once needs none of it."""

_REFUSALS = {
    Loss.SIGNALLING_CLOSED: Refusal.CLOSED,
    Loss.TOLD_TO_LEAVE: Refusal.TOLD_TO_LEAVE,
    Loss.NONSENSE: Refusal.NONSENSE,
    Loss.TRANSPORT_FAILED: Refusal.HANDSHAKE,
}


@dataclass(eq=False)
class Listener:
    """One session in the room, over as many signalling connections as it takes."""

    access: Access
    entered: Callable[[Self], None]
    """Called once media can flow: from then on its sockets are for sweeps."""

    sweep: Callable[[], None]
    """Reads its media at once, and gives it what is for it."""

    closing: Callable[[], None]
    """Called before its sockets are closed: no sweep may use them any more."""

    marks: Marks = field(default_factory=Marks)
    signalling: Signalling | None = None
    transport: Transport | None = None
    negotiation: Negotiation | None = None
    _token: str = ""
    _timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Lost] = loop.create_future()
        self._let_in: asyncio.Future[None] = loop.create_future()
        self._ready: asyncio.Future[None] = loop.create_future()

    async def join(self, token: str, limits: Limits) -> None:
        """Join; returns once media can flow.

        Raises:
            Refused: if that does not work, with the reason. Nothing of the listener is left then.
        """
        self.marks.called = time.monotonic()
        self._token = token
        try:
            with calls.refusing(self.access, self._too_late):
                async with asyncio.timeout(limits.signalling):
                    self.signalling = await calls.call(self.access, negotiation.path(token))
                self.marks.upgraded = time.monotonic()
                self._begin(self.signalling)
                async with asyncio.timeout(limits.response):
                    await self._let_in
                async with asyncio.timeout(limits.media):
                    await self._ready
        except BaseException:
            self.drop()
            raise

    async def resume(self, limits: Limits) -> None:
        """Open the signalling of a session again, which the relay may not know any more.

        Raises:
            Refused: if it does not.
        """
        assert self.negotiation is not None
        path = negotiation.path(self.negotiation.token or self._token, self.negotiation.sid)
        too_late = Refused(Refusal.TIMED_OUT, f"not resumed after {limits.signalling:g} s")
        with calls.refusing(self.access, lambda: too_late):
            async with asyncio.timeout(limits.signalling):
                signalling, messages = await calls.call_again(self.access, path)
        if self.signalling is not None:
            self.signalling.close()
        self.signalling = signalling
        self.negotiation.leave = None
        self.lost = asyncio.get_running_loop().create_future()
        # ICE restarts now, and the relay sends nothing until we have answered: that must not wait for the next sweep.
        asyncio.get_running_loop().add_reader(signalling.socket.fileno(), self.signalled)
        signalling.send(negotiation.sync_state())
        for message in messages[1:]:
            self._hear(message)

    def settled(self) -> None:
        """A resumed session is for sweeps again."""
        self._stop_reading()

    def signalled(self) -> bool:
        """Read the signalling. Returns whether anything was said."""
        if self.signalling is None:
            return False
        messages = self.signalling.read()
        for message in messages:
            self._hear(message)
        if self.signalling.closed:
            self.lose(Loss.SIGNALLING_CLOSED, self.signalling.closed)
        return bool(messages)

    def take(self, data: bytes, sender: Address) -> None:
        """Take a datagram of STUN or DTLS that a sweep has read."""
        if self.transport is None:
            return
        was_connected = self.transport.connected
        try:
            self.transport.take(data, sender)
        except HandshakeFailed as error:
            self.lose(Loss.TRANSPORT_FAILED, str(error))
        if self.transport.connected and not was_connected:
            self._stop_reading()

    def ping(self) -> None:
        """What clients send every five seconds: a ping to the server, and a consent check to the relay."""
        if self.signalling is not None and self.transport is not None:
            self.signalling.send(negotiation.ping(time.time_ns() // 1_000_000))
            self.transport.consent()

    def lose(self, reason: Loss, message: str = "") -> None:
        """Say that the session is lost, or cannot be had. Who waits for it is told of the first reason."""
        if not self._ready.done():
            refused = Refused(_REFUSALS.get(reason, Refusal.TIMED_OUT), message)
            for waiting in (self._let_in, self._ready):
                if not waiting.done():
                    waiting.set_exception(refused)
                    waiting.exception()  # it may be that nobody asks
        elif not self.lost.done():
            self.lost.set_result(Lost(reason, message))

    def leave(self) -> None:
        """Say goodbye, and close."""
        if self.signalling is not None and not self.signalling.closed:
            self.signalling.send(negotiation.goodbye())
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        self.closing()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_reading()
        if self.transport is not None:
            self.transport.close()
        if self.signalling is not None:
            self.signalling.close()

    def _begin(self, signalling: Signalling) -> None:
        """Read both sockets in the event loop, until media can flow."""
        identity = self.access.identity
        self.transport = Transport(signalling.host, identity)
        self.negotiation = Negotiation(self.transport.agent, identity.fingerprint, self.transport.address)
        loop = asyncio.get_running_loop()
        loop.add_reader(signalling.socket.fileno(), self.signalled)
        loop.add_reader(self.transport.socket.fileno(), self._receive)
        self._timer = loop.call_later(INSIST_SECONDS, self._insist)
        self.signalled()

    def _hear(self, message: bytes) -> None:
        if self.negotiation is None or self.signalling is None or self.transport is None:
            return
        restarts = self.negotiation.restarts
        try:
            answers = self.negotiation.take(message)
        except Nonsense as error:
            self.lose(Loss.NONSENSE, str(error))
            return
        self.transport.peer_fingerprint = self.negotiation.peer_fingerprint
        if self.negotiation.restarts > restarts:
            self.transport.restarted()
            if self._ready.done():
                asyncio.get_running_loop().add_reader(self.transport.socket.fileno(), self.sweep)
        for answer in answers:
            self.signalling.send(answer)
        for check, address in self.negotiation.checks:
            self.transport.send(check, address)
        self.negotiation.checks.clear()
        if negotiation.is_join(message) and not self._let_in.done():
            self.marks.joined = time.monotonic()
            self._let_in.set_result(None)
        if self.negotiation.leave is not None:
            self.lose(Loss.TOLD_TO_LEAVE, self.negotiation.leave.reason)

    def _receive(self) -> None:
        self._advance(lambda transport: transport.receive())

    def _insist(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INSIST_SECONDS, self._insist)
        self._advance(lambda transport: transport.insist())

    def _advance(self, step: Callable[[Transport], None]) -> None:
        """Take a step of the transport, and see how far it got."""
        if self.transport is None or self._ready.done():
            return
        try:
            step(self.transport)
        except HandshakeFailed as error:
            self.lose(Loss.TRANSPORT_FAILED, str(error))
            return
        if self.transport.connected and math.isnan(self.marks.connected):
            self.marks.connected = time.monotonic()
        if self.transport.ready:
            self._enter()

    def _enter(self) -> None:
        self.marks.secured = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_reading()
        self.entered(self)
        self._ready.set_result(None)

    def _stop_reading(self) -> None:
        """No more in the event loop."""
        loop = asyncio.get_running_loop()
        for holder in (self.signalling, self.transport):
            if holder is not None and holder.socket.fileno() >= 0:
                loop.remove_reader(holder.socket.fileno())

    def _too_late(self) -> Refused:
        if math.isnan(self.marks.joined):
            return calls.not_let_in(self.marks)
        if self.negotiation is None or not self.negotiation.peer_fingerprint:
            return Refused(Refusal.TIMED_OUT, "in the room, but the server offered no media")
        if self.transport is not None and not self.transport.connected and not self.transport.agent.candidates:
            return Refused(Refusal.NO_UDP, f"the relay has no UDP address in the family of {self.access.door.host}")
        step = "the DTLS handshake" if self.transport is not None and self.transport.connected else "a nominated pair"
        return Refused(Refusal.TIMED_OUT, f"in the room, but without {step}: is UDP to the relay let through?")
