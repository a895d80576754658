"""A session: one SDK client in the room, from its join until it is lost or leaves."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import structlog
from livekit import rtc

from showstopper.audio import entrance
from showstopper.audio.entrance import Ticket, TurnedAway
from showstopper.audio.settings import RoomSettings
from showstopper.errors import ShowstopperError

log = structlog.get_logger()

SIGNAL_SECONDS = 5.0
LEAVE_SECONDS = 2.0
STATISTICS_SECONDS = 2.0

LEAST_SECONDS = 0.1
"""So long at least is tried to join with a token that the door gave late."""

_abandoned: set[asyncio.Task[None]] = set()


class JoinError(ShowstopperError):
    """The room could not be joined. The message is the SDK's or the door's, or says how long it was tried."""


class Watcher(Protocol):
    """Who is told what happens in a session."""

    def reconnecting(self) -> None:
        """The connection broke, and the SDK tries to mend it."""

    def reconnected(self) -> None:
        """The SDK mended it."""

    def track_came(self, track: rtc.Track) -> None:
        """An audio track can be heard."""

    def track_went(self, track: rtc.Track) -> None:
        """It cannot be heard any more."""


class Session:
    """One stay in the room. `lost` is set when the SDK has given it up for good."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.lost = asyncio.Event()

    @classmethod
    async def join(
        cls, settings: RoomSettings, identity: str, watcher: Watcher, *, publish: bool, seconds: float
    ) -> Session:
        """Join the room within `seconds`. Who listens comes in by the room's door, where there is one.

        Raises:
            JoinError: with the SDK's words, the door's, or the time that was allowed.
        """
        until = time.monotonic() + seconds
        ticket = await _ticket(settings, identity, publish=publish, seconds=seconds)
        seconds = max(LEAST_SECONDS, until - time.monotonic())
        room = rtc.Room()
        session = cls(room)
        room.on("reconnecting", watcher.reconnecting)
        room.on("reconnected", watcher.reconnected)
        room.on("disconnected", lambda _reason: session.lost.set())
        room.on("track_subscribed", lambda track, *_: _if_audio(track, watcher.track_came))
        room.on("track_unsubscribed", lambda track, *_: _if_audio(track, watcher.track_went))
        options = rtc.RoomOptions(auto_subscribe=not publish, connect_timeout=min(SIGNAL_SECONDS, seconds))
        joining = asyncio.create_task(room.connect(ticket.url, ticket.token, options))
        try:
            await asyncio.wait_for(asyncio.shield(joining), seconds)
        except rtc.ConnectError as error:
            raise JoinError(error.message) from error
        except (TimeoutError, asyncio.CancelledError) as error:
            _abandon(joining, room)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise JoinError(f"not in the room after {seconds:g} s") from error
        return session

    async def statistics(self) -> list[Any] | None:
        """The SDK's statistics. None when it cannot say."""
        try:
            reports = await asyncio.wait_for(self.room.get_rtc_stats(), STATISTICS_SECONDS)
        except Exception as error:  # noqa: BLE001  # the SDK raises bare exceptions here, while it reconnects
            log.debug("no_statistics", error=repr(error))
            return None
        # With one peer connection everything stands in the publisher's list.
        return [*reports.publisher_stats, *reports.subscriber_stats]

    def subscribe_again(self) -> None:
        """Have the relay send all audio tracks anew: whoever watches is told of them again."""
        for participant in self.room.remote_participants.values():
            for publication in participant.track_publications.values():
                if publication.kind == rtc.TrackKind.KIND_AUDIO:
                    publication.set_subscribed(False)
                    publication.set_subscribed(True)

    async def leave(self) -> None:
        """Leave the room. A relay that does not answer is not waited for."""
        await _disconnect(self.room)


async def _ticket(settings: RoomSettings, identity: str, *, publish: bool, seconds: float) -> Ticket:
    if publish or not settings.door:
        return entrance.own(settings, identity, publish=publish)
    try:
        return await entrance.ask(settings.door, settings.livekit_room, identity, seconds=seconds)
    except TurnedAway as error:
        raise JoinError(str(error)) from error


def _if_audio(track: rtc.Track, tell: Any) -> None:
    if track.kind == rtc.TrackKind.KIND_AUDIO:
        tell(track)


async def _disconnect(room: rtc.Room) -> None:
    """Disconnect, and see to it that nothing of the session goes on here.

    When a publication fails, or is given up, in the wrong moment, the SDK's reader of that room waits for it for ever
    (livekit 1.1.13, Room._listen_task): the disconnect then never ends, and the events of all rooms pile up unread, 130
    kB a second. It has no other handle than that task.
    """
    leaving = asyncio.create_task(room.disconnect())
    _keep(leaving)
    left, _ = await asyncio.wait({leaving}, timeout=LEAVE_SECONDS)
    reader = getattr(room, "_task", None)
    if not left and reader is not None:
        reader.cancel()


def _abandon(joining: asyncio.Task[None], room: rtc.Room) -> None:
    """Let a join that took too long end by itself: cancelled, it would go on inside the SDK with nobody to end it."""

    async def end() -> None:
        try:
            await joining
        except Exception as error:  # noqa: BLE001  # whatever it was, it is over, and its join has been reported
            log.debug("abandoned_join_failed", error=str(error))
        else:
            await _disconnect(room)

    _keep(asyncio.create_task(end()))


def _keep(task: asyncio.Task[None]) -> None:
    _abandoned.add(task)
    task.add_done_callback(_abandoned.discard)
