"""The operation of an archive: everything wired once, and carried on until it is told to stop."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web
from sqlalchemy import Engine

from showstopper.archive import serving, writing
from showstopper.archive.feeds import Feeds, ListenerPod, listener_pods
from showstopper.archive.keeper import Keeper
from showstopper.archive.runs import Runs
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.cluster.mirror import Mirror
from showstopper.cluster.supervision import for_ever

log = structlog.get_logger()
FORGET_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How long runs and what was heard in them are kept, and how long what was heard while nothing was tried."""

    runs: timedelta
    idle: timedelta


async def operate(
    client: Client,
    engine: Engine,
    stop: asyncio.Event,
    *,
    retention: Retention,
    port: int,
    feed_port: int = listeners.PORT,
) -> None:
    """Keep what there is to keep until `stop` is set. Health is served from the first moment on."""
    clock = Clock()
    keeper = Keeper(engine, clock)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(keeper.close)
        session = await stack.enter_async_context(listeners.session())
        pods = listener_pods(client)
        feeds, runs = Feeds(pods, keeper, clock, session, port=feed_port), Runs(client, keeper, clock)
        runner = web.AppRunner(serving.application(keeper, feeds, runs), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, port=port).start()
        work = asyncio.ensure_future(_work(keeper, feeds, runs, pods=pods, retention=retention, clock=clock))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, stopping):
            task.cancel()
        await asyncio.wait({work, stopping})
        log.info("stopped")


async def _work(
    keeper: Keeper, feeds: Feeds, runs: Runs, *, pods: Mirror[ListenerPod], retention: Retention, clock: Clock
) -> None:
    await keeper.open()

    async with asyncio.TaskGroup() as group:
        for name, work in (
            ("watching the listener pods", pods.run),
            ("asking the listener pods", feeds.run),
            ("following the runs", runs.follow),
            ("forgetting what is old", lambda: _forget(keeper, retention, clock)),
        ):
            group.create_task(for_ever(name, work))


async def _forget(keeper: Keeper, retention: Retention, clock: Clock) -> None:
    while True:
        now = clock.now()
        forget = partial(
            writing.forget,
            before=now - retention.runs.total_seconds(),
            idle_before=now - retention.idle.total_seconds(),
        )
        if gone := await keeper.write(forget):
            log.info("forgotten", spans=gone)
        await asyncio.sleep(FORGET_EVERY_SECONDS)
