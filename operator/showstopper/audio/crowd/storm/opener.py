"""Somebody who opens a connection and joins nothing: over TCP, or up to the answer to a call without a token."""

from __future__ import annotations

import asyncio
import socket
import time

from showstopper.audio.crowd import calls, connections
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.rules import Limits

PATH = "/rtc"
"""LiveKit's signalling, which refuses whoever has no token with 401."""

_ANSWERS = frozenset({Refusal.UNAUTHORIZED, Refusal.NOT_FOUND, Refusal.HTTP})
"""Answers of a server that is well, to somebody who has no business there."""


class Opener:
    """One of them. `marks.upgraded` is when it had what it waits for."""

    def __init__(self, access: Access, marks: Marks, *, websocket: bool) -> None:
        self.marks = marks
        self._access, self._websocket = access, websocket
        self._socket: socket.socket | None = None

    async def join(self, token: str, limits: Limits) -> None:  # noqa: ARG002 - a visitor's, who has one
        """Open it. Returns once it is connected, or answered.

        Raises:
            Refused: if it is not, with the reason.
        """
        self.marks.called = time.monotonic()
        with calls.refusing(self._access, self.obstacle):
            async with asyncio.timeout(limits.signalling):
                await (self._call() if self._websocket else self._connect())
        self.marks.upgraded = time.monotonic()

    def leave(self) -> None:
        """Close it, if it is open."""
        if self._socket is not None:
            self._socket.close()

    def drop(self) -> None:
        """The same: there is nothing to say goodbye to."""
        self.leave()

    def obstacle(self) -> Refused:
        """What it waits for, or waited for when it was given up."""
        return Refused(Refusal.TIMED_OUT, "no answer to the connection")

    @property
    def is_lost(self) -> bool:
        """Nobody knows: what comes over the connection is not read."""
        return False

    async def _connect(self) -> None:
        self._socket = await connections.connect(await self._access.resolver.addresses())

    async def _call(self) -> None:
        try:
            signalling = await calls.call(self._access, PATH)
        except Refused as error:
            if error.reason not in _ANSWERS:
                raise
        else:
            signalling.close()
