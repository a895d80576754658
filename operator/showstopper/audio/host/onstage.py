"""On stage: the host stays in the room and joins again for ever, without ever being the slowest part of a recovery.

The SDK mends a session by itself, but late: it notices a silent relay after 8 to 14 s, and backs off up to 7 s between
tries. One late host silences everybody. So this looks at what comes back from the relay (receiver reports, one a
second), and when nothing does, joins afresh beside the SDK's own efforts. Whichever is in first goes on, the other
leaves.

A fault of the host has it leave for a while (`Break`). It comes back by itself: whoever sent it away may be gone.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from livekit import rtc

from showstopper.audio import statistics
from showstopper.audio.host.speaker import Voice
from showstopper.audio.session import JoinError, Session
from showstopper.audio.settings import RoomSettings

log = structlog.get_logger()

POLL_SECONDS = 0.25
SILENT_SECONDS = 2.5
"""A relay sends a receiver report every second. This long without any packet, it is gone."""

TAKEN_SECONDS = 5.0
"""The first receiver report comes 1 to 1.5 s after the track (measured). A relay that answers the pings of the
connection and reports nothing takes no sound over it, for example where a filter drops it."""

UNSURE_SECONDS = 8.0
"""So long the statistics may say nothing at all."""

ABREAST_SECONDS = 0.5
"""A join that is sent to a dead relay hangs for 5 s, so the next is tried beside it: measured, this is in after 4.2 s,
when the store drops the dead relay, instead of 5.3 s."""

MOST_ABREAST = 8
JOIN_SECONDS = 6.0
PUBLISH_SECONDS = 6.0
BIT_RATE = 32_000
TIMELINE = 1000


@dataclass(slots=True)
class Appearance:
    """[start, end) on the monotonic clock in which the room took the host's sound. It goes on while `end` is None."""

    start: float
    end: float | None = None
    path: statistics.Path | None = None


@dataclass
class Break:
    """A time out of the room, until a monotonic time.

    Attributes:
        left_at: when it had left. None: it has not yet.
    """

    until: float
    left_at: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has been out of the room."""
        return max(0.0, min(time.monotonic(), self.until) - self.left_at) if self.left_at is not None else 0.0

    @property
    def lasts(self) -> bool:
        """Whether it is not over yet."""
        return time.monotonic() < self.until


class _Contact:
    """One session, and when its relay last answered. The SDK's events are the watcher's."""

    def __init__(self) -> None:
        self.mending = False
        self.taken = False
        self.answered_at = time.monotonic()
        self.path: statistics.Path | None = None
        self.session: Session | None = None

    def reconnecting(self) -> None:
        self.mending = True

    def reconnected(self) -> None:
        self.mending = False

    def track_came(self, _track: rtc.Track) -> None:
        """The host does not listen."""

    def track_went(self, _track: rtc.Track) -> None:
        """The host does not listen."""

    async def alive(self) -> bool:
        """Whether the relay still answers."""
        assert self.session is not None
        if self.session.lost.is_set():
            return False
        reports = await self.session.statistics()
        if reports is None:  # a busy SDK says nothing of its relay
            return time.monotonic() - self.answered_at < UNSURE_SECONDS
        answered = statistics.answered_at(reports, time.monotonic())
        self.taken = self.taken or statistics.taken(reports)
        if self.taken:
            self.answered_at = max(self.answered_at, answered or self.answered_at)
        self.path = statistics.path(reports) or self.path
        torn_down = self.mending and answered is None
        patience = SILENT_SECONDS if self.taken else TAKEN_SECONDS
        return not torn_down and time.monotonic() - self.answered_at < patience


class OnStage:
    """The host's place in the room."""

    def __init__(self, settings: RoomSettings, voice: Voice, identity: str) -> None:
        self._settings = settings
        self._voice = voice
        self._identity = identity
        self._boot = str(uuid.uuid4())
        self._started = time.monotonic()
        self._attempts = 0
        self._contact: _Contact | None = None
        self._appearances: list[Appearance] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._break: Break | None = None
        self._rung = asyncio.Event()

    @property
    def published(self) -> bool:
        """Whether the room takes the host's sound now."""
        return bool(self._appearances) and self._appearances[-1].end is None

    async def stay(self) -> None:
        """Be in the room until cancelled, but for the breaks that a fault wants."""
        self._enter(await self._joined())
        while True:
            await self._rings(POLL_SECONDS)
            assert self._contact is not None
            if self._break is not None and self._break.lasts:
                await self._stay_away(self._contact, self._break)
            elif await self._contact.alive():
                self._appearances[-1].path = self._contact.path
            else:
                await self._return(self._contact)

    def step_out(self, until: float) -> Break:
        """Leave the room at once, and come back at that monotonic time, or when it is moved there."""
        self._break = Break(until)
        self._rung.set()
        return self._break

    def come_back(self, away: Break) -> None:
        """Come back now."""
        away.until = min(away.until, time.monotonic())
        self._rung.set()

    async def leave(self) -> None:
        """Leave for good."""
        self._exit()
        if self._contact is not None and self._contact.session is not None:
            await self._contact.session.leave()

    async def _stay_away(self, contact: _Contact, away: Break) -> None:
        """Be out of the room for as long as the break lasts, then join afresh."""
        self._exit()
        self._contact = None
        await _leave(contact)
        away.left_at = time.monotonic()
        log.info("left_the_room")
        while away.lasts:
            await self._rings(away.until - time.monotonic())
        self._enter(await self._joined())

    async def _rings(self, seconds: float) -> None:
        """Wait until somebody wants it to leave or to come back, or for so long."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()

    async def _return(self, old: _Contact) -> None:
        """Get back: by the SDK's mending or by a fresh join, whichever is first."""
        self._exit()
        log.warning("lost_the_room", silent_seconds=round(time.monotonic() - old.answered_at, 2))
        fresh = asyncio.create_task(self._joined())
        try:
            while not fresh.done():
                await asyncio.wait({fresh}, timeout=POLL_SECONDS)
                if not fresh.done() and await old.alive():
                    self._enter(old)
                    return
            self._enter(fresh.result())
            self._later(_leave(old))
        finally:
            if not fresh.done():
                fresh.cancel()

    def _enter(self, contact: _Contact) -> None:
        self._contact = contact
        self._voice.begin()
        self._appearances = [*self._appearances[-TIMELINE:], Appearance(time.monotonic())]
        log.info("on_stage", attempts=self._attempts)

    def _exit(self) -> None:
        self._voice.end()
        if self.published and self._contact is not None:
            self._appearances[-1].end = max(self._appearances[-1].start, self._contact.answered_at)

    async def _joined(self) -> _Contact:
        """Join and publish, with several tries at a time until one is in. The others leave as soon as they are in."""
        running: set[asyncio.Task[_Contact]] = set()
        try:
            while True:
                if len(running) < MOST_ABREAST:
                    running.add(asyncio.create_task(self._try()))
                done, running = await asyncio.wait(
                    running, timeout=ABREAST_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                winners = [contact for task in done if (contact := _outcome(task))]
                for second in winners[1:]:
                    self._later(_leave(second))
                if winners:
                    return winners[0]
                if done:
                    await asyncio.sleep(ABREAST_SECONDS / 2)
        finally:
            for task in running:
                task.cancel()

    async def _try(self) -> _Contact:
        """One fresh join under a name of its own, so that a late one cannot throw the one that won out of the room."""
        self._attempts += 1
        contact = _Contact()
        contact.session = await Session.join(
            self._settings, f"{self._identity}-{self._attempts}", contact, publish=True, seconds=JOIN_SECONDS
        )
        try:
            await self._publish(contact.session.room)
        except BaseException:
            self._later(_leave(contact))
            raise
        contact.answered_at = time.monotonic()
        return contact

    async def _publish(self, room: rtc.Room) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("stage", self._voice.source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE,
            dtx=False,  # silence must be sent as packets, or it looks like a loss
            red=False,  # what is lost must stay lost, or concealment is not what the network did
        )
        options.audio_encoding.max_bitrate = BIT_RATE
        try:
            await asyncio.wait_for(room.local_participant.publish_track(track, options), PUBLISH_SECONDS)
        except (rtc.participant.PublishTrackError, TimeoutError) as error:
            raise JoinError(f"the room did not take the host's track: {error}") from error

    def _later(self, leaving: Any) -> None:
        task = asyncio.create_task(leaving)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def document(self) -> dict[str, object]:
        """The reconnect timeline, and when this process stood still. Times are on its monotonic clock."""
        return {
            "boot": self._boot,
            "startedAt": self._started,
            "room": self._settings.name,
            "clock": {"monotonic": time.monotonic(), "wall": time.time()},
            "published": self.published,
            "holdUntil": self._voice.hold_until,
            "attempts": self._attempts,
            "stalls": [{"from": start, "to": end} for start, end in self._voice.stalls],
            "connected": [
                {
                    "from": appearance.start,
                    "to": appearance.end,
                    "relay": appearance.path and {"address": appearance.path.address, "port": appearance.path.port},
                }
                for appearance in self._appearances
            ],
        }


def _outcome(task: asyncio.Task[_Contact]) -> _Contact | None:
    """The contact of a join that worked. None for one that was refused."""
    try:
        return task.result()
    except JoinError as error:
        log.info("join_failed", error=str(error))
        return None


async def _leave(contact: _Contact) -> None:
    if contact.session is not None:
        await contact.session.leave()
