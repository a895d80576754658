"""The swept listeners of a process: one sweep reads the sockets of all of them. What it learned of them."""

from __future__ import annotations

import asyncio
import itertools
import select
import time
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from showstopper.audio.crowd.diary import Entry, Event, Visit
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.crowd.listener import Listener
from showstopper.audio.crowd.liveness import Liveness
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.crowd.sweep import Sweep
from showstopper.audio.hearing.ear import HeardSpan

SIGNAL_SECONDS = 0.05
"""Whom the server offers sound answers so much later by our own doing."""

SIGNALS_PER_SWEEP = 2
SWEEP_SECONDS = SIGNALS_PER_SWEEP * SIGNAL_SECONDS
"""When media is read does not change its times: they are the kernel's. The fewer sweeps, the less each packet costs."""

STALL_SECONDS = 1.0
"""A sweep later than this is a stall of ours. Buffers hold 3 s. Who was silent meanwhile was not looked at."""

TOGETHER_SECONDS = 1.0
"""Drops that sweeps notice within this time are told together: an overload of minutes fits into the feed."""

MOST_ENTRIES = 100_000
MOST_STALLS = 1000
MOST_HEARD = 200_000


class SweptListeners:
    """One slot for each listener. Enter it as a context: it is swept until it is left."""

    def __init__(self, size: int, matcher: Matcher | None = None, *, places: int = 0) -> None:
        """Nobody is in it yet.

        Args:
            size: number of listeners who stay, and have the first slots.
            matcher: tells what is heard. Without it, packets are only counted. It has as many slots.
            places: number of slots behind those, for newcomers.
        """
        self.size = size
        self.visits: list[Visit] = []
        """Of newcomers who have a place, in the order of their calls."""
        self.ledger = Ledger(size + places)
        self.diary: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self.blind: deque[tuple[float, float]] = deque(maxlen=MOST_STALLS)
        """Stretches in which this process stood still, in which our own kernel dropped datagrams, in which the clock of
        its time stamps stepped, or in which the matcher doubts its samples: of nobody it is known what came then."""
        self.latest_sweep_seconds = 0.0
        """The longest time between two sweeps, so far."""
        self.stalls: deque[tuple[float, float]] = deque(maxlen=MOST_STALLS)
        """Stretches without a sweep for longer than STALL_SECONDS: a refusal or a loss then may be our own doing."""
        self.dropped: deque[tuple[float, int]] = deque(maxlen=MOST_STALLS)
        """When sweeps noticed that our own kernel had dropped datagrams, and how many. Those of a second are one."""
        self.sweep_cpu_seconds = 0.0
        """Processor time that all sweeps took."""
        self.heard: deque[tuple[int, HeardSpan]] = deque(maxlen=MOST_HEARD)
        """What the matcher told of each slot. The oldest goes."""
        self.doubts = 0
        """How often somebody, all of whose packets are opened, was sent others than samples would have told."""
        self._free = deque(range(size, size + places))
        self._matcher = matcher
        self._sweep = Sweep()
        self._liveness = Liveness(size + places)
        self._listeners: dict[int, Listener] = {}
        """Whose media is swept, by slot."""
        self._slots: dict[int, int] = {}
        """Whose signalling each descriptor is."""
        self._descriptors: dict[int, int] = {}
        self._poll = select.epoll()
        self.swept_at = self._swept_before = time.monotonic()
        """When the newest sweep began. What came until then has been read."""
        self._failures = 0, 0
        """Drops and clock steps up to the newest sweep. A reading of one listener in between may have noticed more."""
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.swept_at = self._swept_before = time.monotonic()
        self._tasks = [asyncio.create_task(self._sweep_for_ever())]
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
    def unopened(self) -> int:
        """Packets of sound that were to be opened and could not be: they are not genuine, or too long for a sweep."""
        return 0 if self._matcher is None else self._matcher.unopened

    @property
    def present(self) -> int:
        """How many listeners have a session now, with newcomers."""
        return self._liveness.present

    async def until(self, end: Coroutine[Any, Any, None]) -> None:
        """Wait for that. Raises what it raises, and what has ended another task of these meanwhile."""
        ending = asyncio.create_task(end)
        try:
            await asyncio.wait([ending, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not ending.done():
                ending.cancel()
                await asyncio.wait([ending])
        for task in [*self._tasks, ending]:
            if task.done() and not task.cancelled():
                task.result()

    def sweep(self) -> None:
        """Read everything that has come, and see who pings now and who is lost."""
        began = time.thread_time()
        now = time.monotonic()
        gap = now - self.swept_at
        self.latest_sweep_seconds = max(self.latest_sweep_seconds, gap)
        if gap > STALL_SECONDS:
            self.stalls.append((self.swept_at, now))
            self._liveness.stood_still(gap)
        self._read_media(now)
        if gap > STALL_SECONDS:
            # What did not fit into a buffer is known to be dropped only once another packet has come.
            self.blind.append((self.swept_at, time.monotonic()))
        failures = self.drops, self.clock_steps
        if failures != self._failures:
            # A full buffer is known by the packet that came after it was read: in the sweep after that one.
            self.blind.append((self._swept_before, time.monotonic()))
            self._note_drops(self.drops - self._failures[0], now)
        self._failures = failures
        self._swept_before, self.swept_at = self.swept_at, now
        if self._matcher is not None:
            self._matcher.advance(now)
            self.heard.extend(self._matcher.heard(now))
            doubts = self._matcher.doubts()
            self.blind.extend(doubts)
            self.doubts += len(doubts)
        self._read_signals(now)
        self._tend(now)
        self.sweep_cpu_seconds += time.thread_time() - began

    def hear_signals(self) -> None:
        """Read the signalling alone."""
        began = time.thread_time()
        self._read_signals(time.monotonic())
        self.sweep_cpu_seconds += time.thread_time() - began

    def entered(self, slot: int, listener: Listener) -> None:
        """A new session's media can flow: sweep its sockets."""
        assert listener.session is not None
        self.ledger.joined_afresh(slot)
        self._listeners[slot] = listener
        if self._matcher is not None:
            self._matcher.joined(slot, listener.session.transport.receiving_key)
        self._sweep.add(slot, listener.session.transport.socket.fileno())
        self.resumed(slot, listener)

    def resumed(self, slot: int, listener: Listener) -> None:
        """A session goes on over new signalling: sweep that."""
        assert listener.session is not None
        descriptor = listener.session.signalling.socket.fileno()
        self._descriptors[slot], self._slots[descriptor] = descriptor, slot
        self._poll.register(descriptor, select.EPOLLIN)
        self._liveness.began(slot, time.monotonic(), listener.session.negotiation.ping_timeout)

    def sweep_one(self, slot: int) -> None:
        """Read one listener's media now."""
        self._read_media(time.monotonic(), slot)

    def lost(self, slot: int) -> None:
        """A session is lost: sweep its signalling no more. Its media may go on while it is sought."""
        self._liveness.ended(slot)
        if (descriptor := self._descriptors.pop(slot, None)) is not None:
            del self._slots[descriptor]
            self._poll.unregister(descriptor)

    def let_go(self, slot: int) -> None:
        """Sweep the sockets of this slot no more. What waits in them came before their end, and is read."""
        if self._listeners.pop(slot, None) is not None:
            self._read_media(time.monotonic(), slot)
        self._sweep.remove(slot)
        self.lost(slot)

    def is_alive(self, slot: int, since: float) -> bool:
        """Whether something came over its transport since then."""
        return self._liveness.datagram_since(slot, since)

    def receive(self, newcomer: str) -> Visit | None:
        """Give a newcomer, who calls now, a place. None: there is none."""
        if not self._free:
            return None
        visit = Visit(newcomer, self._free.popleft(), time.monotonic())
        self.ledger.vacate(visit.slot)
        self.visits.append(visit)
        return visit

    def vacate(self, visit: Visit) -> None:
        """All of a visit is told: its place is free."""
        self.visits.remove(visit)
        self._free.append(visit.slot)

    def note(self, slot: int, event: Event, reason: str = "", message: str = "") -> None:
        """Write it into the diary."""
        self.diary.append(Entry(time.monotonic(), slot, event, reason, message))

    async def _sweep_for_ever(self) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if number % SIGNALS_PER_SWEEP:
                self.hear_signals()
            else:
                self.sweep()
            due = max(due + SIGNAL_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _note_drops(self, count: int, now: float) -> None:
        if not count:
            return
        if self.dropped and now - self.dropped[-1][0] < TOGETHER_SECONDS:
            since, before = self.dropped.pop()
            self.dropped.append((since, before + count))
        else:
            self.dropped.append((now, count))

    def _read_media(self, now: float, slot: int | None = None) -> None:
        for batch in self._sweep.read(slot):
            self._liveness.datagrams(batch.slots, now)
            self.ledger.take(batch.packets)
            if self._matcher is not None:
                self._matcher.take(batch)
            for datagram in batch.datagrams:
                if (listener := self._listeners.get(datagram.slot)) is not None:
                    listener.take(datagram.data, datagram.sender)

    def _read_signals(self, now: float) -> None:
        for descriptor, _ in self._poll.poll(0, max(1, len(self._slots))):
            slot = self._slots[descriptor]
            if self._listeners[slot].signalled():
                self._liveness.signal(slot, now)

    def _tend(self, now: float) -> None:
        for slot in self._liveness.to_ping(now):
            self._listeners[slot].ping()
        for slot, loss in self._liveness.lost(now).items():
            self._listeners[slot].lose(loss)
