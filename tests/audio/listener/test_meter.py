import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.listener.meter import ROW_SECONDS, Meter
from showstopper.audio.media import Poll
from showstopper.availability.statistics import Statistics


def totals(received: int, lost: int = 0, jitter: float = 0.001) -> Poll:
    return Poll("", 0.0, received, lost, concealed=10 * lost, total=960 * (received + lost), jitter=jitter)


def no_delay(_start: float, _end: float) -> float | None:
    return None


def polled(until: float, every: float = 0.25, began: float = 10.0) -> Meter:
    """A listener that gets 50 packets a second, of which every tenth is lost from second 4 on."""
    meter = Meter("p-0/0", began)
    for step in range(1, round(until / every) + 1):
        at = step * every
        lost = round(5 * max(0.0, at - 4))
        meter.polled(began + at, totals(round(50 * at) - lost, lost))
    return meter


def figures(row: Statistics) -> tuple[float, float, float, float]:
    return row.start, row.end, row.received, row.lost


def test_rows_are_of_two_seconds_and_the_last_one_goes_on() -> None:
    meter = polled(7.0)
    assert list(map(figures, meter.close(16.5, no_delay))) == [(10, 12, 100, 0), (12, 14, 100, 0), (14, 16, 90, 10)]
    row = meter.open(16.5, no_delay)
    assert row is not None
    assert (row.start, row.end, row.expected) == (16, 16.5, 25)
    assert meter.close(16.5, no_delay) == []


def test_counts_are_differences_so_that_they_add_up() -> None:
    meter = polled(20.0)
    rows = [*meter.close(15.1, no_delay), *meter.close(30.0, no_delay)]
    assert sum(row.received for row in rows) == 1000 - 80
    assert sum(row.lost for row in rows) == 80
    assert sum(row.concealed for row in rows) == 800
    assert sum(row.samples for row in rows) == 960_000


def test_beyond_the_newest_statistics_nothing_is_known() -> None:
    meter = polled(3.0)
    assert [row.end for row in meter.close(99.0, no_delay)] == [12]
    row = meter.open(99.0, no_delay)
    assert row is not None
    assert row.end == 13
    assert meter.open(11.0, no_delay) is None


def test_statistics_that_come_late_fill_the_rows_that_they_missed() -> None:
    meter = Meter("p-0/0", 0.0)
    meter.polled(1.0, totals(50))
    meter.polled(9.0, totals(450))
    rows = meter.close(9.0, no_delay)
    assert [row.end for row in rows] == [2, 4, 6, 8]
    assert [row.received for row in rows] == [100, 100, 100, 100]


def test_who_is_not_in_expects_nothing_and_that_is_known() -> None:
    meter = Meter("p-0/0", 0.0)
    for step in range(1, 9):
        meter.polled(step / 2, totals(0))
    (first, _) = meter.close(4.0, no_delay)
    assert (first.expected, first.samples, first.jitter) == (0, 0, None)


def test_jitter_is_the_newest_at_the_end_of_the_row() -> None:
    meter = Meter("p-0/0", 0.0)
    for step in range(1, 9):
        meter.polled(step / 2, totals(25 * step, jitter=step / 1000))
    assert [row.jitter for row in meter.close(4.0, no_delay)] == [0.004, 0.008]


def test_a_row_asks_for_the_delay_of_its_own_time() -> None:
    meter = polled(5.0)
    rows = meter.close(14.0, lambda start, end: start + end)
    assert [row.delay for row in rows] == [22, 26]


def test_an_answer_from_before_the_last_one_changes_nothing() -> None:
    meter = polled(4.0)
    meter.polled(12.0, totals(9999))
    assert [row.received for row in meter.close(14.0, no_delay)] == [100, 100]


@given(
    st.lists(st.tuples(st.floats(0.1, 5.0), st.integers(0, 250)), min_size=1, max_size=20),
    st.lists(st.floats(0.0, 60.0), max_size=8),
)
def test_rows_have_no_hole_no_overlap_and_lose_no_packet(polls: list[tuple[float, int]], asked: list[float]) -> None:
    meter, rows, at, received = Meter("p-0/0", 0.0), [], 0.0, 0
    for seconds, packets in polls:
        at, received = at + seconds, received + packets
        meter.polled(at, totals(received))
    for until in [*sorted(asked), 200.0]:
        rows += meter.close(until, no_delay)
    last = meter.open(200.0, no_delay)
    assert [row.start for row in rows] == pytest.approx([ROW_SECONDS * index for index in range(len(rows))])
    assert sum(row.received for row in (*rows, *([last] if last else []))) == received
