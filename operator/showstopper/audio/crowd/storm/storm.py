"""A storm: visitors who join as its shape says, stay until it is over, and leave. None tries twice."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from functools import partial
from typing import Protocol

import numpy as np

from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Lost
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.refusals import Refused
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.storm.caller import Caller
from showstopper.audio.crowd.storm.shape import Shape
from showstopper.audio.crowd.storm.tally import Tally, Try
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.settings import RoomSettings
from showstopper.audio.tokens import token

LOOK_SECONDS = 0.05
"""How often it is looked whether everybody hears: as often as sockets are swept."""

GRACE_SECONDS = 5.0
"""What a storm may take beyond its own time on a busy machine."""


class Visitor(Protocol):
    """Who joins once."""

    async def join(self, token: str, limits: Limits) -> None:
        """Join. Raises Refused."""

    def leave(self) -> None:
        """Leave, if it is in."""


class Storm:
    """One storm. `tries` has every visitor's, by number, while and after it runs."""

    def __init__(
        self, settings: RoomSettings, shape: Shape, *, name: str | None = None, limits: Limits | None = None
    ) -> None:
        """Tokens are made here: they take as long as a join takes the network.

        Args:
            settings: the room, and what lets one in.
            shape: how many come, and how.
            name: what the visitors' identities begin with; drawn at random if there is none. Who comes with an identity
                that is in the room already takes its place: of two storms of one name, each throws the other's out.
            limits: seconds that the steps of a join may take.

        Raises:
            SettingsError: for what is no URL of a room.
        """
        self.tries: list[Try] = []
        self.cpu_seconds = 0.0
        """Processor time of this process up to the end of the last try, but for the sweeps."""
        self.busy = 0.0
        """Share of a core that this process took until then, with the sweeps. Near 1, the times are our own doing."""
        self.swept = SweptListeners(shape.visitors)
        self._shape = shape
        self._limits = limits or Limits()
        self._access = Access.to(settings.url)
        self._name = name or f"storm-{secrets.token_hex(4)}"
        self._tokens = [
            token(settings, self.identity(number), publish=False, hidden=shape.hidden)
            for number in range(shape.visitors)
        ]
        self._visitors: list[Visitor] = []

    def identity(self, number: int) -> str:
        """The name under which a visitor is in the room."""
        return f"{self._name}/{number}"

    async def run(self) -> Tally:
        """Have it, and wait for its end: it ends by itself whatever the room does. Raises what is a defect of ours."""
        async with self.swept:
            try:
                await self.swept.until(self._pass())
            finally:
                for visitor in self._visitors:
                    visitor.leave()
        for number, attempt in enumerate(self.tries):
            attempt.first_packet = float(self.swept.ledger.first_at[number])
        return Tally.of(self.tries, self.swept.stalls)

    async def _pass(self) -> None:
        began, cpu, process = time.monotonic(), self._cpu(), time.process_time()
        self.tries = [Try(began + self._shape.due(number)) for number in range(self._shape.visitors)]
        with suppress(TimeoutError):  # whose try has come to no end then is unknown
            async with asyncio.timeout(self._shape.longest(self._limits) + GRACE_SECONDS):
                try:
                    async with asyncio.TaskGroup() as group:
                        for number in range(self._shape.visitors):
                            group.create_task(self._come(number))
                finally:
                    self.cpu_seconds = self._cpu() - cpu
                    self.busy = (time.process_time() - process) / (time.monotonic() - began)
                if self._shape.full:
                    await self._heard()

    def _cpu(self) -> float:
        return time.process_time() - self.swept.sweep_cpu_seconds

    async def _come(self, number: int) -> None:
        attempt = self.tries[number]
        await asyncio.sleep(max(0.0, attempt.due - time.monotonic()))
        visitor = self._visitor(number)
        self._visitors.append(visitor)
        try:
            await visitor.join(self._tokens[number], self._limits)
        except Refused as error:
            attempt.refusal, attempt.message = error.reason, str(error)
        attempt.ended = time.monotonic()

    def _visitor(self, number: int) -> Visitor:
        marks = self.tries[number].marks
        if not self._shape.full:
            return Caller(self._access, marks)
        listener = Listener(
            self._access,
            entered=partial(self.swept.entered, number),
            sweep=partial(self.swept.sweep_one, number),
            closing=partial(self.swept.let_go, number),
            marks=marks,
        )
        listener.lost.add_done_callback(partial(self._lost, number, listener))
        return listener

    def _lost(self, number: int, listener: Listener, lost: asyncio.Future[Lost]) -> None:
        self.tries[number].loss, self.tries[number].lost_at = lost.result().reason, time.monotonic()
        listener.drop()

    async def _heard(self) -> None:
        """Wait until everybody who is in has had a packet, or the time for it is over."""
        over = time.monotonic() + self._shape.listen_seconds
        let_in = np.array([attempt.is_in for attempt in self.tries])
        while time.monotonic() < over and np.isnan(self.swept.ledger.first_at[let_in]).any():
            await asyncio.sleep(LOOK_SECONDS)
