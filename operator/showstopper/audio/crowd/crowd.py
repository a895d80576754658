"""A crowd: listeners who come one after the other, and stay, and newcomers beside them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Self

from showstopper.audio import pings
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.crowd.member import Member
from showstopper.audio.crowd.newcomers import Newcomers
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.swept_listeners import SweptListeners
from showstopper.audio.settings import ArrivalSettings, RoomSettings
from showstopper.audio.tokens import token

SPREAD_SECONDS = pings.PING_SECONDS


class Crowd(SweptListeners):
    """Listeners in one room. Enter it as a context: they join, and stay until it is left."""

    def __init__(
        self,
        settings: RoomSettings,
        size: int,
        *,
        name: str = "crowd",
        first: int = 0,
        hidden: bool = True,
        spread_seconds: float = SPREAD_SECONDS,
        limits: Limits | None = None,
        matcher: Matcher | None = None,
        arrivals: ArrivalSettings | None = None,
    ) -> None:
        """Nobody joins yet.

        Args:
            settings: the room, and what lets one in.
            size: number of listeners.
            name: what their identities begin with.
            first: number of the first of them in the fleet, which may be in several pods.
            hidden: whether the others in the room are not told of them. Such a crowd costs the relay half, and weighs
                nothing like an audience.
            spread_seconds: time over which the joins are spread, and with them the pings.
            limits: seconds that the steps of a join may take.
            matcher: tells what is heard. Without it, packets are only counted. It needs slots for newcomers, too.
            arrivals: when newcomers come, beside these listeners. None: never.
        """
        super().__init__(size, matcher, places=arrivals.places if arrivals is not None else 0)
        self._settings = settings
        self._name, self._first, self._hidden = name, first, hidden
        self._spread_seconds = spread_seconds
        self._limits = limits or Limits()
        self._members: list[Member] = []
        self._newcomers: Newcomers | None = None
        if arrivals is not None:
            self._newcomers = Newcomers(self, settings, arrivals, name=name, hidden=hidden, limits=self._limits)

    async def __aenter__(self) -> Self:
        access = Access.to(self._settings.url)
        self._members = [
            Member(slot, self, access, partial(self._token, slot), self._limits) for slot in range(self.size)
        ]
        await super().__aenter__()
        self._tasks += [asyncio.create_task(member.occupy(self._first_join(member.slot))) for member in self._members]
        if self._newcomers is not None:
            self._tasks.append(asyncio.create_task(self._newcomers.come(access)))
        return self

    def listener(self, slot: int) -> Listener | None:
        """Who sits there, and may be joining or lost."""
        return self._members[slot].listener

    def identity(self, slot: int) -> str:
        """The name under which it is in the room."""
        return f"{self._name}/{slot}"

    async def all_tried(self) -> None:
        """Wait until everybody's first join has come to its end, in the room or not. Raises what ended the crowd."""
        await self.until(self._all_tried())

    def _first_join(self, slot: int) -> float:
        return pings.ping_phase(self._first + slot) * self._spread_seconds / pings.PING_SECONDS

    def _token(self, slot: int) -> str:
        return token(self._settings, self.identity(slot), publish=False, hidden=self._hidden)

    async def _all_tried(self) -> None:
        for member in self._members:
            await member.tried.wait()
