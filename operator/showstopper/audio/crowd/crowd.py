"""A crowd: its seats, and the sweep that reads the sockets of all who sit there."""

from __future__ import annotations

import asyncio
import select
import time
from collections import deque
from functools import partial
from types import TracebackType
from typing import Self

from showstopper.audio.crowd import rules
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.liveness import Liveness
from showstopper.audio.crowd.matching.ears import Ears
from showstopper.audio.crowd.rules import Limits
from showstopper.audio.crowd.seat import Seat
from showstopper.audio.crowd.sweep import Sweep
from showstopper.audio.ear import Heard
from showstopper.audio.settings import RoomSettings
from showstopper.audio.tokens import token

SWEEP_SECONDS = 0.05
SPREAD_SECONDS = rules.PING_SECONDS
LATE_SECONDS = 1.0
"""A sweep later than this is a stall of ours. Buffers hold 3 s; who was silent meanwhile was not looked at."""

MOST_ENTRIES = 100_000
MOST_STALLS = 1000
MOST_HEARD = 200_000


class Crowd:
    """Listeners in one room. Enter it as a context: they join one after the other, and stay until it is left."""

    def __init__(
        self,
        settings: RoomSettings,
        size: int,
        *,
        name: str = "crowd",
        hidden: bool = True,
        spread_seconds: float = SPREAD_SECONDS,
        limits: Limits | None = None,
        ears: Ears | None = None,
    ) -> None:
        """Nobody joins yet.

        Args:
            settings: the room, and what lets one in.
            size: number of listeners.
            name: the beginning of their identities.
            hidden: whether the others in the room are not told of them. Such a crowd costs the relay half, and weighs
                nothing like an audience.
            spread_seconds: time over which the joins are spread, and with them the pings.
            limits: seconds that the steps of a join may take.
            ears: what tells what is heard; without, packets are only counted.
        """
        self.size = size
        self.ledger = Ledger(size)
        self.diary: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self.sweeps = 0
        self.latest_sweep_seconds = 0.0
        """The longest time between two sweeps, so far."""
        self.stalls: deque[tuple[float, float]] = deque(maxlen=MOST_STALLS)
        """Stretches without a sweep for longer than LATE_SECONDS: a refusal or a loss then may be our own doing."""
        self.sweep_cpu_seconds = 0.0
        """Processor time that all sweeps took."""
        self._settings = settings
        self._name, self._hidden = name, hidden
        self._spread_seconds = spread_seconds
        self._limits = limits or Limits()
        self.heard: deque[tuple[int, Heard]] = deque(maxlen=MOST_HEARD)
        """What the ears told of each slot; the oldest goes."""
        self._ears = ears
        self._sweep = Sweep()
        self._liveness = Liveness(size)
        self._seats: list[Seat] = []
        self._slots: dict[int, int] = {}
        """Whose signalling each descriptor is."""
        self._descriptors: dict[int, int] = {}
        self._poll = select.epoll()
        self._swept_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        access = Access.to(self._settings.url)
        self._seats = [Seat(slot, self, access, partial(self._token, slot), self._limits) for slot in range(self.size)]
        self._swept_at = time.monotonic()
        self._tasks = [asyncio.create_task(self._sweep_for_ever())]
        self._tasks += [
            asyncio.create_task(seat.occupy(rules.offset(seat.slot, self.size, self._spread_seconds)))
            for seat in self._seats
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._poll.close()
        failures = [result for result in results if isinstance(result, Exception)]
        if failures and error is None:
            raise failures[0]

    @property
    def drops(self) -> int:
        """Datagrams that our own kernel dropped, because we read too late."""
        return self._sweep.drops

    @property
    def clock_steps(self) -> int:
        """How often the wall clock stepped."""
        return self._sweep.steps

    @property
    def present(self) -> int:
        """How many listeners have a session now."""
        return self._liveness.present

    def listener(self, slot: int) -> Listener | None:
        """Who sits there, and may be joining or lost."""
        return self._seats[slot].listener

    async def all_tried(self) -> None:
        """Wait until everybody's first join has come to its end, in the room or not. Raises what ended the crowd."""
        tried = asyncio.create_task(self._all_tried())
        await asyncio.wait([tried, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        tried.cancel()
        for task in self._tasks:
            if task.done():
                task.result()

    def sweep(self) -> None:
        """Read everything that has come, and see who pings now and who is lost."""
        began = time.thread_time()
        now = time.monotonic()
        gap, self._swept_at = now - self._swept_at, now
        self.latest_sweep_seconds = max(self.latest_sweep_seconds, gap)
        self.sweeps += 1
        if gap > LATE_SECONDS:
            self.stalls.append((now - gap, now))
            self._liveness.stood_still(gap)
        self._read_media(now)
        if self._ears is not None:
            self.heard.extend(self._ears.tell(now))
        self._read_signals(now)
        self._tend(now)
        self.sweep_cpu_seconds += time.thread_time() - began

    # What seats ask for

    def entered(self, slot: int, listener: Listener) -> None:
        """Sweep a new listener's sockets."""
        assert listener.transport is not None
        self.ledger.joined_afresh(slot)
        if self._ears is not None:
            self._ears.joined(slot, listener.transport.receiving_key)
        self._sweep.add(slot, listener.transport.socket.fileno())
        self.resumed(slot, listener)

    def resumed(self, slot: int, listener: Listener) -> None:
        """Sweep its new signalling."""
        assert listener.signalling is not None
        assert listener.negotiation is not None
        descriptor = listener.signalling.socket.fileno()
        self._descriptors[slot], self._slots[descriptor] = descriptor, slot
        self._poll.register(descriptor, select.EPOLLIN)
        self._liveness.began(slot, time.monotonic(), listener.negotiation.ping_timeout)

    def sweep_one(self, slot: int) -> None:
        """Read one listener's media now."""
        self._read_media(time.monotonic(), slot)

    def lost(self, slot: int) -> None:
        """Sweep its signalling no more. Its media may go on."""
        self._liveness.ended(slot)
        if (descriptor := self._descriptors.pop(slot, None)) is not None:
            del self._slots[descriptor]
            self._poll.unregister(descriptor)

    def let_go(self, slot: int) -> None:
        """Sweep the sockets of a seat no more."""
        self._sweep.remove(slot)
        self.lost(slot)

    def is_alive(self, slot: int, since: float) -> bool:
        """Whether something came over its transport since then."""
        return self._liveness.datagram_since(slot, since)

    def note(self, slot: int, event: Event, reason: str = "", message: str = "") -> None:
        """Write it into the diary."""
        self.diary.append(Entry(time.monotonic(), slot, event, reason, message))

    def _token(self, slot: int) -> str:
        return token(self._settings, f"{self._name}-{slot}", publish=False, hidden=self._hidden)

    async def _all_tried(self) -> None:
        for seat in self._seats:
            await seat.tried.wait()

    async def _sweep_for_ever(self) -> None:
        due = time.monotonic()
        while True:
            self.sweep()
            due = max(due + SWEEP_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _read_media(self, now: float, slot: int | None = None) -> None:
        for batch in self._sweep.read(slot):
            self._liveness.datagrams(batch.slots, now)
            self.ledger.take(batch.packets)
            if self._ears is not None:
                self._ears.take(batch)
            for datagram in batch.datagrams:
                if (listener := self._seats[datagram.slot].listener) is not None:
                    listener.take(datagram.data, datagram.sender)

    def _read_signals(self, now: float) -> None:
        for descriptor, _ in self._poll.poll(0, max(1, len(self._slots))):
            slot = self._slots[descriptor]
            listener = self._seats[slot].listener
            if listener is not None and listener.signalled():
                self._liveness.signal(slot, now)

    def _tend(self, now: float) -> None:
        for slot in self._liveness.to_ping(now):
            if (listener := self._seats[slot].listener) is not None:
                listener.ping()
        for slot, loss in self._liveness.lost(now).items():
            if (listener := self._seats[slot].listener) is not None:
                listener.lose(loss)
