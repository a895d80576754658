"""The host process: it plays hold music, then speaks the time code, and comes back faster than any listener."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from showstopper.audio import serving
from showstopper.audio.host.onstage import OnStage
from showstopper.audio.host.speaker import Voice
from showstopper.audio.lag import Lag
from showstopper.audio.settings import HostSettings, Identity

ON_STAGE = web.AppKey("on_stage", OnStage)

IMPORTING_SECONDS = 0.0005
"""How long imports may keep the interpreter at a time. A frame is due every 10 ms, and needs it more than once."""


def application(on_stage: OnStage) -> web.Application:
    """`/healthz` (the loop runs), `/readyz` (the room takes its sound) and `/v1/host` (when it did, and stalls)."""
    app = web.Application()
    app[ON_STAGE] = on_stage
    app.router.add_get("/healthz", serving.healthy)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/v1/host", _timeline)
    return app


async def _ready(request: web.Request) -> web.Response:
    if request.app[ON_STAGE].published:
        return web.Response(text="ok\n")
    return web.Response(status=503, text="not in the room\n")


async def _timeline(request: web.Request) -> web.Response:
    return web.json_response(request.app[ON_STAGE].document())


async def speak(settings: HostSettings) -> None:
    """Speak until cancelled."""
    structlog.contextvars.bind_contextvars(room=settings.room.name)
    voice = Voice(hold_seconds=settings.hold_seconds)
    on_stage = OnStage(settings.room, voice, identity=f"host-{os.getpid()}-{time.time_ns() // 1_000_000:x}")
    runner = await serving.serve(application(on_stage), settings.room.port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Lag(voice.stood_still).watch())
            group.create_task(voice.speak())
            group.create_task(on_stage.stay())
            if settings.identity is not None:
                group.create_task(_carry_out(settings.identity, voice, on_stage))
    finally:
        await on_stage.leave()
        await runner.cleanup()


async def _carry_out(identity: Identity, voice: Voice, on_stage: OnStage) -> None:
    """Carry out faults that this host is asked for, beside speaking."""
    execute = await asyncio.to_thread(_executing)
    await execute(identity, voice, on_stage)


def _executing() -> Callable[[Identity, Voice, OnStage], Awaitable[None]]:
    """Import it in a thread of its own: models and client take most of a second, and a host that is late is heard."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(IMPORTING_SECONDS)
    try:
        from showstopper.audio.stage.hits import execute  # noqa: PLC0415
    finally:
        sys.setswitchinterval(interval)
    return execute


async def _main() -> None:
    await speak(HostSettings.read(os.environ))


def main() -> None:
    """Entry point of `showstopper host`."""
    serving.configure_logs()
    serving.run(_main())


if __name__ == "__main__":
    main()
