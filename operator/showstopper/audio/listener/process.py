"""The listener process: residents and newcomers who listen to the room, and the feed of what they heard."""

from __future__ import annotations

import asyncio
import os

import structlog

from showstopper.audio import serving
from showstopper.audio.listener import feed, residents, shifts
from showstopper.audio.listener.crew import Crew
from showstopper.audio.settings import ListenerSettings


async def listen(settings: ListenerSettings) -> None:
    """Listen until cancelled."""
    crew = Crew(settings)
    structlog.contextvars.bind_contextvars(room=settings.room.name, pod=settings.pod)
    runner = await serving.serve(feed.application(crew), settings.room.port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(crew.lag.watch())
            group.create_task(shifts.keep_coming(crew))
            for index in range(settings.first, settings.first + settings.residents):
                group.create_task(residents.reside(crew, index))
    finally:
        await runner.cleanup()


async def _main() -> None:
    await listen(ListenerSettings.read(os.environ))


def main() -> None:
    """Entry point of `showstopper listener`."""
    serving.configure_logs()
    serving.run(_main())


if __name__ == "__main__":
    main()
