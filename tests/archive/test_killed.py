"""An archive that is killed at any moment loses nothing and doubles nothing."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Engine, func, select

from dev.cluster import commands
from dev.cluster.apiserver import ApiServer
from showstopper.archive import writing
from showstopper.archive.tables import boots, runs, spans, visits
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from tests.archive import build, listener_pods
from tests.archive.build import at, told
from tests.availability.build import H, L
from tests.availability.build import spans as story

PATIENCE = 120.0
LIVES = 4

KEEP_AND_DIE = """
import os, signal, sys
from showstopper.archive import writing
from showstopper.archive.database import connect
from tests.archive.test_killed import answer
with connect(sys.argv[1]).connect() as connection:
    writing.keep_feed(connection, answer())
    if sys.argv[2] == "after":
        connection.commit()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def answer() -> writing.FeedAnswer:
    return told(story("pod-0/0", [(L, 5), (H, 5)]), first=41)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_either_side_of_the_commit(database: Engine, url: str, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", KEEP_AND_DIE, url, moment], check=False)
    assert done.returncode == -signal.SIGKILL
    with database.begin() as connection:
        known = writing.positions(connection)
        assert known == ({("show", "main-stage", "pod-0"): ("boot-1", 42)} if moment == "after" else {})
        writing.keep_feed(connection, answer())  # it asks again, from where it was
        assert connection.scalar(select(func.count()).select_from(spans)) == 2


class Archive:
    """The archive's process, which can be killed and started again."""

    def __init__(self, url: str, server: ApiServer, feed_port: int, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [sys.executable, "-m", "tests.archive.process", url, str(self.port), str(feed_port)]
        self._environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(commands.tied(self._command), env=self._environment, stderr=log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def figure(self, name: str) -> float:
        """One of its metrics; 0 while it does not answer."""
        try:
            async with aiohttp.request("GET", f"http://127.0.0.1:{self.port}/metrics") as response:
                lines = (await response.text()).splitlines()
        except aiohttp.ClientError:
            return 0.0
        return next(float(line.split()[1]) for line in lines if line.startswith(f"showstopper_archive_{name} "))

    async def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait for a state of the archive, with a generous deadline."""
        assert self._process is not None
        try:
            async with asyncio.timeout(PATIENCE):
                while not await holds():
                    assert self._process.poll() is None, self._log.read_text()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"never came: {what}\n{self._log.read_text()[-3000:]}")


@asynccontextmanager
async def archived(url: str, server: ApiServer, feed_port: int, log: Path) -> AsyncIterator[Archive]:
    archive = Archive(url, server, feed_port, log)
    archive.start()
    try:
        yield archive
    finally:
        archive.kill()


async def make_run(client: Client, number: int) -> str:
    """Store a run without a verdict; its UID."""
    body = build.run(number, end=None, experiment=f"life-{os.getpid()}-{random.getrandbits(30)}")
    for field in ("uid", "creationTimestamp", "resourceVersion", "generation"):
        body["metadata"].pop(field, None)
    made = await client.create(
        EXPERIMENT_RUN, {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun", **body}
    )
    return str(made["metadata"]["name"])


async def judge(client: Client, name: str) -> None:
    """Give the run its verdict."""
    status = {"observedGeneration": 1, "startedAt": at(0), "finishedAt": at(30), "verdict": "Failed", "reason": "X"}
    operation = {"op": "add", "path": "/status", "value": status}
    await client.patch(EXPERIMENT_RUN, "show", name, [operation], subresource="status")


def is_kept(known: Mapping[tuple[str, str, str], tuple[str, int]], pod: listener_pods.Listeners) -> bool:
    """Whether all that a pod has told in this life is kept."""
    return known.get(("show", listener_pods.ROOM, pod.name)) == (pod.boot, pod.ring.newest)


@pytest.mark.apiserver
async def test_kills_between_verdict_and_archive_lose_and_double_nothing(
    url: str, database: Engine, server: ApiServer, client: Client, tmp_path: Path
) -> None:
    chance = random.Random(7)
    names = [f"pod-{os.getpid()}-{number}-{url[:4]}" for number in range(2)]
    async with (
        listener_pods.on_loopback() as there,
        archived(url, server, there.port, tmp_path / "log") as archive,
    ):
        pods = await there.join(client, *names)
        made = [await make_run(client, number) for number in range(LIVES)]

        async def first_pod_is_kept() -> bool:
            with database.connect() as connection:
                return is_kept(writing.positions(connection), pods[0])

        async def all_is_kept() -> bool:
            with database.connect() as connection:
                known = writing.positions(connection)
                judged = connection.scalar(select(func.count()).select_from(runs).where(runs.c.verdict == "Failed"))
                gone = connection.scalar(select(func.count()).select_from(runs).where(runs.c.gone.is_not(None)))
            return all(is_kept(known, pod) for pod in pods) and (judged, gone) == (LIVES, 1)

        for life, name in enumerate(made):
            await archive.until(lambda: archive.figure("answers_kept_total"), "an answer that is kept")
            for pod in pods:
                pod.hear(chance.randrange(1, 400))
            if life == 1:  # what a pod takes with it untold is lost to everybody
                await archive.until(first_pod_is_kept, "all that the first pod told")
            await judge(client, name)
            await asyncio.sleep(chance.random() * 0.1)  # a moment of chance, not a wait for a state
            archive.kill()
            if life == 1:
                pods[0].restart()
            for pod in pods:
                pod.hear(chance.randrange(3))
            if life == LIVES - 1:
                await client.delete(EXPERIMENT_RUN, "show", made[0])
            archive.start()
        await archive.until(all_is_kept, "the end of all feeds and runs")
        await listener_pods.leave(client, *names)
    with database.connect() as connection:
        kept = connection.execute(
            select(boots.c.boot, spans.c.state, spans.c.start, spans.c.end)
            .join_from(spans, boots)
            .where(spans.c.closed)
            .order_by(boots.c.boot, spans.c.start)
        ).all()
        called = connection.scalar(select(func.count()).select_from(visits))
    everything = sorted((span for pod in pods for span in pod.told), key=itemgetter(0, 2))
    assert [tuple(row) for row in kept] == everything
    assert called == len(kept)
