"""The mirror: what it knows and tells of objects, in whatever order events and answers come, and over broken wires."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.errors import Forbidden
from tests.cluster.wires import wired

PATIENCE = 60
NUMBERS = itertools.count()
ADDED, CHANGED, DELETED = ChangeType.ADDED, ChangeType.CHANGED, ChangeType.DELETED


def data_of(body: Object) -> str | None:
    """What is kept of a ConfigMap here: its data's only value. "?" means that it cannot be read."""
    value = str((body.get("data") or {}).get("value", ""))
    return None if value == "?" else value


class Notes:
    """The changes that were told: type, last part of the name, and what is kept."""

    def __init__(self) -> None:
        self.changes: list[Change[str]] = []
        self._news = asyncio.Event()

    def note(self, change: Change[str]) -> None:
        self.changes.append(change)
        self._news.set()

    def take(self) -> list[tuple[ChangeType, str, str]]:
        """All since the last call."""
        taken = [(change.type, change.key[1].rpartition("-")[2], change.value) for change in self.changes]
        self.changes.clear()
        return taken

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def until_some(self) -> None:
        await self.until(lambda: bool(self.changes))


def config_map(name: str, value: str = "", *, group: str = "", uid: str = "", version: int = 0) -> Object:
    metadata: dict[str, Any] = {"name": f"{group}-{name}", "namespace": "show"}
    if group:
        metadata["labels"] = {"group": group}
    if uid:
        metadata |= {"uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


# What the answers to our own writes teach it, without an API server.


def unwatched(notes: Notes) -> Mirror[str]:
    return Mirror(cast("Client", None), CONFIG_MAP, keep=data_of, on_change=notes.note)


def test_an_answer_is_known_at_once_and_an_older_one_is_no_news() -> None:
    notes = Notes()
    mirror = unwatched(notes)
    mirror.learn(config_map("a", "new", uid="1", version=7))
    mirror.learn(config_map("a", "old", uid="1", version=6))
    mirror.learn(config_map("a", "new", uid="1", version=7))
    assert notes.take() == [(ADDED, "a", "new")]
    assert mirror.all() == ["new"]
    assert mirror.find("show", "-a") == "new"
    assert mirror.find("show", "-b") is None


def test_another_object_of_the_same_name_comes_after_the_deletion_of_the_first() -> None:
    notes = Notes()
    mirror = unwatched(notes)
    mirror.learn(config_map("a", "first", uid="1", version=7))
    mirror.learn(config_map("a", "second", uid="2", version=9))
    mirror.learn(config_map("a", "late news of the first", uid="1", version=8))
    assert notes.take() == [(ADDED, "a", "first"), (DELETED, "a", "first"), (ADDED, "a", "second")]


def test_what_cannot_be_read_is_passed_over_and_what_is_known_stays() -> None:
    notes = Notes()
    mirror = unwatched(notes)
    mirror.learn(config_map("a", "read", uid="1", version=7))
    mirror.learn(config_map("a", "?", uid="1", version=8))
    mirror.learn(config_map("b", "?", uid="2", version=9))
    assert mirror.all() == ["read"]
    assert notes.take() == [(ADDED, "a", "read")]


def test_a_change_that_nobody_could_take_is_told_again() -> None:
    notes = Notes()
    broken = True

    def take(change: Change[str]) -> None:
        if broken:
            raise ValueError("not now")
        notes.note(change)

    mirror = Mirror(cast("Client", None), CONFIG_MAP, keep=data_of, on_change=take)
    for _ in range(2):
        with pytest.raises(ValueError, match="not now"):
            mirror.learn(config_map("a", "x", uid="1", version=7))
    broken = False
    mirror.learn(config_map("a", "x", uid="1", version=7))
    assert notes.take() == [(ADDED, "a", "x")]


# With an API server.


@pytest.fixture
def group() -> str:
    """A value of the label `group` that no other test uses."""
    return f"mirror-{next(NUMBERS)}"


@asynccontextmanager
async def running(mirror: Mirror[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(mirror.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def mirror_of(client: Client, group: str, notes: Notes, *, silence: float = 60) -> Mirror[str]:
    return Mirror(
        client, CONFIG_MAP, labels={"group": group}, keep=data_of, on_change=notes.note, page=2, silence=silence
    )


def value(text: str) -> list[Object]:
    return [{"op": "add", "path": "/data/value", "value": text}]


@pytest.mark.apiserver
async def test_it_knows_what_there_is_and_tells_what_becomes_of_it(client: Client, group: str) -> None:
    notes = Notes()
    for name in ("a", "b", "c"):
        await client.create(CONFIG_MAP, config_map(name, "1", group=group))
    mirror = mirror_of(client, group, notes)
    async with running(mirror):
        assert not mirror.is_synced
        await asyncio.wait_for(mirror.synced(), PATIENCE)
        assert all(change.listed for change in notes.changes)
        assert notes.take() == [(ADDED, "a", "1"), (ADDED, "b", "1"), (ADDED, "c", "1")]
        await client.patch(CONFIG_MAP, "show", f"{group}-b", value("2"))
        await notes.until_some()
        assert not notes.changes[0].listed
        assert notes.take() == [(CHANGED, "b", "2")]
        await client.delete(CONFIG_MAP, "show", f"{group}-b")
        await notes.until_some()
        assert notes.take() == [(DELETED, "b", "2")]
        assert mirror.all() == ["1", "1"]


@pytest.mark.apiserver
async def test_an_answer_is_not_told_again_by_the_watch(client: Client, group: str) -> None:
    notes = Notes()
    mirror = mirror_of(client, group, notes)
    async with running(mirror):
        await asyncio.wait_for(mirror.synced(), PATIENCE)
        made = await client.create(CONFIG_MAP, config_map("a", "1", group=group))
        mirror.learn(made)
        await client.create(CONFIG_MAP, config_map("b", "1", group=group))
        await notes.until(lambda: len(notes.changes) == 2)
        assert notes.take() == [(ADDED, "a", "1"), (ADDED, "b", "1")]


@pytest.mark.apiserver
async def test_an_answer_that_comes_after_the_deletion_does_not_bring_the_object_back(
    client: Client, group: str
) -> None:
    notes = Notes()
    mirror = mirror_of(client, group, notes)
    async with running(mirror):
        await asyncio.wait_for(mirror.synced(), PATIENCE)
        made = await client.create(CONFIG_MAP, config_map("a", "1", group=group))
        await client.delete(CONFIG_MAP, "show", f"{group}-a")
        await notes.until(lambda: len(notes.changes) == 2)
        mirror.learn(made)
        assert mirror.all() == []
        assert notes.take() == [(ADDED, "a", "1"), (DELETED, "a", "1")]


@pytest.mark.apiserver
async def test_what_happened_while_the_wire_was_cut_is_told(server: ApiServer, client: Client, group: str) -> None:
    notes = Notes()
    for name in ("a", "b", "c", "d"):
        await client.create(CONFIG_MAP, config_map(name, "1", group=group))
    async with wired(server) as (wire, far):
        mirror = mirror_of(far, group, notes)
        async with running(mirror):
            await asyncio.wait_for(mirror.synced(), PATIENCE)
            await client.patch(CONFIG_MAP, "show", f"{group}-d", value("2"))
            await notes.until(lambda: len(notes.changes) == 5)  # the watch is under way
            assert mirror.is_synced
            notes.take()
            wire.cut()
            async with asyncio.timeout(PATIENCE):
                while mirror.is_synced:
                    await asyncio.sleep(0.01)
            assert len(mirror.all()) == 4, "what was told last is all that is known"
            await client.delete(CONFIG_MAP, "show", f"{group}-a")
            await client.delete(CONFIG_MAP, "show", f"{group}-b")
            await client.create(CONFIG_MAP, config_map("b", "2", group=group))
            await client.patch(CONFIG_MAP, "show", f"{group}-c", value("2"))
            wire.mend()
            await notes.until(lambda: any(change.key[1] == f"{group}-a" for change in notes.changes))
            assert all(change.listed for change in notes.changes)
            assert sorted(notes.take(), key=lambda note: note[1]) == [
                (DELETED, "a", "1"),
                (DELETED, "b", "1"),
                (ADDED, "b", "2"),
                (CHANGED, "c", "2"),
            ]
            assert sorted(mirror.all()) == ["2", "2", "2"]
            assert mirror.is_synced


@pytest.mark.apiserver
async def test_a_deletion_is_told_within_the_silence_when_the_wire_is_dead(
    server: ApiServer, client: Client, group: str
) -> None:
    notes = Notes()
    await client.create(CONFIG_MAP, config_map("a", "1", group=group))
    async with wired(server) as (wire, far):
        mirror = mirror_of(far, group, notes, silence=2.7)
        async with running(mirror):
            await asyncio.wait_for(mirror.synced(), PATIENCE)
            notes.take()
            await client.patch(CONFIG_MAP, "show", f"{group}-a", value("2"))
            await notes.until_some()  # the watch is under way
            wire.silence()
            await client.delete(CONFIG_MAP, "show", f"{group}-a")
            async with asyncio.timeout(2.7 + 2):
                await notes.until(lambda: len(notes.changes) == 2)
    assert notes.take() == [(CHANGED, "a", "2"), (DELETED, "a", "2")]


@pytest.mark.apiserver
async def test_a_change_that_ended_it_is_told_when_it_runs_again(client: Client, group: str) -> None:
    notes = Notes()
    await client.create(CONFIG_MAP, config_map("a", "1", group=group))
    broken = True

    def take(change: Change[str]) -> None:
        if broken:
            raise ValueError("not now")
        notes.note(change)

    mirror = Mirror(client, CONFIG_MAP, labels={"group": group}, keep=data_of, on_change=take)
    with pytest.raises(ValueError, match="not now"):
        await asyncio.wait_for(mirror.run(), PATIENCE)
    broken = False
    async with running(mirror):
        await notes.until_some()
    assert notes.take() == [(ADDED, "a", "1")]


@pytest.mark.apiserver
async def test_who_may_not_list_learns_it_when_asking_whether_everything_is_known(server: ApiServer) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        mirror = Mirror(client, CONFIG_MAP, keep=data_of)
        async with running(mirror):
            with pytest.raises(Forbidden, match="cannot list"):
                await asyncio.wait_for(mirror.synced_or_failed(), PATIENCE)
            assert not mirror.is_synced
