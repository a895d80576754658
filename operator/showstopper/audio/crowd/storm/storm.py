"""A storm: visitors join as its shape says, stay until it is over, and leave. Who is not to come back tries once."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import SessionLoss
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.storm import credentials
from showstopper.audio.crowd.storm.caller import Caller
from showstopper.audio.crowd.storm.credentials import TokenSource
from showstopper.audio.crowd.storm.opener import Opener
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.tally import JoinAttempt, Tally
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.settings import RoomSettings
from showstopper.faults.storm.settings import Comeback, Depth

LOOK_SECONDS = 0.05
"""How often it is looked whether everybody hears."""

GRACE_SECONDS = 5.0
"""What a storm may take beyond its own time on a busy machine."""


class Visitor(Protocol):
    """Who joins once."""

    async def join(self, token: str, limits: Limits) -> None:
        """Join. Raises Refused."""

    def leave(self) -> None:
        """Leave, if it is in."""

    def drop(self) -> None:
        """Close without a word."""

    def obstacle(self) -> Refused:
        """What a join waits for, or waited for when it was given up."""

    @property
    def is_lost(self) -> bool:
        """Whether it was in, and its session is gone by no doing of ours."""


class Storm:
    """One storm. `tries` has every visitor's first one, by number, while and after it runs, and then the later ones."""

    def __init__(
        self,
        settings: RoomSettings,
        shape: StormShape,
        *,
        name: str | None = None,
        limits: Limits | None = None,
        urls: Sequence[str] = (),
        tokens: TokenSource | None = None,
    ) -> None:
        """Nobody joins yet.

        Args:
            settings: the room, and what lets one in.
            shape: how many come, and how.
            name: what the visitors' identities begin with, drawn at random if there is none. Who comes with an identity
                that is in the room already takes its place: of two storms of one name, each throws the other's out.
            limits: seconds that the steps of a join may take.
            urls: where visitors join, in turn. The room's own URL if there is none.
            tokens: what lets them in. Signed here if there is none.

        Raises:
            SettingsError: for what is no URL of a room.
        """
        self.tries: list[JoinAttempt] = []
        self.cpu_seconds = 0.0
        """Processor time of this process up to the end of the last try, but for the sweeps."""
        self.busy = 0.0
        """Share of a core that this process took until then, with the sweeps. Near 1, the times are our own doing."""
        self.swept = SweptListeners(shape.visitors)
        self._shape = shape
        self._limits = limits or Limits()
        self._accesses = [Access.to(url) for url in urls or (settings.url,)]
        self._name = name or f"storm-{secrets.token_hex(4)}"
        identities = [self.identity(number) for number in range(shape.visitors)]
        self._tokens = tokens or credentials.source(settings, identities, shape)
        self._visitors: dict[int, Visitor] = {}
        self._newest: dict[int, JoinAttempt] = {}
        self.dropped = 0
        """Who was in when all connections were dropped."""
        self.gone = 0
        """Who had been in, and had lost the session by then: nobody could be dropped, and nobody comes back."""
        self.back: list[float] = []
        """Of those who were in again after that, how many seconds it took."""

    def identity(self, number: int) -> str:
        """The name under which a visitor is in the room."""
        return f"{self._name}/{number}"

    async def run(self) -> Tally:
        """Have it, and wait for its end: it ends by itself whatever the room does. Raises what is a defect of ours."""
        async with self.swept:
            try:
                await self.swept.until(self._pass())
            finally:
                for visitor in self._visitors.values():
                    visitor.leave()
        return self.tally()

    def tally(self) -> Tally:
        """What has come of it so far. It has begun."""
        for number, attempt in self._newest.items():
            attempt.first_packet = float(self.swept.ledger.first_at[number])
        return Tally.of(self.tries, self.swept.stalls)

    async def _pass(self) -> None:
        began, cpu, process = time.monotonic(), self._cpu(), time.process_time()
        self.tries = [JoinAttempt(began + self._shape.due(number)) for number in range(self._shape.visitors)]
        grace = GRACE_SECONDS if self._shape.seconds is None else 0.0
        try:
            async with asyncio.timeout(self._shape.longest(self._limits) + grace):
                try:
                    async with asyncio.TaskGroup() as group:
                        for number in range(self._shape.visitors):
                            group.create_task(self._come(number))
                finally:
                    self.cpu_seconds = self._cpu() - cpu
                    self.busy = (time.process_time() - process) / (time.monotonic() - began)
                await self._stay()
        except TimeoutError:
            self._over()

    def _cpu(self) -> float:
        return time.process_time() - self.swept.sweep_cpu_seconds

    async def _come(self, number: int) -> None:
        attempt = self.tries[number]
        await asyncio.sleep(max(0.0, attempt.due - time.monotonic()))
        await self._try(number, attempt)
        if (comeback := self._shape.comeback) is None or not await self._insist(number, attempt, comeback):
            return
        before = self.tries[0].due + comeback.drop - time.monotonic()
        if before < 0:
            return  # it was not in yet when all were dropped
        await asyncio.sleep(before)
        if self._visitors[number].is_lost:
            self.gone += 1
            return
        dropped = time.monotonic()
        self._drop(number)
        following = self._again()
        if following is None:
            return
        await self._try(number, following)
        if await self._insist(number, following, comeback):
            self.back.append(time.monotonic() - dropped)

    async def _insist(self, number: int, attempt: JoinAttempt, comeback: Comeback) -> bool:
        """Try again until it is in, or no tries are left. Returns whether it is in."""
        following: JoinAttempt | None = attempt
        while following is not None and not following.is_in:
            await asyncio.sleep(comeback.pause)
            if (following := self._again()) is not None:
                await self._try(number, following)
        return following is not None

    def _again(self) -> JoinAttempt | None:
        """One more try. None: there are none left."""
        if len(self.tries) >= (self._shape.tries or 0):
            return None
        self.tries.append(JoinAttempt(time.monotonic()))
        return self.tries[-1]

    def _drop(self, number: int) -> None:
        """Close a connection without a goodbye, and make place for the next one."""
        self.dropped += 1
        self._visitors[number].drop()
        self._newest[number].first_packet = float(self.swept.ledger.first_at[number])
        self.swept.ledger.vacate(number)

    async def _try(self, number: int, attempt: JoinAttempt) -> None:
        visitor = self._visitor(number, attempt)
        self._visitors[number], self._newest[number] = visitor, attempt
        try:
            token = await self._tokens.token(self.identity(number))
            await visitor.join(token, self._limits)
        except Refused as error:
            attempt.refusal, attempt.message = error.reason, str(error)
        attempt.ended = time.monotonic()

    def _visitor(self, number: int, attempt: JoinAttempt) -> Visitor:
        marks, access = attempt.marks, self._accesses[number % len(self._accesses)]
        if not self._shape.depth.joins:
            return Opener(access, marks, websocket=self._shape.depth is Depth.WEB_SOCKET)
        if not self._shape.full:
            return Caller(access, marks)
        listener = Listener(
            access,
            entered=partial(self.swept.entered, number),
            sweep=partial(self.swept.sweep_one, number),
            closing=partial(self.swept.let_go, number),
            marks=marks,
        )
        listener.lost.add_done_callback(partial(_lost, attempt, listener))
        return listener

    def _over(self) -> None:
        """Its time is over. Who is not in by then was not let in. Nobody knows, if it should have ended before."""
        if self._shape.seconds is None:
            return
        for number, attempt in self._newest.items():
            if math.isnan(attempt.ended) and not math.isnan(attempt.marks.called):
                attempt.refusal = Refusal.TIMED_OUT
                attempt.message = f"not in when the storm was over: {self._visitors[number].obstacle()}"
                attempt.ended = time.monotonic()

    async def _stay(self) -> None:
        """Stay to the end, or for as long as there is something to hear."""
        if self._shape.seconds is not None:
            await asyncio.sleep(self._shape.seconds)  # no longer than to its end
        elif self._shape.full:
            await self._heard()

    async def _heard(self) -> None:
        """Wait until everybody who is in has had a packet, or the time for it is over."""
        over = time.monotonic() + self._shape.listen_seconds
        let_in = np.array([attempt.is_in for attempt in self.tries])
        while time.monotonic() < over and np.isnan(self.swept.ledger.first_at[let_in]).any():
            await asyncio.sleep(LOOK_SECONDS)


def _lost(attempt: JoinAttempt, listener: Listener, lost: asyncio.Future[SessionLoss]) -> None:
    attempt.loss, attempt.lost_at = lost.result().reason, time.monotonic()
    listener.drop()
