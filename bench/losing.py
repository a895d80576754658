"""Runs that lose all packets to a pod that is fed, each aborted as soon as it is proven. For bench/latency.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bench import spare
from bench.losses import LossTiming
from bench.streams import Stream, Traffic, first_lost
from bench.watching import watched
from dev.cluster import progress
from dev.cluster.api import Cluster
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, INJECTION
from showstopper.cluster.watch import watch

RUN_SECONDS = 60.0
CALM_SECONDS = 0.5
"""How long everything stands still between a verdict and the next apply."""

LASTS_SECONDS = 0.3
"""How long a fault is let be once it is proven: the run is then past all that it does at the beginning."""


class Loser:
    """Runs experiments that lose packets, one after another, and notes when what became visible."""

    def __init__(self, client: Client, stream: Stream) -> None:
        self._client, self._stream = client, stream
        self._timings: dict[str, LossTiming] = {}
        self._by_run: dict[str, LossTiming] = {}
        self._news = asyncio.Event()

    async def runs(self) -> None:
        """Watch the runs, for ever."""
        async for event, run in watch(self._client, EXPERIMENT_RUN, spare.NAMESPACE):
            at = time.time()
            if not event.exists:
                continue
            timing = self._timings.get(run["spec"]["experiment"].get("revision", ""))
            if timing is not None:
                timing.seen(run, at)
                self._by_run[timing.run] = timing
                self._news.set()

    async def injections(self) -> None:
        """Watch the Injections, for ever."""
        async for event, injection in watch(self._client, INJECTION, spare.NAMESPACE):
            at = time.time()
            if not event.exists:
                continue
            timing = self._by_run.get(injection["spec"]["run"]["name"])
            if timing is not None:
                timing.asked(injection, at)
                self._news.set()

    async def run(self, revision: str) -> LossTiming:
        """Apply the experiment in that revision, abort its run once it is proven, and wait for the verdict."""
        timing = self._timings[revision] = LossTiming(revision)
        await self._client.apply(EXPERIMENT, spare.loss(revision))
        timing.accepted = time.time()
        async with asyncio.timeout(RUN_SECONDS):
            await self._until(timing, lambda: "told" in timing.moments)
            await asyncio.sleep(LASTS_SECONDS)
            abort = [{"op": "add", "path": "/spec/abort", "value": True}]
            await self._client.patch(EXPERIMENT_RUN, spare.NAMESPACE, timing.run, abort)
            timing.moments["aborted"] = time.time()
            await self._until(timing, lambda: timing.verdict is not None)
        matched = first_lost(self._stream.packets(timing.accepted, timing.moments["aborted"]))
        if matched is not None:
            timing.moments["matched"] = matched
        return timing

    async def _until(self, timing: LossTiming, reached: Callable[[], bool]) -> None:
        """Wait for news until it is so. A run that ends before ends the waiting."""
        while not reached() and timing.verdict is None:
            self._news.clear()
            await self._news.wait()


async def measure(cluster: Cluster, count: int, timings: list[LossTiming]) -> None:
    """Run so many experiments, one after another, and add their timings."""
    series = f"{time.time():.0f}"
    stream = Stream(spare.place(cluster, spare.FEEDER), spare.place(cluster, spare.FED))
    with Traffic([stream]):
        async with await Client.connect(cluster.kubeconfig) as client:
            loser = Loser(client, stream)
            async with watched(loser.runs(), loser.injections()):
                with progress.step("Losing packets") as step:
                    for number in range(1, count + 1):
                        step.say(f"{number} of {count}")
                        await asyncio.sleep(CALM_SECONDS)
                        timings.append(await loser.run(f"{series}-{number}"))
