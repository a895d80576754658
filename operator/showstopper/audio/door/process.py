"""The door process: it serves, counts, carries out its faults, and ends without cutting anybody off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import structlog

from showstopper.audio import serving
from showstopper.audio.door.application import Door, application
from showstopper.audio.door.counting import keep_counting
from showstopper.audio.door.counts import Counts
from showstopper.audio.door.desk import Desk
from showstopper.audio.door.limits import RateLimit
from showstopper.audio.door.settings import DoorSettings
from showstopper.audio.settings import Identity

log = structlog.get_logger()


async def open_door(settings: DoorSettings) -> None:
    """Serve until cancelled, then for as long as somebody may still be sent here."""
    structlog.contextvars.bind_contextvars(pod=settings.name)
    desk, counts = Desk(), Counts(settings.rooms)
    door = Door(settings, counts, desk, RateLimit(settings.per_second, settings.burst))
    runner = await serving.serve(application(door), settings.port)
    log.info("door_open", rooms=settings.rooms, url=settings.url)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_counting(settings, counts))
            if settings.identity is not None:
                group.create_task(_carry_out(settings.identity, desk))
    finally:
        desk.draining = True
        log.info("door_draining", seconds=settings.drain_seconds)
        await asyncio.sleep(settings.drain_seconds)
        await runner.cleanup()


async def _carry_out(identity: Identity, desk: Desk) -> None:
    """Carry out faults that this door is asked for. What that needs takes most of a second to import."""
    execute = await asyncio.to_thread(_executing)
    await execute(identity, desk)


def _executing() -> Callable[[Identity, Desk], Awaitable[None]]:
    from showstopper.audio.stage.door_hits import execute  # noqa: PLC0415

    return execute


def main() -> None:
    """Entry point of `showstopper door`."""
    serving.configure_logs()
    serving.run(_main())


async def _main() -> None:
    await open_door(DoorSettings.read(os.environ))


if __name__ == "__main__":
    main()
