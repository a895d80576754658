from sqlalchemy import Engine, func, select

from showstopper.archive import writing
from showstopper.archive.tables import boots, runs, spans, visits
from showstopper.availability.feed import parse_feed
from showstopper.availability.spans import Kind, Span, State
from tests.archive.build import answered, run, told
from tests.availability.build import EPOCH, H, L, arrival_json, document, feed
from tests.availability.build import spans as story

LISTENER = "pod-0/0"
HOUR = 3600.0
DAY = 24 * HOUR


def keep(database: Engine, *answers: writing.FeedAnswer) -> None:
    for answer in answers:
        with database.begin() as connection:
            writing.keep_feed(connection, answer)


def kept_spans(database: Engine) -> list[tuple[str, float, float, bool]]:
    wanted = select(spans.c.state, spans.c.start, spans.c.end, spans.c.closed).order_by(spans.c.start)
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(wanted)]


def count(database: Engine, what: object = runs) -> int:
    with database.connect() as connection:
        return connection.scalar(select(func.count()).select_from(what)) or 0  # type: ignore[arg-type]


def test_what_is_told_twice_is_kept_once(database: Engine) -> None:
    answer = told(story(LISTENER, [(L, 5), (H, 5)]), arrivals=[arrival_json("pod-0/a1", 1, 3)])
    keep(database, answer, answer)
    assert kept_spans(database) == [("Live", 0, 5, True), ("Hold", 5, 10, True)]
    assert (count(database, visits), count(database, boots)) == (1, 1)


def test_a_span_grows_while_it_is_open_and_never_again(database: Engine) -> None:
    def live(until: float) -> list[Span]:
        return [Span(LISTENER, Kind.RESIDENT, State.LIVE, EPOCH, EPOCH + until)]

    keep(database, told([], live(5), clock=5), told([], live(9), clock=9), told([], live(7), clock=7))
    assert kept_spans(database) == [("Live", 0, 9, False)]
    keep(database, told(live(8), clock=10), told([], live(99), clock=9))
    assert kept_spans(database) == [("Live", 0, 8, True)]


def test_nothing_is_kept_of_an_answer_whose_transaction_fails(database: Engine) -> None:
    with database.connect() as connection:
        writing.keep_feed(connection, told(story(LISTENER, [(L, 5)])))
        connection.rollback()
    assert count(database, spans) == 0
    with database.connect() as connection:
        assert writing.positions(connection) == {}


def test_it_goes_on_where_the_newest_process_of_each_pod_was(database: Engine) -> None:
    old = told(story(LISTENER, [(L, 5)]), first=41, boot="old", clock=50)
    keep(database, old, told(story(LISTENER, [(L, 5)], start=60), first=7, boot="new", clock=70, offset=EPOCH))
    with database.connect() as connection:
        assert writing.positions(connection) == {("show", "main-stage", "pod-0"): ("new", 7)}


def test_pods_and_boots_of_the_same_name_are_kept_apart(database: Engine) -> None:
    keep(database, told(story(LISTENER, [(L, 5)])), told(story(LISTENER, [(H, 5)]), namespace="other"))
    assert sorted(state for state, *_ in kept_spans(database)) == ["Hold", "Live"]


def test_the_better_reading_of_the_clocks_is_kept(database: Engine) -> None:
    for offset, uncertainty in ((100.0, 0.01), (100.5, 0.2), (100.002, 0.001)):
        keep(database, answered(parse_feed(document(), offset, uncertainty)))
    with database.connect() as connection:
        assert connection.scalar(select(boots.c.offset)) == 100.002


def test_what_a_ring_had_dropped_is_counted(database: Engine) -> None:
    for lost in (0, 3, 2):
        keep(database, answered(parse_feed({**document(), "lost": lost}, 0.0)))
    with database.connect() as connection:
        assert connection.scalar(select(boots.c.lost)) == 5


def test_a_verdict_is_never_lost_to_an_older_look(database: Engine) -> None:
    with database.begin() as connection:
        for body in (run(end=None), run(), run(end=None)):
            writing.keep_runs(connection, [body], EPOCH)
        assert connection.scalars(select(runs.c.verdict)).all() == ["Passed"]


def test_what_the_api_server_notes_of_managers_is_not_kept(database: Engine) -> None:
    with database.begin() as connection:
        writing.keep_runs(connection, [run(managedFields=[{"manager": "x"}])], EPOCH)
        body = connection.scalar(select(runs.c.body))
    assert body == run()


def test_a_run_that_is_gone_stays_and_says_so_once(database: Engine) -> None:
    with database.begin() as connection:
        writing.keep_runs(connection, [run(1), run(2)], EPOCH)
        writing.note_gone(connection, ["kill-1-uid"], EPOCH + 50)
        writing.note_gone(connection, ["kill-1-uid"], EPOCH + 99)
        assert writing.not_gone(connection) == {"kill-2-uid"}
        assert connection.scalars(select(runs.c.gone).order_by(runs.c.uid)).all() == [EPOCH + 50, None]


def test_old_runs_go_and_younger_ones_stay(database: Engine) -> None:
    with database.begin() as connection:
        writing.keep_runs(connection, [run(1), run(2, start=DAY, end=DAY + 30), run(3, end=None)], EPOCH)
        writing.forget(connection, before=EPOCH + HOUR, idle_before=EPOCH)
        assert connection.scalars(select(runs.c.name)).all() == ["kill-2"]


def test_old_spans_go_first_those_of_no_run(database: Engine) -> None:
    keep(database, told(story(LISTENER, [(L, HOUR), (H, 30), (L, HOUR), (H, 30)]), clock=3 * HOUR))
    with database.begin() as connection:
        writing.keep_runs(connection, [run(start=HOUR + 5, end=HOUR + 20)], EPOCH)
        # The room is told of by its name, and the first Live one ends less than a minute before the run.
        gone = writing.forget(connection, before=EPOCH, idle_before=EPOCH + 3 * HOUR)
    assert gone == 1
    assert [state for state, *_ in kept_spans(database)] == ["Live", "Hold", "Live"]
    with database.begin() as connection:
        writing.forget(connection, before=EPOCH + 2 * HOUR, idle_before=EPOCH + 2 * HOUR)
    assert [end for _, _, end, _ in kept_spans(database)] == [2 * HOUR + 30]


def test_a_run_that_was_deleted_under_way_keeps_nothing_that_is_told_later(database: Engine) -> None:
    keep(database, told(story(LISTENER, [(L, 60), (H, HOUR), (L, 60)]), clock=2 * HOUR))
    with database.begin() as connection:
        writing.keep_runs(connection, [run(end=None)], EPOCH)
        assert writing.forget(connection, before=EPOCH - DAY, idle_before=EPOCH + DAY) == 0, "it is under way"
        writing.note_gone(connection, ["kill-1-uid"], EPOCH + 90)
        assert writing.forget(connection, before=EPOCH - DAY, idle_before=EPOCH + DAY) == 1
    assert [state for state, *_ in kept_spans(database)] == ["Live", "Hold"]


def test_a_span_that_still_grows_is_never_too_old(database: Engine) -> None:
    keep(database, told([], story(LISTENER, [(L, 10)]), clock=2 * HOUR))
    with database.begin() as connection:
        assert writing.forget(connection, before=EPOCH + HOUR, idle_before=EPOCH + HOUR) == 0
    assert count(database, spans) == 1


def test_a_process_goes_with_all_it_told_when_it_has_long_been_silent(database: Engine) -> None:
    keep(database, told([], story(LISTENER, [(L, 10)]), arrivals=[arrival_json("pod-0/a1", 1, 3)], clock=20))
    with database.begin() as connection:
        writing.forget(connection, before=EPOCH + DAY, idle_before=EPOCH + DAY)
    assert [count(database, table) for table in (boots, spans, visits)] == [0, 0, 0]


def test_visits_are_kept_as_spans_are(database: Engine) -> None:
    called = [arrival_json("pod-0/a1", -500, -490), arrival_json("pod-0/a2", -20, -10), arrival_json("pod-0/a3", 9, 20)]
    keep(database, told(arrivals=called, clock=DAY))
    with database.begin() as connection:
        writing.keep_runs(connection, [run()], EPOCH)
        writing.forget(connection, before=EPOCH - DAY, idle_before=EPOCH + HOUR)
        kept = select(visits.c.listener).order_by(visits.c.called)
        assert connection.scalars(kept).all() == ["pod-0/a2", "pod-0/a3"]
        writing.forget(connection, before=EPOCH, idle_before=EPOCH)
        assert connection.scalars(kept).all() == ["pod-0/a3"]


def test_nothing_is_written_of_nothing(database: Engine) -> None:
    keep(database, answered(feed()))
    with database.begin() as connection:
        writing.keep_runs(connection, [], EPOCH)
        writing.note_gone(connection, [], EPOCH)
    assert count(database) == 0
