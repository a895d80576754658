import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from showstopper.archive import keeper as module
from showstopper.archive.database import connect
from showstopper.archive.keeper import Keeper
from showstopper.clock import Clock
from showstopper.errors import ArchiveError


@pytest.fixture
async def keeper(empty: Engine) -> AsyncIterator[Keeper]:
    open_keeper = Keeper(empty, Clock())
    await open_keeper.open()
    yield open_keeper
    await open_keeper.close()


def names(connection: Connection) -> Any:
    return connection.execute(text("SELECT room FROM boots")).scalars().all()


def add(connection: Connection) -> None:
    columns = 'namespace, room, pod, boot, next, lost, clock, "offset", worth, seen'
    connection.execute(text(f"INSERT INTO boots ({columns}) VALUES ('n', 'r', 'p', 'b', 1, 0, 1, 1, 1, 1)"))


async def test_what_is_written_is_read(keeper: Keeper) -> None:
    await keeper.write(add)
    assert await keeper.read(names) == ["r"]
    assert keeper.trouble == ""
    assert keeper.kept_at > 0


async def test_what_fails_is_said_and_not_kept_and_over_with_the_next_that_works(keeper: Keeper) -> None:
    def broken(connection: Connection) -> None:
        add(connection)
        connection.execute(text("SELECT secret_value FROM nowhere"))

    with pytest.raises(ArchiveError, match=r"the database takes nothing: .*nowhere"):
        await keeper.write(broken)
    assert "nowhere" in keeper.trouble
    assert await keeper.read(names) == []
    await keeper.write(add)
    assert keeper.trouble == ""


async def test_a_question_that_fails_hinders_no_write(keeper: Keeper) -> None:
    with pytest.raises(ArchiveError, match="does not answer"):
        await keeper.read(lambda connection: connection.execute(text("SELECT x FROM nowhere")))
    assert keeper.trouble == ""


async def test_it_waits_for_a_database_that_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_SECONDS", 0.01)
    folder = tmp_path / "later"
    keeper = Keeper(connect(f"sqlite:///{folder}/archive.db"), Clock())
    opening = asyncio.create_task(keeper.open())
    async with asyncio.timeout(30):
        while "unable to open" not in keeper.trouble:
            await asyncio.sleep(0.01)
        folder.mkdir()
        await opening
    assert keeper.trouble == ""
    await keeper.close()
