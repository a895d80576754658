"""The crowd process: cheap listeners who stay in the room, and their feed."""

from __future__ import annotations

import asyncio
import os

import structlog
from aiohttp import web

from showstopper.audio import serving, wall_clock
from showstopper.audio.crowd import sockets
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.feed.document import CrowdFeed
from showstopper.audio.crowd.matching.matcher import Matcher
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.settings import CrowdSettings

TURN_SECONDS = 1.0
"""How often the feed is settled: as often as it is read."""

FEED = web.AppKey("feed", CrowdFeed)


def application(feed: CrowdFeed) -> web.Application:
    """`GET /v1/crowd?after=N` and `GET /healthz`."""
    app = web.Application()
    app[FEED] = feed
    app.router.add_get("/v1/crowd", _account)
    app.router.add_get("/healthz", serving.healthy)
    return app


async def _account(request: web.Request) -> web.Response:
    body = await request.app[FEED].encoded(serving.after(request))
    return web.Response(body=body, content_type="application/json")


async def listen(settings: CrowdSettings) -> None:
    """Listen until cancelled."""
    structlog.contextvars.bind_contextvars(room=settings.room.name, pod=settings.pod)
    slots = settings.size + (settings.arrivals.places if settings.arrivals is not None else 0)
    sockets.allow(slots, instead="a smaller perPod")
    rules = Rules(stale_seconds=settings.stale_seconds)
    matcher = Matcher(slots, rules, wall_clock.at, references=sorted({0, settings.size // 2}))
    crowd = Crowd(
        settings.room,
        settings.size,
        name=settings.pod,
        first=settings.first,
        hidden=settings.hidden,
        matcher=matcher,
        arrivals=settings.arrivals,
    )
    feed = CrowdFeed(settings, crowd, matcher.lag)
    runner = await serving.serve(application(feed), settings.room.port)
    try:
        async with crowd:
            await crowd.until(_settle(feed))
    finally:
        await runner.cleanup()


async def _settle(feed: CrowdFeed) -> None:
    while True:
        await asyncio.sleep(TURN_SECONDS)
        feed.settle()


def main() -> None:
    """Entry point of `showstopper crowd`."""
    serving.configure_logs()
    serving.run(listen(CrowdSettings.read(os.environ)))


if __name__ == "__main__":
    main()
