"""The run watch, told by a scripted stream: an API server cannot be made to break off a watch at a given event."""

from collections.abc import AsyncIterator
from typing import Any, cast

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import Kind
from showstopper.engine.runs import watch
from showstopper.engine.runs.service import Runs
from showstopper.errors import NotFound
from tests.engine import build

SYNCED: tuple[str, Object] = ("SYNCED", {})


def body(name: str, *, version: str = "1", **metadata: Any) -> Object:
    """A run as the API tells it."""
    run = build.run(name)
    spec = run.model_dump(mode="json", by_alias=True, exclude_none=True)["spec"]
    named = {"name": name, "namespace": "show", "uid": f"uid-{name}", "resourceVersion": version, **metadata}
    return {"metadata": named, "spec": spec}


class Stream:
    """A client that tells these events, and then no more; `there`: what can be read by name."""

    def __init__(self, events: list[tuple[str, Object]], there: list[Object]) -> None:
        self._events = events
        self._there = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in there}
        self.reads = 0

    async def follow(self, _kind: Kind, _namespace: str) -> AsyncIterator[tuple[str, Object]]:
        for event in self._events:
            yield event

    async def get(self, _kind: Kind, namespace: str, name: str) -> Object:
        self.reads += 1
        if (found := self._there.get((namespace, name))) is None:
            raise NotFound(f"no run {name}", status=404)
        return found


class Book:
    """Takes notes instead of carrying runs on."""

    def __init__(self, *known: Object) -> None:
        self._known = {one["metadata"]["uid"]: ExperimentRun.parse(one) for one in known}
        self.told: list[tuple[str, str]] = []

    def all(self) -> list[ExperimentRun]:
        return list(self._known.values())

    def knows(self, metadata: Object) -> bool:
        known = self._known.get(metadata["uid"])
        return known is not None and known.metadata.version >= int(metadata["resourceVersion"])

    def seen(self, run: ExperimentRun) -> None:
        self._known[run.metadata.uid] = run
        self.told.append(("seen", run.metadata.name))

    def gone(self, run: ExperimentRun) -> None:
        self._known.pop(run.metadata.uid, None)
        self.told.append(("gone", run.metadata.name))


async def told(book: Book, events: list[tuple[str, Object]], *there: Object) -> list[tuple[str, str]]:
    await watch.watch(cast("Client", Stream(events, list(there))), cast("Runs", book))
    return book.told


async def test_what_is_known_already_is_no_news() -> None:
    one = body("one")
    assert await told(Book(one), [("LISTED", one), SYNCED, ("MODIFIED", one)], one) == []


async def test_what_others_do_is_news() -> None:
    one, changed, two = body("one"), body("one", version="2"), body("two")
    events = [("LISTED", one), SYNCED, ("MODIFIED", changed), ("ADDED", two), ("DELETED", body("one", version="3"))]
    assert await told(Book(one), events, two) == [("seen", "one"), ("seen", "two"), ("gone", "one")]


async def test_what_went_before_it_was_listed_is_gone() -> None:
    one, two = body("one"), body("two")
    assert await told(Book(one, two), [("LISTED", two), SYNCED], two) == [("gone", "one")]


async def test_what_went_with_all_the_others_is_gone() -> None:
    one = body("one")
    assert await told(Book(one), [SYNCED]) == [("gone", "one")]


async def test_what_went_while_the_watch_was_broken_is_gone() -> None:
    one, two = body("one"), body("two")
    events = [("LISTED", one), ("LISTED", two), SYNCED, ("LISTED", two), SYNCED]
    assert await told(Book(one, two), events, two) == [("gone", "one")]


async def test_all_that_went_while_the_watch_was_broken_is_gone() -> None:
    one = body("one")
    assert await told(Book(one), [("LISTED", one), SYNCED, SYNCED]) == [("gone", "one")]


async def test_another_run_of_the_same_name_is_another_run() -> None:
    old, new = body("one"), body("one", uid="another")
    assert await told(Book(old), [("LISTED", new), SYNCED], new) == [("seen", "one"), ("gone", "one")]


async def test_a_run_that_was_made_while_all_were_listed_stays() -> None:
    one = body("one")
    assert await told(Book(one), [SYNCED], one) == []


async def test_what_cannot_be_read_is_passed_over() -> None:
    broken = body("broken") | {"spec": {"nonsense": True}}
    assert await told(Book(), [("ADDED", broken), ("ADDED", body("one"))]) == [("seen", "one")]
