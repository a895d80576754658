"""What an archive keeps of a crowd: its changes, so that a run's crowd is told as its pods told it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from showstopper.archive import feeds as archive_feeds
from showstopper.archive import queries, reading, writing
from showstopper.archive.feeds import Feeds, listener_pods
from showstopper.archive.keeper import Keeper
from showstopper.archive.tables import boots, spans, visits
from showstopper.audio.spans import Ring
from showstopper.availability.crowd_feed import CrowdReader
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.errors import ArchiveError
from tests.archive.build import run
from tests.archive.listener_pods import ROOM, ListenerPods, on_loopback
from tests.availability.build import EPOCH, H, J, L, N, U

POD = "main-stage-crowd-0"
SIZE = 4
Row = tuple[int, float, State]


class CrowdPod:
    """One pod of a crowd, whose listeners change whenever a test says so. Everything until `settled` is told."""

    def __init__(self, name: str = POD, *, namespace: str = "show", size: int = SIZE, most: int = 1000) -> None:
        self.name = name
        self.namespace = namespace
        self.asked: list[int] = []
        self.settled = 0.0
        self.boot = "boot-1"
        self.arrivals: list[dict[str, Any]] = []
        self._size = size
        self._ring = Ring[Row](most=most)
        self._newest: dict[int, Row] = {}

    def restart(self) -> None:
        """Another process, with a clock and numbers from the beginning."""
        self.boot, self.settled = f"{self.boot}+", 0.0
        self._ring = Ring[Row]()
        self._newest = {}

    def settle(self, until: float, *rows: Row) -> None:
        """Tell of what is newly settled."""
        self._ring.add(rows, until)
        self._newest |= {row[0]: row for row in rows}
        self.settled = until

    def document(self, after: int) -> dict[str, Any]:
        """The answer."""
        page = self._ring.after(after)
        afresh = after == 0 or page.lost > 0 or page.next < after
        return {
            "boot": self.boot,
            "room": ROOM,
            "pod": self.name,
            "clock": {"monotonic": self.settled + 5.0, "wall": EPOCH + self.settled + 5.0},
            "size": self._size,
            "settledUntil": self.settled,
            "next": page.next,
            "lost": page.lost,
            "changes": [_change(row) for _, row in page.entries],
            "newest": [_change(row) for row in self._newest.values()] if afresh else [],
            "arrivals": self.arrivals,
            "refusals": {},
            "instrument": {"kernelDrops": 0, "stalls": []},
        }


def _change(row: Row) -> dict[str, Any]:
    return {"slot": row[0], "at": row[1], "state": row[2].value}


@asynccontextmanager
async def asking(database: Engine, there: ListenerPods, *crowds: CrowdPod) -> AsyncIterator[Feeds]:
    """An archive that asks these pods."""
    keeper = Keeper(database, Clock())
    async with listeners.session() as session:
        pods = listener_pods(cast("Client", None))
        for number, crowd in enumerate(crowds, start=1):
            there.pods[f"127.0.1.{number}"] = crowd
            labels = {listeners.ROLE_LABEL: listeners.CROWD, listeners.ROOM_LABEL: ROOM}
            metadata = {
                "name": crowd.name,
                "namespace": crowd.namespace,
                "uid": "u",
                "resourceVersion": "1",
                "labels": labels,
            }
            pods.learn({"metadata": metadata, "status": {"podIP": f"127.0.1.{number}"}})
        yield Feeds(pods, keeper, Clock(), session, port=there.port)
    await keeper.close()


def kept(database: Engine) -> list[tuple[str, str, float, float, bool]]:
    wanted = select(spans.c.listener, spans.c.state, spans.c.start, spans.c.end, spans.c.closed)
    with database.connect() as connection:
        return sorted((row[0].rpartition("/")[2], *row[1:]) for row in connection.execute(wanted))


def told(database: Engine, window: Window) -> View:
    """What the archive tells of a crowd in a window."""
    with database.connect() as connection:
        (boot,) = connection.execute(select(boots.c.offset))
        moved = Window(window.start + boot.offset, window.end + boot.offset)
        documents = queries.crowd(connection, "show", ROOM, moved)
        assert queries.feeds(connection, "show", ROOM, moved) == []
    return reading.crowd(documents).view(moved, [f"{POD}/{slot}" for slot in range(SIZE)])


def states(view: View, slot: int) -> list[tuple[State, float, float]]:
    origin = view.window.start
    track = view.residents[slot]
    return [(span.state, round(span.start - origin, 3), round(span.end - origin, 3)) for span in track.spans]


async def test_a_crowd_in_which_nothing_changes_costs_no_row_an_answer(database: Engine) -> None:
    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        before = kept(database)
        crowd.settle(40.0)
        await feeds.once()
    assert kept(database) == before == [(str(slot), "Live", 1.0, 10.0, False) for slot in range(SIZE)]
    assert states(told(database, Window(1.0, 40.0)), 0) == [(L, 0.0, 39.0)]
    assert crowd.asked == [0, SIZE]


async def test_an_outage_is_told_as_it_was(database: Engine) -> None:
    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.settle(20.0, (1, 12.0, N), (2, 12.001, N), (2, 18.0, L))
        await feeds.once()
        crowd.settle(30.0, (1, 25.5, J), (1, 26.0, L))
        await feeds.once()
    view = told(database, Window(0.0, 30.0))
    assert states(view, 0) == [(U, 0.0, 1.0), (L, 1.0, 30.0)]
    assert states(view, 1) == [(U, 0.0, 1.0), (L, 1.0, 12.0), (N, 12.0, 25.5), (J, 25.5, 26.0), (L, 26.0, 30.0)]
    assert states(view, 2) == [(U, 0.0, 1.0), (L, 1.0, 12.001), (N, 12.001, 18.0), (L, 18.0, 30.0)]
    assert states(told(database, Window(13.0, 14.0)), 1) == [(N, 0.0, 1.0)]


async def test_rooms_of_the_same_name_in_two_namespaces_have_nothing_to_do_with_each_other(database: Engine) -> None:
    here, elsewhere = CrowdPod(), CrowdPod(namespace="elsewhere")
    elsewhere.boot = "boot-2"
    here.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    elsewhere.settle(10.0, *((slot, 1.0, H) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, here, elsewhere) as feeds:
        await feeds.once()
        here.settle(20.0, (1, 12.0, N))
        elsewhere.settle(20.0, (1, 13.0, L))
        await feeds.once()
    told_of_one = [(state, start, end) for slot, state, start, end, closed in kept(database) if slot == "1" and closed]
    assert told_of_one == [("Hold", 1.0, 13.0), ("Live", 1.0, 12.0)]


async def test_an_archive_that_starts_again_reads_from_the_beginning_and_keeps_the_same(database: Engine) -> None:
    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there:
        async with asking(database, there, crowd) as feeds:
            await feeds.once()
        crowd.settle(20.0, (1, 12.0, N), (1, 15.0, L))
        async with asking(database, there, crowd) as feeds:
            await feeds.once()
    assert crowd.asked == [0, 0]
    assert states(told(database, Window(1.0, 20.0)), 1) == [(L, 0.0, 11.0), (N, 11.0, 14.0), (L, 14.0, 19.0)]


async def test_what_could_not_be_kept_is_read_afresh(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader has gone on meanwhile: what it makes of the same changes again would lack the first."""

    def full(*_: object) -> None:
        raise ValueError("disk full")

    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.settle(20.0, (1, 12.0, N), (1, 15.0, L))
        with monkeypatch.context() as patched:
            patched.setattr(writing, "keep_feed", full)
            with pytest.raises(ArchiveError, match="disk full"):
                await feeds.once()
        await feeds.once()
    assert crowd.asked == [0, SIZE, 0]
    assert states(told(database, Window(1.0, 20.0)), 1) == [(L, 0.0, 11.0), (N, 11.0, 14.0), (L, 14.0, 19.0)]


async def test_of_changes_that_were_lost_nothing_is_known_and_what_was_known_stays(database: Engine) -> None:
    crowd = CrowdPod(most=SIZE)
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.settle(30.0, (1, 12.0, N), (1, 15.0, L), *((1, 20.0 + index, (N, H)[index % 2]) for index in range(4)))
        await feeds.once()
    view = told(database, Window(1.0, 30.0))
    assert states(view, 0) == [(L, 0.0, 29.0)]
    assert states(view, 1) == [
        (L, 0.0, 9.0),
        (U, 9.0, 19.0),
        (N, 19.0, 20.0),
        (H, 20.0, 21.0),
        (N, 21.0, 22.0),
        (H, 22.0, 29.0),
    ]


async def test_a_new_process_of_a_pod_is_read_from_its_beginning(database: Engine) -> None:
    crowd = CrowdPod()
    crowd.settle(10.0, (0, 1.0, L))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.restart()
        crowd.settle(5.0, (0, 2.0, J))
        await feeds.once()
    assert [row[1:4] for row in kept(database)] == [("Joining", 2.0, 5.0), ("Live", 1.0, 10.0)]


async def test_a_crowd_that_never_rests_is_kept_up_to_a_bound_and_is_unknown_beyond(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_feeds, "MOST_SPANS_AN_HOUR", 10)
    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    flaps = ((0, 11.0 + index / 10, (N, L)[index % 2]) for index in range(40))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.settle(20.0, *flaps)
        await feeds.once()
        assert "10 times an hour" in feeds.problems["show", ROOM, POD]
        crowd.settle(30.0)
        await feeds.once()
        assert feeds.problems == {}
        assert crowd.asked == [0, SIZE, SIZE + 40]
    view = told(database, Window(1.0, 30.0))
    assert states(view, 0) == [(L, 0.0, 9.0), (U, 9.0, 13.9), (L, 13.9, 29.0)]
    assert states(view, 1) == [(L, 0.0, 29.0)]
    assert len(kept(database)) == SIZE + 1


async def test_what_of_a_crowd_belongs_to_no_run_is_forgotten_but_what_goes_on(database: Engine) -> None:
    crowd = CrowdPod()
    crowd.settle(10.0, *((slot, 1.0, L) for slot in range(SIZE)))
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        crowd.settle(20.0, (1, 12.0, N))
        await feeds.once()
    with database.begin() as connection:
        now = Clock().now()
        assert writing.forget(connection, before=0.0, idle_before=now + 60) == 1
    assert states(told(database, Window(1.0, 20.0)), 0) == [(L, 0.0, 19.0)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, SIZE - 1), st.integers(1, 29), st.sampled_from([L, H, N, J, U])), max_size=30
    ),
    answers=st.lists(st.integers(1, 30), max_size=4),
)
def test_whatever_changes_is_told_as_the_pods_did(
    database: Engine, rows: list[tuple[int, int, State]], answers: list[int]
) -> None:
    """However it comes in answers."""
    with database.begin() as connection:
        connection.execute(delete(boots))
    crowd, reader, timeline, written = CrowdPod(), CrowdReader(), Timeline(), float("-inf")
    ordered = sorted(
        {(slot, at): (slot, float(at), state) for slot, at, state in rows}.values(), key=lambda row: row[1]
    )
    after = begin = 0
    for until in [*sorted(set(answers)), 31]:
        crowd.settle(float(until), *(row for row in ordered if begin <= row[1] < until))
        feed = reader.read(crowd.document(after), POD, EPOCH)
        begin, after = until, feed.next
        timeline.add(feed)
        with database.begin() as connection:
            answer = writing.FeedAnswer("show", feed, EPOCH + until + 5.0, float(until), written)
            writing.keep_feed(connection, answer)
        written = float(until)
    window, names = Window(EPOCH + 3, EPOCH + 30), [f"{POD}/{slot}" for slot in range(SIZE)]
    with database.connect() as connection:
        kept_timeline = reading.crowd(queries.crowd(connection, "show", ROOM, window))
    assert kept_timeline.view(window, names) == timeline.view(window, names)


def test_the_crowd_of_a_run_is_apart_from_its_fleet(database: Engine) -> None:
    feed = CrowdReader().read({**CrowdPod().document(0), "settledUntil": 30.0}, POD, EPOCH)
    with database.begin() as connection:
        writing.keep_feed(connection, writing.FeedAnswer("show", feed, EPOCH + 40, 30.0))
        writing.keep_runs(connection, [run()], EPOCH + 60)
        document = queries.told(connection, "kill-1-uid")
        count = connection.scalar(select(func.count()).select_from(spans))
    assert document is not None
    assert (document["feeds"], document["crowd"], count) == ([], [], 0)


@pytest.mark.parametrize(
    "wrong", [{"changes": {"0": []}}, {"changes": {"0": [[1.0, "Loud"]]}}, {"changes": []}, {"until": None}]
)
def test_a_crowd_that_cannot_be_read_is_none(wrong: dict[str, Any]) -> None:
    good = {
        "boot": "b",
        "room": ROOM,
        "pod": POD,
        "offset": EPOCH,
        "clock": {"monotonic": 9.0, "wall": None},
        "until": 4.0,
        "changes": {"0": [[1.0, "Live"], [2.0, None], [3.0, "Hold"]]},
    }
    assert [
        span.state for span in reading.crowd([good]).view(Window(EPOCH + 1, EPOCH + 4), [f"{POD}/0"]).residents[0].spans
    ] == [L, U, H]
    answer = {"from": EPOCH, "to": EPOCH + 30, "feeds": [], "crowd": [{**good, **wrong}]}
    with pytest.raises(ArchiveError, match="cannot be read"):
        reading.record_of({"run": run(), "goneAt": None}, answer)


def visit(name: str, called: float, seen: float, **fields: Any) -> dict[str, Any]:
    """A newcomer's visit that goes on, in the answer of a pod."""
    times = dict.fromkeys(("joinedAt", "firstAudioAt", "firstLiveAt", "leftAt"))
    who = {"listener": f"{POD}/{name}", "calledAt": called, **times, "error": ""}
    return {**who, "seenUntil": seen, "sureUntil": seen, **fields}


def test_newcomers_are_kept_when_their_visits_are_over_and_told_as_their_pods_did(database: Engine) -> None:
    well = visit("a1", 3.0, 8.0, joinedAt=3.5, firstAudioAt=3.75, firstLiveAt=4.0, leftAt=8.0)
    hidden = visit("a2", 5.0, 11.0, joinedAt=6.0, leftAt=11.0, sureUntil=7.0, error="HTTP 503 \0")
    goes_on = visit("a3", 25.0, 30.0, joinedAt=26.0)
    earlier = {**CrowdPod().document(0), "settledUntil": 6.0, "arrivals": [visit("a1", 3.0, 6.0, joinedAt=3.5)]}
    later = {**CrowdPod().document(0), "settledUntil": 30.0, "arrivals": [well, hidden, goes_on]}
    reader = CrowdReader()
    for said in (earlier, later, later):
        with database.begin() as connection:
            feed = reader.read(said, POD, EPOCH)
            writing.keep_feed(connection, writing.FeedAnswer("show", feed, EPOCH + 40, said["settledUntil"]))
    with database.begin() as connection:
        window = Window(EPOCH + 1, EPOCH + 30)
        document, *more = queries.crowd(connection, "show", ROOM, window)
        assert more == []
        assert queries.crowd(connection, "show", ROOM, Window(EPOCH + 12, EPOCH + 30)) == []
    assert document["changes"] == {}
    view = reading.crowd([document]).view(window, [f"{POD}/0"])
    assert view.arrivals == ()
    first, second = view.calls
    assert (first.listener, first.called, first.joined) == (f"{POD}/a1", EPOCH + 3.0, EPOCH + 3.5)
    assert (first.first_live, first.surely_left) == (EPOCH + 4.0, EPOCH + 8.0)
    assert (second.left, second.sure_until, second.surely_left) == (EPOCH + 11.0, EPOCH + 7.0, None)
    assert second.error == "HTTP 503 "


async def test_newcomers_who_come_too_often_are_not_kept_either(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_feeds, "MOST_SPANS_AN_HOUR", 10)
    crowd = CrowdPod()
    crowd.settle(10.0, (0, 1.0, L))
    crowd.arrivals = [visit(f"a{number}", 2.0, 9.0, leftAt=9.0) for number in range(20)]
    async with on_loopback() as there, asking(database, there, crowd) as feeds:
        await feeds.once()
        assert "10 times an hour" in feeds.problems["show", ROOM, POD]
    with database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(visits)) == 0
