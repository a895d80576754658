"""A client: one virtual listener, over as many sessions as it takes, and the story of what it heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from livekit import rtc

from showstopper.audio import statistics, wall_clock
from showstopper.audio.clock import SampleClock
from showstopper.audio.hearing import reading
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import Ear
from showstopper.audio.listener.meter import Meter
from showstopper.audio.listener.story import Story
from showstopper.audio.media import CODED_PATIENCE_SECONDS, Media, Poll
from showstopper.audio.session import Session
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.statistics import Statistics

log = structlog.get_logger()

POLL_SECONDS = 0.25
FRAME_MILLISECONDS = 50
DTX_PATIENCE_SECONDS = 0.6
"""Somebody else's host may send one packet in 400 ms while nobody speaks: that is no missing media."""

SETTLED_SECONDS = 0.3
"""How long after an instant the statistics have said what is needed about its packets."""

REPEATED_SECONDS = 0.05
"""The SDK repeats a report that is no older (WebRTC caches it: pc/rtc_stats_collector.h, kCacheLifetimeUs)."""

DEAF_SECONDS = 2.0
"""So long packets may come of a track of which the SDK has not told. It tells within some milliseconds."""

OVERDUE_SECONDS = 2.0
"""An ear or statistics later than this are not waited for."""


@dataclass
class _Listening:
    """One track that is being heard."""

    ear: Ear
    opened: float
    stream: rtc.AudioStream
    task: asyncio.Task[None]


class Client:
    """One virtual listener. It measures, and decides nothing."""

    def __init__(self, settings: RoomSettings, name: str, kind: Kind, rules: Rules) -> None:
        self.name = name
        self.kind = kind
        self.reconnects = 0
        self.path: statistics.Path | None = None
        self.sampled_at = time.monotonic()
        self.media = Media(CODED_PATIENCE_SECONDS if rules.coded else DTX_PATIENCE_SECONDS)
        self.story = Story(name, kind, self.sampled_at, self.media)
        self._meter = Meter(name, self.sampled_at)
        self._settings = settings
        self._rules = rules
        self._stamps = SampleClock(statistics.STAMPS)
        self._session: Session | None = None
        self._tracks: dict[str, _Listening] = {}
        self._deaf_since: float | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def join(self, identity: str, seconds: float) -> Session:
        """Join afresh within `seconds`.

        Raises:
            JoinError: if the room cannot be joined.
        """
        self.story.connection(time.monotonic(), State.JOINING)
        try:
            self._session = await Session.join(self._settings, identity, self, publish=False, seconds=seconds)
        except BaseException:
            self.story.connection(time.monotonic(), State.OFFLINE)
            raise
        self.story.connection(time.monotonic(), None)
        return self._session

    def reconnecting(self) -> None:
        """The SDK began to mend the connection."""
        self.story.connection(time.monotonic(), State.JOINING)
        self._start(self._look())
        log.info("reconnecting", listener=self.name)

    def reconnected(self) -> None:
        """The SDK mended it."""
        self.reconnects += 1
        self.story.connection(time.monotonic(), None)
        log.info("reconnected", listener=self.name)

    def track_came(self, track: rtc.Track) -> None:
        """Hear the track from its first frame on."""
        self.track_went(track)
        try:
            stream = rtc.AudioStream(track, sample_rate=reading.RATE, num_channels=1, frame_size_ms=FRAME_MILLISECONDS)
        except AssertionError:  # how the SDK says that its track is gone, which happens while it reconnects
            log.info("track_gone", listener=self.name, track=track.sid)
            return
        ear = Ear(self._rules, wall_clock.at)
        task = asyncio.create_task(_hear(stream, ear))
        self._tracks[track.sid] = _Listening(ear, time.monotonic(), stream, task)

    def track_went(self, track: rtc.Track) -> None:
        """Hear it to its end."""
        listening = self._tracks.pop(track.sid, None)
        if listening is not None:
            self._end(listening)

    async def poll(self) -> None:
        """Read the statistics once."""
        if self._session is None:
            self._polled(time.monotonic(), [])
            return
        reports = await self._session.statistics()
        if reports is None:
            return
        now = time.monotonic()
        polls = statistics.polls(reports, self._stamps, now)
        at = polls[0].at if polls else now
        if at < self.sampled_at:  # another answer has overtaken it
            return
        self.sampled_at = at
        self._polled(at, polls)
        self.path = statistics.path(reports) or self.path

    async def _look(self) -> None:
        """Read the statistics of a session that may be given up in a moment: they end with it."""
        broke_at = time.monotonic()
        await self.poll()
        if self.sampled_at < broke_at:
            await asyncio.sleep(REPEATED_SECONDS)
            await self.poll()

    def _polled(self, at: float, polls: list[Poll]) -> None:
        before = self.media.totals()
        self.media.polled(at, polls)
        after = self.media.totals()
        self._meter.polled(at, after)
        self._look_for_tracks(at, packets_came=after.received > before.received)

    def _look_for_tracks(self, at: float, *, packets_came: bool) -> None:
        """Ask for the tracks once more if packets come and none of them is heard.

        Where a session is mended while the host comes back too, the SDK may not tell of the track, or tell in the wrong
        order (livekit 1.1.13): then the listener is deaf until the next outage. What it does not hear is Unknown.
        """
        if self._tracks or not packets_came or self._session is None:
            self._deaf_since = None
        elif self._deaf_since is None:
            self._deaf_since = at
        elif at - self._deaf_since > DEAF_SECONDS:
            self._deaf_since = None
            log.warning("deaf", listener=self.name)
            self._session.subscribe_again()

    def count(self) -> list[Statistics]:
        """The rows of statistics that are over, up to where its spans were told. Newcomers have none."""
        rows = self._meter.close(self.story.told_until, self.story.live_delay)
        return rows if self.kind is Kind.RESIDENT else []

    def counting(self) -> Statistics | None:
        """The row of statistics that goes on."""
        if self.kind is not Kind.RESIDENT:
            return None
        return self._meter.open(self.story.told_until, self.story.live_delay)

    def tell(self) -> list[Span]:
        """The spans that have ended and are known for certain."""
        now = time.monotonic()
        until = min(now, self.media.checked) - SETTLED_SECONDS
        for listening in self._tracks.values():
            self.story.sound(listening.ear.heard())
            until = min(until, listening.ear.heard_until or listening.opened)
        overdue = OVERDUE_SECONDS + self._rules.margin * reading.WINDOW / reading.RATE
        return self.story.tell(max(until, now - overdue))

    def blind(self, start: float, end: float) -> None:
        """The probe stood still in [start, end)."""
        self.story.blind(start, end)
        for listening in self._tracks.values():
            listening.ear.clock.restart()

    async def lost(self) -> None:
        """Wait until the SDK gives the session up. From then on this listener is offline."""
        assert self._session is not None
        session = self._session
        await session.lost.wait()
        self.story.connection(time.monotonic(), State.OFFLINE)
        self.reconnects += 1
        await self._drop()

    async def leave(self, at: float) -> list[Span]:
        """Leave for good at `at`: the last spans."""
        for sid in list(self._tracks):
            self._end(self._tracks.pop(sid))
        spans = self.story.leave(at)
        await self._drop()
        return spans

    def totals(self) -> Poll:
        """The counters since this listener first called."""
        return self.media.totals()

    async def _drop(self) -> None:
        session, self._session = self._session, None
        for sid in list(self._tracks):
            self._end(self._tracks.pop(sid))
        if session is not None:
            await session.leave()

    def _end(self, listening: _Listening) -> None:
        """Take what the ear still has, and close its stream without waiting."""
        if listening.ear.clock.started:
            self.story.sound(listening.ear.heard(ended=True))
        listening.task.cancel()
        self._start(listening.stream.aclose())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run, and keep it until it has ended."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _hear(stream: rtc.AudioStream, ear: Ear) -> None:
    async for event in stream:
        ear.listen(np.frombuffer(event.frame.data, np.int16), time.monotonic())
