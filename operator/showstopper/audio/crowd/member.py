"""A member of a crowd: it joins, comes back by the rules of a client, and after that joins afresh, for ever."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from showstopper.audio.crowd import rules
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Event
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.refusals import FINAL, Refused
from showstopper.audio.crowd.rules import Limits, ReturnMode
from showstopper.audio.crowd.swept_listeners import SweptListeners

SHORT_SECONDS = 2.0
PAUSE_SECONDS = 1.0
"""Who is thrown out as soon as it is in waits before it comes again, as residents do (listener/residents.py): a probe
must not be the storm.
"""


class Member:
    """One listener after the other, in one slot."""

    def __init__(
        self, slot: int, swept: SweptListeners, access: Access, token: Callable[[], str], limits: Limits
    ) -> None:
        """`token` makes a token for this listener's identity."""
        self.slot = slot
        self.listener: Listener | None = None
        self.tried = asyncio.Event()
        """Set once the first join has come to its end."""
        self._swept = swept
        self._access = access
        self._token = token
        self._limits = limits

    async def occupy(self, delay: float) -> None:
        """Sit there until cancelled, from `delay` seconds from now on."""
        await asyncio.sleep(delay)
        try:
            while True:
                await self._join_until_in()
                joined = time.monotonic()
                await self._lost()
                while await self._come_back():
                    await self._lost()
                if time.monotonic() - joined < SHORT_SECONDS:
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self.tried.set()
            if self.listener is not None:
                self.listener.leave()

    async def _join_until_in(self) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._join()
            except Refused as error:
                self._swept.note(self.slot, Event.REFUSED, error.reason, str(error))
            else:
                return
            finally:
                self.tried.set()
            await asyncio.sleep(rules.own_pause(attempt, _draw()))

    async def _join(self) -> None:
        if self.listener is not None:
            self.listener.drop()
        self.listener = Listener(
            self._access,
            entered=lambda listener: self._swept.entered(self.slot, listener),
            sweep=lambda: self._swept.sweep_one(self.slot),
            closing=lambda: self._swept.let_go(self.slot),
        )
        await self.listener.join(self._token(), self._limits)
        self._swept.note(self.slot, Event.JOINED)

    async def _lost(self) -> None:
        """Wait until the session is lost."""
        assert self.listener is not None
        lost = await self.listener.lost
        self._swept.lost(self.slot)
        self._swept.note(self.slot, Event.LOST, lost.reason, lost.message)

    async def _come_back(self) -> bool:
        """Try what a client tries. Returns whether it is in again."""
        assert self.listener is not None
        leave = self.listener.session.negotiation.leave if self.listener.session is not None else None
        for attempt, way in enumerate(rules.attempts(leave), 1):
            try:
                if await (self._resume() if way is ReturnMode.RESUME else self._rejoin()):
                    return True
            except Refused as error:
                self._swept.note(self.slot, Event.REFUSED, error.reason, str(error))
                if error.reason in FINAL:
                    return False
            await asyncio.sleep(rules.pause(attempt, _draw()))
        return False

    async def _rejoin(self) -> bool:
        await self._join()
        return True

    async def _resume(self) -> bool:
        """Whether signalling and transport live on."""
        assert self.listener is not None
        await self.listener.resume(self._limits)
        self._swept.resumed(self.slot, self.listener)
        since = time.monotonic()
        await asyncio.sleep(rules.RESUMED_SECONDS)
        self.listener.hand_over()
        if self.listener.lost.done() or not self._swept.is_alive(self.slot, since):
            self._swept.lost(self.slot)
            return False
        self._swept.note(self.slot, Event.RESUMED)
        return True


def _draw() -> float:
    return random.random()  # noqa: S311 - for pauses, not for secrets
