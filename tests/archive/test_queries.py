"""What is kept, read again: a run's time is told as its pods told it."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, delete

from showstopper.archive import queries, writing
from showstopper.archive.reading import timeline as read_timeline
from showstopper.archive.tables import boots
from showstopper.availability.feed import Feed
from showstopper.availability.spans import Kind
from showstopper.availability.tracks import View
from tests.archive.build import answered, run, told
from tests.availability.build import EPOCH, H, L, N, U, arrival_json, feed, stories, timeline, window
from tests.availability.build import spans as story

HOUR = 3600.0


def keep(database: Engine, answers: Iterable[Feed], *bodies: dict[str, Any]) -> None:
    with database.begin() as connection:
        for answer in answers:
            writing.keep_feed(connection, answered(answer))
        writing.keep_runs(connection, bodies, EPOCH + 60)


def listed(database: Engine, **query: Any) -> list[str] | None:
    with database.connect() as connection:
        runs = queries.list_runs(connection, **query)
    return None if runs is None else [listed_run["name"] for listed_run in runs]


def view_of_run(database: Engine, residents: Any, uid: str = "kill-1-uid") -> View:
    with database.connect() as connection:
        document = queries.told(connection, uid)
    assert document is not None
    return read_timeline(document["feeds"]).view(window(0, 30), residents)


def test_runs_are_listed_newest_first_in_pages(database: Engine) -> None:
    keep(database, [], *(run(number, start=number // 2) for number in range(1, 6)), run(9, experiment="loss"))
    assert listed(database) == ["kill-5", "kill-4", "kill-3", "kill-2", "loss-9", "kill-1"]
    assert listed(database, limit=2) == ["kill-5", "kill-4"]
    assert listed(database, limit=2, before="kill-4-uid") == ["kill-3", "kill-2"]
    assert listed(database, limit=9, before="kill-1-uid") == []
    assert listed(database, experiment="loss") == ["loss-9"]
    assert listed(database, namespace="show", experiment="kill", limit=1) == ["kill-5"]
    assert listed(database, namespace="show", name="kill-3") == ["kill-3"]
    assert listed(database, namespace="elsewhere", name="kill-3") == []
    assert listed(database, namespace="other") == []
    assert listed(database, before="no-such-uid") is None


def test_a_run_is_listed_with_what_people_look_for(database: Engine) -> None:
    keep(database, [], run())
    with database.connect() as connection:
        (listed_run,) = queries.list_runs(connection) or []
    assert listed_run["verdict"] == "Passed"
    assert (listed_run["audible"], listed_run["deadAir"], listed_run["recovery"]) == ("81.4%", "4.2s", "6.1s")
    assert listed_run["finishedAt"] == run()["status"]["finishedAt"]
    assert listed_run["goneAt"] is None


def test_one_run_is_its_resource(database: Engine) -> None:
    keep(database, [], run())
    with database.connect() as connection:
        kept = queries.one_run(connection, "kill-1-uid")
        assert queries.one_run(connection, "another") is None
        assert queries.told(connection, "another") is None
    assert kept is not None
    assert kept["run"] == run()


A1 = story("pod-0/a1", [(L, 9)], start=-4, kind=Kind.ARRIVAL)
A2 = story("pod-0/a2", [(N, 9)], start=25, kind=Kind.ARRIVAL)
A3 = story("pod-0/a3", [(L, 9)], start=27, kind=Kind.ARRIVAL)
VISITS = [
    arrival_json("pod-0/a1", -4, 5, joined=-3, audio=-3, live=-3),
    arrival_json("pod-0/a2", 25, 34, error="no answer"),
]
ROOM = [
    feed(story("pod-0/0", [(L, 5), (N, 4), (L, 11)]), story("pod-0/0", [(L, 10)], start=20), clock=30),
    feed([*A1, *A2], [*story("pod-0/0", [(L, 16)], start=20), *A3], arrivals=VISITS, clock=36),
    feed(story("pod-1/1", [(L, 8)]), pod="pod-1", boot="boot-2", clock=9),
    feed(story("pod-1/1", [(H, 3), (L, 9)], start=12), pod="pod-1", boot="boot-3", clock=24, uncertainty=0.01),
]


def test_it_tells_the_same_as_the_feeds_did(database: Engine) -> None:
    keep(database, ROOM, run())
    residents = ["pod-0/0", "pod-1/1", "pod-1/2"]
    seen = view_of_run(database, residents)
    assert seen == timeline(*ROOM).view(window(0, 30), residents)
    assert [track.listener for track in seen.arrivals] == ["pod-0/a1", "pod-0/a3"]
    assert {span.state for span in seen.residents[2].spans} == {U}


def test_what_is_not_kept_is_unknown(database: Engine) -> None:
    """The guard of the test above: without what one process told, the views differ."""
    keep(database, ROOM, run())
    with database.begin() as connection:
        connection.execute(delete(boots).where(boots.c.boot == "boot-3"))
    assert view_of_run(database, 2) != timeline(*ROOM).view(window(0, 30), 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(first=stories(), second=stories())
def test_any_story_is_told_as_it_was(database: Engine, first: Any, second: Any) -> None:
    answers = [
        feed(story("pod-0/0", first), boot=f"{first}{second}", clock=30),
        feed(story("pod-1/1", second), boot=f"{first}{second}", pod="pod-1", clock=30),
    ]
    with database.begin() as connection:
        connection.execute(delete(boots))
    keep(database, answers, run())
    assert view_of_run(database, 2) == timeline(*answers).view(window(0, 30), 2)


def test_other_rooms_and_other_times_are_not_told(database: Engine) -> None:
    early, late = story("pod-0/0", [(L, 5)], start=-HOUR), story("pod-0/0", [(L, 5)], start=HOUR)
    keep(database, [feed([*early, *late], clock=2 * HOUR)], run())
    with database.begin() as connection:
        writing.keep_feed(connection, told(story("pod-0/0", [(L, 30)]), namespace="other", clock=40))
        document = queries.told(connection, "kill-1-uid")
    assert document is not None
    assert document["feeds"] == []
    assert (document["from"], document["to"]) == (EPOCH, EPOCH + 30)


@pytest.mark.parametrize(("end", "until"), [(None, 60.0), (30.0, 30.0)])
def test_a_run_that_goes_on_is_told_of_until_it_was_seen(database: Engine, end: float | None, until: float) -> None:
    keep(database, [], run(end=end))
    with database.connect() as connection:
        document = queries.told(connection, "kill-1-uid")
    assert document is not None
    assert document["to"] == EPOCH + until
