"""How long the archive takes to list 10,000 runs, over HTTP and as JSON, from SQLite and from a real PostgreSQL.

The runs are full records (20 outages, 20 targets each) of 50 experiments. Beside it: one page of an experiment's runs,
and what 12 listeners and their newcomers told of one run, out of a day of a room. Writes build/bench/archive.json.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Engine

from bench import report
from dev import postgresql
from dev.cluster import endings, progress
from showstopper.archive import serving, writing
from showstopper.archive.database import connect
from showstopper.archive.feeds import Feeds, listener_pods
from showstopper.archive.keeper import Keeper
from showstopper.archive.runs import Runs
from showstopper.availability.feed import parse_feed
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.listeners import session

RUNS = 10_000
EXPERIMENTS = 50
EPOCH = 1_790_000_000.0
EVERY_SECONDS = 600.0
PAGE = 250
TIMES = 10
LISTENERS = 12
VISITS = 17_280
"""A newcomer every 5 s, for a day."""


def run(number: int) -> dict[str, Any]:
    """A record as the operator writes them, of about 20 KB."""
    start = EPOCH + number * EVERY_SECONDS
    name = f"experiment-{number % EXPERIMENTS}"

    def at(seconds: float) -> str:
        return to_timestamp(start + seconds)

    fault = {"name": "kill", "target": {"component": "relay", "serving": True}, "podKill": {"gracePeriod": "0s"}}
    room = {
        "livekit": {"url": "ws://relay:7880", "room": "main-stage", "credentialsSecretRef": {"name": "livekit-keys"}},
        "components": [{"name": "relay", "selector": {"matchLabels": {"app.kubernetes.io/component": "relay"}}}],
    }
    spec = {
        "experiment": {"name": name, "uid": f"uid-{name}", "generation": 3, "hash": "0" * 40, "askedAt": at(0)},
        "room": {"name": "main-stage", "uid": "room-uid", "spec": room},
        "timing": {"baseline": "15s", "recovery": "60s"},
        "faults": [fault],
        "expect": [{"indicator": "LongestDeadAir", "max": "20s"}],
        "seed": 7,
        "deadline": at(300),
    }
    pods = [f"relay-7c9f{index}" for index in range(20)]
    status = {
        "observedGeneration": 1,
        "startedAt": at(0),
        "finishedAt": at(90),
        "verdict": "Failed" if number % 7 == 0 else "Passed",
        "reason": "ExpectationMissed" if number % 7 == 0 else "Passed",
        "message": "LongestDeadAir 21.4 s is not within 20 s" if number % 7 == 0 else "all expectations are met",
        "audible": "81.4%",
        "deadAir": "4.21s",
        "recovery": "6.13s",
        "targets": [{"fault": "kill", "pod": pod, "uid": pod, "requestedAt": at(15), "goneAt": at(16)} for pod in pods],
        "outages": [{"listener": f"listeners-{pod}/0", "after": "1.5s", "deadAir": "4.2s"} for pod in pods],
    }
    metadata = {"name": f"{name}-{number}", "namespace": "show", "uid": f"run-{number}", "creationTimestamp": at(0)}
    return {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun", "metadata": metadata} | {
        "spec": spec,
        "status": status,
    }


def day() -> writing.FeedAnswer:
    """What a room of one pod told in a day: residents who mostly hear, and their newcomers."""
    length = VISITS * 5.0
    spans = [
        {"listener": f"pod-0/{number}", "kind": "Resident", "state": state, "from": at, "to": at + lasts}
        for number in range(LISTENERS)
        for at, state, lasts in _stretches(length)
    ]
    spans += [
        {
            "listener": f"pod-0/a{number}",
            "kind": "Arrival",
            "state": state,
            "from": number * 5.0 + begin,
            "to": number * 5.0 + end,
        }
        for number in range(VISITS)
        for state, begin, end in (("Joining", 0.0, 0.4), ("Silent", 0.4, 0.6), ("Live", 0.6, 15.0))
    ]
    visits = [
        {
            "listener": f"pod-0/a{number}",
            "calledAt": number * 5.0,
            "firstLiveAt": number * 5.0 + 0.6,
            "leftAt": number * 5.0 + 15,
        }
        for number in range(VISITS)
    ]
    feed = {"boot": "boot", "room": "main-stage", "pod": "pod-0", "clock": {"monotonic": length}, "next": 1}
    return writing.FeedAnswer(
        "show", parse_feed({**feed, "spans": spans, "arrivals": visits, "open": [], "listeners": []}, EPOCH), EPOCH
    )


def _stretches(length: float) -> Iterator[tuple[float, str, float]]:
    at = 0.0
    while at < length:
        yield at, "Live", 595.0
        yield at + 595, "NoMedia", 5.0
        at += 600


def fill(engine: Engine) -> float:
    """Keep everything. Returns how many runs it took a second."""
    with engine.begin() as connection:
        writing.keep_feed(connection, day())
    began = time.perf_counter()
    for first in range(0, RUNS, PAGE):
        with engine.begin() as connection:
            writing.keep_runs(connection, map(run, range(first, first + PAGE)), EPOCH)
    return RUNS / (time.perf_counter() - began)


async def ask(keeper: Keeper) -> Mapping[str, list[float]]:
    """Seconds until each answer was there, in full."""
    nobody: Any = None
    async with session() as unused:
        feeds, runs = Feeds(listener_pods(nobody), keeper, Clock(), unused), Runs(nobody, keeper, Clock())
        runner = web.AppRunner(serving.application(keeper, feeds, runs), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        place = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/runs"
        paths = {
            "history": f"?limit={RUNS}",
            "page": "?namespace=show&experiment=experiment-7&limit=100",
            "spans": "/run-70/spans",
        }
        try:
            async with aiohttp.ClientSession() as people:
                return {
                    name: [await _timed(people, place + path) for _ in range(TIMES)] for name, path in paths.items()
                }
        finally:
            await runner.cleanup()


async def _timed(people: aiohttp.ClientSession, url: str) -> float:
    began = time.perf_counter()
    async with people.get(url) as answer:
        answer.raise_for_status()
        await answer.read()
    return time.perf_counter() - began


async def measure(url: str, name: str) -> dict[str, report.Figure]:
    """All figures of one kind of database: the slowest of ten answers each."""
    keeper = Keeper(connect(url), Clock())
    await keeper.open()
    with progress.step(f"Filling {name} with {RUNS} runs"):
        speed = await asyncio.to_thread(partial(fill, keeper.engine))
    with progress.step(f"Asking {name}"):
        timings = await ask(keeper)
    await keeper.close()
    slowest = {f"{what}_{name}_ms": report.milliseconds(max(times)) for what, times in timings.items()}
    return {**slowest, f"runs_kept_per_second_{name}": round(speed)}


def main() -> int:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(f"sqlite:///{folder}/archive.db", "sqlite"))
    with postgresql.running() as url:
        figures |= asyncio.run(measure(url, "postgresql"))
    report.write("archive", {**figures, "runs": RUNS})
    return 0


if __name__ == "__main__":
    sys.exit(endings.run(main))
