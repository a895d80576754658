"""The crowd process: cheap listeners who stay in the room, and the feed of their account."""

from __future__ import annotations

import asyncio
import os
import resource

import structlog
from aiohttp import web

from showstopper.audio import serving, wall_clock
from showstopper.audio.classify import Rules
from showstopper.audio.crowd.account.document import Account
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.matching.ears import Ears
from showstopper.audio.settings import CrowdSettings
from showstopper.errors import SettingsError

TURN_SECONDS = 1.0
"""How often the account is settled: as often as it is read."""

SOCKETS_EACH = 2
"""Of a listener: its signalling and its media."""

OTHER_DESCRIPTORS = 64
"""Of the process: who reads its account, and what Python has open."""

ACCOUNT = web.AppKey("account", Account)


def application(account: Account) -> web.Application:
    """`GET /v1/crowd?after=N` and `GET /healthz`."""
    app = web.Application()
    app[ACCOUNT] = account
    app.router.add_get("/v1/crowd", _account)
    app.router.add_get("/healthz", serving.healthy)
    return app


async def _account(request: web.Request) -> web.Response:
    body = await request.app[ACCOUNT].encoded(serving.after(request))
    return web.Response(body=body, content_type="application/json")


async def listen(settings: CrowdSettings) -> None:
    """Listen until cancelled."""
    structlog.contextvars.bind_contextvars(room=settings.room.name, pod=settings.pod)
    _allow_sockets(settings.size)
    rules = Rules(stale_seconds=settings.stale_seconds)
    ears = Ears(settings.size, rules, wall_clock.at, references=sorted({0, settings.size // 2}))
    crowd = Crowd(
        settings.room, settings.size, name=settings.pod, first=settings.first, hidden=settings.hidden, ears=ears
    )
    account = Account(settings, crowd, ears.lag)
    runner = await serving.serve(application(account), settings.room.port)
    try:
        async with crowd:
            await crowd.until(_settle(account))
    finally:
        await runner.cleanup()


async def _settle(account: Account) -> None:
    while True:
        await asyncio.sleep(TURN_SECONDS)
        account.settle()


def _allow_sockets(size: int) -> None:
    """Have as many descriptors as this process may.

    Raises:
        SettingsError: where they are too few. Who gets no socket would be Unknown for ever.
    """
    most, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[1], SOCKETS_EACH * size + OTHER_DESCRIPTORS
    if most != resource.RLIM_INFINITY and most < needed:
        raise SettingsError(
            f"{size} listeners need {needed} open files, and this process may have {most}: raise its limit "
            "(LimitNOFILE of the container runtime), or write a smaller perPod"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Entry point of `showstopper crowd`."""
    serving.configure_logs()
    serving.run(listen(CrowdSettings.read(os.environ)))


if __name__ == "__main__":
    main()
