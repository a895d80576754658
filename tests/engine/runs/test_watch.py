"""The run watch, told by a script: an API server cannot be made to break off a watch at a given event."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, cast

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.engine.runs import watch
from showstopper.engine.runs.service import Runs
from showstopper.errors import ClusterError
from tests.support import build

Event = tuple[str, Object]


def body(name: str, *, version: str = "1", **metadata: Any) -> Object:
    """A run as the API tells it."""
    run = build.run(name)
    spec = run.model_dump(mode="json", by_alias=True, exclude_none=True)["spec"]
    named = {"name": name, "namespace": "show", "uid": f"uid-{name}", "resourceVersion": version, **metadata}
    return {"metadata": named, "spec": spec}


class Over(Exception):
    """The script has come to its end."""


class Script:
    """A client that answers the requests of a watch by a script, and then no more.

    Args:
        lives: for each time that all is listed: what is listed, and the events that follow until that watch breaks off.
        meanwhile: is called while the first listing is under way.
    """

    def __init__(self, *lives: tuple[list[Object], list[Event]], meanwhile: Callable[[], None] | None = None) -> None:
        self._lives = list(lives)
        self._events: list[Event] = []
        self._meanwhile = meanwhile

    async def pages(self, *_: object, **__: object) -> AsyncIterator[Object]:
        if not self._lives:
            raise Over
        listed, self._events = self._lives.pop(0)
        if self._meanwhile is not None:
            self._meanwhile()
        yield {"metadata": {"resourceVersion": "1"}, "items": listed}

    async def watch_once(self, *_: object, **__: object) -> AsyncGenerator[Object, None]:
        for name, item in self._events:
            yield {"type": name, "object": item}
        raise ClusterError("too old resource version", status=410)


class Book:
    """Takes notes instead of carrying runs on."""

    def __init__(self, *known: Object) -> None:
        self._known = {body["metadata"]["uid"]: ExperimentRun.parse(body) for body in known}
        self.told: list[tuple[str, str]] = []

    def all(self) -> list[ExperimentRun]:
        return list(self._known.values())

    def knows(self, metadata: Object) -> bool:
        known = self._known.get(metadata["uid"])
        return known is not None and known.metadata.version >= int(metadata["resourceVersion"])

    def on_change(self, run: ExperimentRun) -> None:
        self._known[run.metadata.uid] = run
        self.told.append(("seen", run.metadata.name))

    def on_delete(self, run: ExperimentRun) -> None:
        self._known.pop(run.metadata.uid, None)
        self.told.append(("gone", run.metadata.name))


async def changes(book: Book, script: Script) -> list[tuple[str, str]]:
    with pytest.raises(Over):
        await watch.watch(cast("Client", script), cast("Runs", book))
    return book.told


async def test_what_is_known_already_is_no_news() -> None:
    run = body("one")
    assert await changes(Book(run), Script(([run], [("MODIFIED", run)]))) == []


async def test_what_others_do_is_news() -> None:
    first, changed, second = body("one"), body("one", version="2"), body("two")
    events = [("MODIFIED", changed), ("ADDED", second), ("DELETED", body("one", version="3"))]
    assert await changes(Book(first), Script(([first], events))) == [("seen", "one"), ("seen", "two"), ("gone", "one")]


async def test_what_went_before_it_was_listed_is_gone() -> None:
    first, second = body("one"), body("two")
    assert await changes(Book(first, second), Script(([second], []))) == [("gone", "one")]


async def test_what_went_with_all_the_others_is_gone() -> None:
    assert await changes(Book(body("one")), Script(([], []))) == [("gone", "one")]


async def test_what_went_while_the_watch_was_broken_is_gone() -> None:
    first, second = body("one"), body("two")
    script = Script(([first, second], []), ([second], []))
    assert await changes(Book(first, second), script) == [("gone", "one")]


async def test_all_that_went_while_the_watch_was_broken_is_gone() -> None:
    run = body("one")
    assert await changes(Book(run), Script(([run], []), ([], []))) == [("gone", "one")]


async def test_another_run_of_the_same_name_is_another_run() -> None:
    old, new = body("one"), body("one", uid="another")
    assert await changes(Book(old), Script(([new], []))) == [("seen", "one"), ("gone", "one")]


async def test_a_run_that_was_made_while_all_were_listed_stays() -> None:
    book, run = Book(), body("one")
    script = Script(([], []), meanwhile=lambda: book.on_change(ExperimentRun.parse(run)))
    assert await changes(book, script) == [("seen", "one")]


async def test_what_cannot_be_read_is_passed_over() -> None:
    broken = body("broken") | {"spec": {"nonsense": True}}
    assert await changes(Book(), Script(([], [("ADDED", broken), ("ADDED", body("one"))]))) == [("seen", "one")]
