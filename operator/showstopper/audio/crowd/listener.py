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
from showstopper.audio.crowd.diary import Marks, SessionLoss
from showstopper.audio.crowd.dtls import HandshakeFailed
from showstopper.audio.crowd.negotiation import UnreadableMessage
from showstopper.audio.crowd.refusals import Loss, Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.session import Session
from showstopper.audio.crowd.stun import Address
from showstopper.audio.crowd.transport import Transport

INSIST_SECONDS = 0.3
"""How often what may have been lost is sent again during a join. A check that is answered at once needs none of it."""

_REFUSALS = {
    Loss.SIGNALLING_CLOSED: Refusal.CLOSED,
    Loss.TOLD_TO_LEAVE: Refusal.TOLD_TO_LEAVE,
    Loss.NONSENSE: Refusal.NONSENSE,
    Loss.TRANSPORT_FAILED: Refusal.HANDSHAKE,
}


@dataclass(eq=False)
class Listener:
    """One client, and its session in the room once it has one."""

    access: Access
    entered: Callable[[Self], None]
    """Called once media can flow: from then on its sockets are for sweeps."""

    sweep: Callable[[], None]
    """Reads its media at once, and gives it what is for it."""

    closing: Callable[[], None]
    """Called before its sockets are closed: no sweep may use them any more."""

    marks: Marks = field(default_factory=Marks)
    session: Session | None = None
    _token: str = ""
    _timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[SessionLoss] = loop.create_future()
        self._let_in: asyncio.Future[None] = loop.create_future()
        self._ready: asyncio.Future[None] = loop.create_future()

    async def join(self, token: str, limits: Limits) -> None:
        """Join. Returns once media can flow.

        Raises:
            Refused: if that does not work, with the reason. Nothing of the listener is left then.
        """
        self.marks.called = time.monotonic()
        self._token = token
        try:
            with calls.refusing(self.access, self.obstacle):
                async with asyncio.timeout(limits.signalling):
                    signalling = await calls.call(self.access, negotiation.path(token))
                self.marks.upgraded = time.monotonic()
                self._begin(Session(signalling, self.access.identity))
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
        assert self.session is not None
        known = self.session.negotiation
        path = negotiation.path(known.token or self._token, known.sid)
        too_late = Refused(Refusal.TIMED_OUT, f"not resumed after {limits.signalling:g} s")
        with calls.refusing(self.access, lambda: too_late):
            async with asyncio.timeout(limits.signalling):
                signalling, messages = await calls.call_again(self.access, path)
        self.session.go_on(signalling)
        self.lost = asyncio.get_running_loop().create_future()
        # ICE restarts now, and the relay sends nothing until we have answered: that must not wait for the next sweep.
        asyncio.get_running_loop().add_reader(signalling.socket.fileno(), self.signalled)
        for message in messages[1:]:
            self._hear(self.session, message)

    def obstacle(self) -> Refused:
        """What a join waits for, or waited for when it was given up."""
        if self.session is None or math.isnan(self.marks.joined):
            return calls.not_let_in(self.marks)
        return self.session.obstacle(self.access.server.host)

    @property
    def is_lost(self) -> bool:
        """Whether it was in, and its session is lost."""
        return self.lost.done()

    def hand_over(self) -> None:
        """A resumed session is for sweeps again."""
        self._stop_reading()

    def signalled(self) -> bool:
        """Read the signalling. Returns whether anything was said."""
        if self.session is None:
            return False
        messages = self.session.signalling.read()
        for message in messages:
            self._hear(self.session, message)
        if self.session.signalling.closed:
            self.lose(Loss.SIGNALLING_CLOSED, self.session.signalling.closed)
        return bool(messages)

    def take(self, data: bytes, sender: Address) -> None:
        """Take a datagram of STUN or DTLS that a sweep has read."""
        if self.session is None:
            return
        transport = self.session.transport
        was_connected = transport.connected
        try:
            transport.take(data, sender)
        except HandshakeFailed as error:
            self.lose(Loss.TRANSPORT_FAILED, str(error))
        if transport.connected and not was_connected:
            self._stop_reading()

    def ping(self) -> None:
        """What clients send every five seconds: a ping to the server, and a consent check to the relay."""
        if self.session is not None:
            self.session.ping()

    def lose(self, reason: Loss, message: str = "") -> None:
        """Say that the session is lost, or cannot be had. Who waits for it is told of the first reason."""
        if not self._ready.done():
            refused = Refused(_REFUSALS.get(reason, Refusal.TIMED_OUT), message)
            for waiting in (self._let_in, self._ready):
                if not waiting.done():
                    waiting.set_exception(refused)
                    waiting.exception()  # it may be that nobody asks
        elif not self.lost.done():
            self.lost.set_result(SessionLoss(reason, message))

    def leave(self) -> None:
        """Say goodbye, and close."""
        if self.session is not None:
            self.session.goodbye()
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        self.closing()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_reading()
        if self.session is not None:
            self.session.close()

    def _begin(self, session: Session) -> None:
        """Read both sockets in the event loop, until media can flow."""
        self.session = session
        loop = asyncio.get_running_loop()
        loop.add_reader(session.signalling.socket.fileno(), self.signalled)
        loop.add_reader(session.transport.socket.fileno(), self._receive)
        self._timer = loop.call_later(INSIST_SECONDS, self._insist)
        self.signalled()

    def _hear(self, session: Session, message: bytes) -> None:
        try:
            restarted = session.hear(message)
        except UnreadableMessage as error:
            self.lose(Loss.NONSENSE, str(error))
            return
        if restarted and self._ready.done():
            asyncio.get_running_loop().add_reader(session.transport.socket.fileno(), self.sweep)
        if negotiation.is_join(message) and not self._let_in.done():
            self.marks.joined = time.monotonic()
            self._let_in.set_result(None)
        if session.negotiation.leave is not None:
            self.lose(Loss.TOLD_TO_LEAVE, session.negotiation.leave.reason)

    def _receive(self) -> None:
        self._advance(lambda transport: transport.receive())

    def _insist(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INSIST_SECONDS, self._insist)
        self._advance(lambda transport: transport.insist())

    def _advance(self, step: Callable[[Transport], None]) -> None:
        """Take a step of the transport, and see how far it got."""
        if self.session is None or self._ready.done():
            return
        transport = self.session.transport
        try:
            step(transport)
        except HandshakeFailed as error:
            self.lose(Loss.TRANSPORT_FAILED, str(error))
            return
        if transport.connected and math.isnan(self.marks.connected):
            self.marks.connected = time.monotonic()
        if transport.ready:
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
        for descriptor in self.session.descriptors if self.session is not None else ():
            asyncio.get_running_loop().remove_reader(descriptor)
