"""A visitor who is let in and takes no sound: signalling only."""

from __future__ import annotations

import asyncio
import time

from showstopper.audio.crowd import calls, negotiation
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.signalling import Signalling


class Caller:
    """One of them. LiveKit sends whoever takes no media away after a while: that is no loss of a session."""

    def __init__(self, access: Access, marks: Marks) -> None:
        self.marks = marks
        self._access = access
        self._signalling: Signalling | None = None

    async def join(self, token: str, limits: Limits) -> None:
        """Join. Returns once the server has let the visitor in.

        Raises:
            Refused: if it does not, with the reason. Nothing of the visitor is left then.
        """
        self.marks.called = time.monotonic()
        try:
            with calls.refusing(self._access, self.obstacle):
                async with asyncio.timeout(limits.signalling):
                    self._signalling = await calls.call(self._access, negotiation.path(token))
                self.marks.upgraded = time.monotonic()
                async with asyncio.timeout(limits.response):
                    await _let_in(self._signalling)
                self.marks.joined = time.monotonic()
        except BaseException:
            self.drop()
            raise
        # The server goes on to say who comes and goes: unread, it would call this connection a slow one.
        asyncio.get_running_loop().add_reader(self._signalling.socket.fileno(), self._read)

    def leave(self) -> None:
        """Say goodbye, and close."""
        if self._signalling is not None and not self._signalling.closed:
            self._signalling.send(negotiation.goodbye())
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        if self._signalling is not None and self._signalling.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._signalling.socket.fileno())
            self._signalling.close()

    def obstacle(self) -> Refused:
        """What a join waits for, or waited for when it was given up."""
        return calls.not_let_in(self.marks)

    @property
    def is_lost(self) -> bool:
        """Whether the server has closed the connection."""
        return self._signalling is not None and bool(self._signalling.closed)

    def _read(self) -> None:
        assert self._signalling is not None
        self._signalling.read()
        if self._signalling.closed:
            self.drop()


async def _let_in(signalling: Signalling) -> None:
    while not signalling.closed:
        for message in await signalling.first():
            if negotiation.is_join(message):
                return
            if negotiation.is_leave(message):
                raise Refused(Refusal.TOLD_TO_LEAVE, "the server sent the visitor away")
    raise Refused(Refusal.CLOSED, signalling.closed)
