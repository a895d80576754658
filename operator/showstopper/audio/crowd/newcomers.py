"""Newcomers of a crowd: each joins once, when it is due whatever the others do, listens for a while, and leaves."""

from __future__ import annotations

import asyncio
import itertools
import time
from functools import partial

import structlog

from showstopper.audio import turns
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Visit
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.settings import ArrivalSettings, RoomSettings
from showstopper.audio.tokens import token

log = structlog.get_logger()


class Newcomers:
    """Those of one pod, in the places that its swept listeners have beside those who stay."""

    def __init__(
        self,
        swept: SweptListeners,
        settings: RoomSettings,
        arrivals: ArrivalSettings,
        *,
        name: str,
        hidden: bool,
        limits: Limits,
    ) -> None:
        """Nobody comes yet. `name` is what their identities begin with."""
        self._swept = swept
        self._settings = settings
        self._arrivals = arrivals
        self._name, self._hidden, self._limits = name, hidden, limits

    async def come(self, access: Access) -> None:
        """Send one after the other, until cancelled."""
        due = turns.first(self._arrivals.every, self._arrivals.phase)
        async with asyncio.TaskGroup() as group:
            for number in itertools.count(1):
                await asyncio.sleep(due - time.monotonic())
                if (visit := self._swept.receive(f"{self._name}/a{number}")) is not None:
                    group.create_task(self._visit(access, visit))
                else:
                    # What is told late keeps its place for longer. A call that was due and not made is known as such.
                    log.warning("newcomer_without_a_place", listener=f"{self._name}/a{number}")
                due = turns.following(due, self._arrivals.every)

    async def _visit(self, access: Access, visit: Visit) -> None:
        """One newcomer, from its call to its leaving. Cancelled, it leaves at once."""
        listener = Listener(
            access,
            entered=partial(self._swept.entered, visit.slot),
            sweep=partial(self._swept.sweep_one, visit.slot),
            closing=partial(self._swept.let_go, visit.slot),
        )
        try:
            if await self._join(listener, visit):
                left = visit.called + self._arrivals.stay - time.monotonic()
                await asyncio.wait({listener.lost}, timeout=max(0.0, left))
                if listener.lost.done():
                    visit.ended = listener.lost.result().reason
        finally:
            visit.left = time.monotonic()
            listener.leave()

    async def _join(self, listener: Listener, visit: Visit) -> bool:
        """Whether it got in, at its only try, before it had to leave again."""
        ticket = token(self._settings, visit.listener, publish=False, hidden=self._hidden)
        try:
            async with asyncio.timeout(self._arrivals.stay):
                await listener.join(ticket, self._limits)
        except Refused as error:
            visit.ended, visit.error = error.reason, str(error) or "the join failed"
        except TimeoutError:
            visit.ended, visit.error = Refusal.TIMED_OUT, f"not in the room after {self._arrivals.stay:g} s"
        else:
            visit.joined = time.monotonic()
            return True
        log.warning("newcomer_refused", listener=visit.listener, reason=visit.ended, error=visit.error)
        return False
