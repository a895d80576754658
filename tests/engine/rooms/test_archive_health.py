import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from showstopper.engine.rooms import archive_health
from showstopper.engine.rooms.archive_health import ArchiveWatch


def test_nothing_is_said_before_something_is_known() -> None:
    watch = ArchiveWatch("http://archive")
    assert watch.trouble is None
    watch.note("")
    assert watch.trouble == ""


def test_it_is_trouble_when_it_lasts_and_over_at_once() -> None:
    watch = ArchiveWatch("http://archive")
    watch.note("")
    told = []
    for problem in ("x", "x", "y", "", "x"):
        watch.note(problem)
        told.append(watch.trouble)
    assert told == ["", "", "y", "", ""]


class Archive:
    """Says that it is ready, or what is wrong."""

    problem = ""

    async def readyz(self, _: web.Request) -> web.Response:
        return web.Response(text=f"{self.problem or 'ok'}\n", status=503 if self.problem else 200)


async def until(watch: ArchiveWatch, wanted: str) -> None:
    async with asyncio.timeout(30):
        while watch.trouble != wanted:
            await asyncio.sleep(0.001)


async def test_it_asks_and_says_what_the_archive_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_health, "EVERY_SECONDS", 0.001)
    archive = Archive()
    app = web.Application()
    app.router.add_get("/readyz", archive.readyz)
    async with TestServer(app) as server:
        watch = ArchiveWatch(str(server.make_url("")))
        task = asyncio.create_task(watch.run())
        for archive.problem, said in (("", ""), ("disk full", "the archive is not ready: disk full"), ("", "")):
            await until(watch, said)
        task.cancel()
        await asyncio.wait([task])


async def test_an_archive_that_is_not_there_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_health, "EVERY_SECONDS", 0.001)
    watch = ArchiveWatch("http://127.0.0.1:1")
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(30):
        while not watch.trouble:
            await asyncio.sleep(0.001)
    assert "does not answer at http://127.0.0.1:1" in watch.trouble
    assert not task.done()
    task.cancel()


async def test_without_an_archive_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(aiohttp, "ClientSession", never)
    watch = ArchiveWatch()
    await watch.run()
    assert watch.trouble is None
    assert not watch.configured
