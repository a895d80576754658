"""Runs of a real API server, followed into a database."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from showstopper.archive.keeper import Keeper
from showstopper.archive.runs import Runs
from showstopper.archive.tables import runs
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from tests.archive.test_killed import judge, make_run

pytestmark = pytest.mark.apiserver


@pytest.fixture
async def keeper(database: Engine) -> AsyncIterator[Keeper]:
    database_keeper = Keeper(database, Clock())
    yield database_keeper
    await database_keeper.close()


def kept(database: Engine) -> dict[str, tuple[str | None, bool]]:
    """By name: the verdict, and whether it is gone."""
    with database.connect() as connection:
        return {
            name: (verdict, gone is not None)
            for name, verdict, gone in connection.execute(select(runs.c.name, runs.c.verdict, runs.c.gone))
        }


async def until(holds: Callable[[], Any], what: str) -> None:
    try:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came: {what}")


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_what_there_is_and_what_becomes_of_it_is_kept(client: Client, keeper: Keeper, database: Engine) -> None:
    names = [await make_run(client, number) for number in range(5)]
    following = Runs(client, keeper, Clock(), page=2)
    task = asyncio.create_task(following.follow())
    await until(lambda: following.followed, "the end of the list")
    assert kept(database) == dict.fromkeys(names, (None, False))
    await judge(client, names[0])
    await client.delete(EXPERIMENT_RUN, "show", names[1])
    await until(lambda: kept(database)[names[1]][1], "the deletion")
    assert kept(database)[names[0]] == ("Failed", False)
    await stop(task)


async def test_what_happened_while_it_was_away_is_made_up_for(client: Client, keeper: Keeper, database: Engine) -> None:
    first, second = [await make_run(client, random.getrandbits(20)) for _ in range(2)]
    before = Runs(client, keeper, Clock())
    task = asyncio.create_task(before.follow())
    await until(lambda: before.followed, "the end of the list")
    await stop(task)
    await judge(client, first)
    await client.delete(EXPERIMENT_RUN, "show", second)
    third = await make_run(client, random.getrandbits(20))
    after = Runs(client, keeper, Clock())
    task = asyncio.create_task(after.follow())
    await until(lambda: after.followed, "the end of the list")
    assert kept(database) == {first: ("Failed", False), second: (None, True), third: (None, False)}
    await stop(task)
