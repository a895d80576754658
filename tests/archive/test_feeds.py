import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from sqlalchemy import Engine, select

from showstopper.archive import writing
from showstopper.archive.feeds import Feeds, ListenerPod, listener_pods, read
from showstopper.archive.keeper import Keeper
from showstopper.archive.tables import boots, spans
from showstopper.availability.spans import Kind, Span, State
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.errors import ArchiveError
from tests.archive.listener_pods import ROOM, ListenerPods, Listeners, on_loopback


def pod(name: str, address: str = "") -> dict[str, Any]:
    """A listener pod as the API has it."""
    labels = {listeners.ROLE_LABEL: listeners.LISTENER, listeners.ROOM_LABEL: ROOM}
    metadata = {"name": name, "namespace": "show", "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels}
    return {"metadata": metadata, "status": {"podIP": address} if address else {}}


@asynccontextmanager
async def asking(database: Engine, there: ListenerPods, *names: str) -> AsyncIterator[Feeds]:
    keeper = Keeper(database, Clock())
    async with listeners.session() as session:
        pods = listener_pods(cast("Client", None))
        for number, name in enumerate(names, start=1):
            address = f"127.0.1.{number}"
            there.pods.setdefault(address, Listeners(name))
            pods.learn(pod(name, address))
        yield Feeds(pods, keeper, Clock(), session, port=there.port)
    await keeper.close()


def kept(database: Engine) -> list[tuple[str, float]]:
    wanted = select(boots.c.boot, spans.c.start).join_from(spans, boots).where(spans.c.closed)
    with database.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(wanted))


async def test_it_asks_for_what_follows_and_after_a_restart_too(database: Engine) -> None:
    async with on_loopback() as there:
        async with asking(database, there, "a") as feeds:
            first = there.pods["127.0.1.1"]
            first.hear(2)
            await feeds.once()
            first.hear(1)
            await feeds.once()
        async with asking(database, there, "a") as feeds:
            await feeds.once()
    assert first.asked == [0, 4, 6]
    assert kept(database) == [("a-boot-1", 0), ("a-boot-1", 1), ("a-boot-1", 2)]


async def test_a_new_process_is_read_from_its_beginning(database: Engine) -> None:
    async with on_loopback() as there, asking(database, there, "a") as feeds:
        listener = there.pods["127.0.1.1"]
        listener.hear(2)
        await feeds.once()
        listener.restart()
        listener.hear(4)  # more than were read of the one before
        await feeds.once()
        await feeds.once()
    assert listener.asked == [0, 4, 0, 8]
    assert kept(database) == [("a-boot-1", 0), ("a-boot-1", 1), *(("a-boot-2", start) for start in range(4))]


async def test_one_pod_that_is_silent_or_of_another_room_hinders_no_other(database: Engine) -> None:
    async with on_loopback() as there, asking(database, there, "a", "b", "c") as feeds:
        del there.pods["127.0.1.1"]
        there.pods["127.0.1.2"] = Listeners("somebody-else")
        there.pods["127.0.1.3"].hear(1)
        await feeds.once()
        assert kept(database) == [("c-boot-1", 0)]
        assert "HTTP status 503" in feeds.problems["show", ROOM, "a"]
        assert 'are "somebody-else"' in feeds.problems["show", ROOM, "b"]
        there.pods["127.0.1.1"] = Listeners("a")
        there.pods["127.0.1.2"] = Listeners("b")
        await feeds.once()
        assert feeds.problems == {}
        assert feeds.answers == 4


class Nonsense(Listeners):
    """Says a number that no database takes."""

    def document(self, after: int) -> dict[str, Any]:
        return {**super().document(after), "next": 10**30}


async def test_what_the_database_does_not_take_of_one_pod_keeps_out_no_other(database: Engine) -> None:
    async with on_loopback() as there:
        there.pods["127.0.1.1"] = Nonsense("a")
        async with asking(database, there, "a", "b") as feeds:
            there.pods["127.0.1.2"].hear(1)
            await feeds.once()
            assert kept(database) == [("b-boot-1", 0)]
            assert "cannot be kept" in feeds.problems["show", ROOM, "a"]


async def test_what_could_not_be_kept_is_asked_for_again(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise ValueError("disk full")

    async with on_loopback() as there, asking(database, there, "a") as feeds:
        there.pods["127.0.1.1"].hear(2)
        with monkeypatch.context() as patched:
            patched.setattr(writing, "keep_feed", full)
            with pytest.raises(ArchiveError, match="disk full"):
                await feeds.once()
        await feeds.once()
        assert there.pods["127.0.1.1"].asked == [0, 0]
    assert len(kept(database)) == 2


async def test_what_goes_on_is_kept_while_it_does(database: Engine) -> None:
    async with on_loopback() as there, asking(database, there, "a") as feeds:
        await feeds.once()
    with database.connect() as connection:
        ((state, closed),) = connection.execute(select(spans.c.state, spans.c.closed))
    assert (state, closed) == ("Live", False)


async def test_nobody_to_ask_is_nothing_to_keep(database: Engine) -> None:
    async with on_loopback() as there, asking(database, there) as feeds:
        await asyncio.wait_for(feeds.once(), 30)
        assert feeds.answers == 0


def test_a_pod_is_known_by_its_room_and_address() -> None:
    assert read(pod("a", "198.18.0.9")) == ListenerPod(("show", ROOM, "a"), "198.18.0.9")
    assert read(pod("a")).address == ""


async def test_a_pod_without_an_address_is_not_asked(database: Engine) -> None:
    keeper, pods = Keeper(database, Clock()), listener_pods(cast("Client", None))
    pods.learn(pod("a"))
    async with listeners.session() as session:
        assert Feeds(pods, keeper, Clock(), session).pods == {}
    await keeper.close()


def test_a_ring_that_is_asked_by_the_number_of_another_process_tells_all() -> None:
    """What reading a new process from its beginning rests on, in the listener's own code."""
    listener = Listeners("a")
    listener.ring.add([Span("a/0", Kind.RESIDENT, State.LIVE, 0, 1)], 1.0)
    assert len(listener.ring.after(99).entries) == 1
