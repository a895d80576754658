import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.statistics import Statistics, StatisticsLog
from tests.availability.build import row


def test_a_clipped_row_keeps_its_part_of_every_count() -> None:
    whole = row(10, 12, received=80, lost=20, concealed=900, samples=96_000)
    assert whole.clipped(11.5, 30) == row(11.5, 12, received=20, lost=5, concealed=225, samples=24_000)
    assert whole.clipped(0, 30) is whole


@pytest.mark.parametrize(("start", "end"), [(0, 10), (12, 20), (11, 11), (11.5, 10.5)])
def test_a_row_outside_of_the_window_leaves_nothing(start: float, end: float) -> None:
    assert row(10, 12).clipped(start, end) is None


def test_packets_expected_are_those_that_came_and_those_that_did_not() -> None:
    assert row(0, 2, received=98, lost=2).expected == 100


def log(*rows: Statistics) -> StatisticsLog:
    kept = StatisticsLog("r0")
    for each in rows:
        kept.add(each)
    return kept


def test_a_log_gives_back_what_it_was_told() -> None:
    rows = [row(0, 2, jitter=None, lost=-3), row(2, 4, delay=None, jitter=0.25), row(6, 8, delay=0.5)]
    kept = log(*rows)
    assert len(kept) == 3
    assert kept.end == 8
    assert [(each.start, each.lost, each.delay, each.jitter) for each in kept.between(0, 9)] == [
        (0, -3, pytest.approx(0.06), None),
        (2, 0, None, 0.25),
        (6, 0, 0.5, pytest.approx(0.002)),
    ]
    assert [each.start for each in kept.between(2, 6)] == [2]
    assert list(kept.between(4, 6)) == []


@given(st.integers(0, 9), st.data())
def test_neither_order_nor_repetition_of_rows_changes_a_log(seed: int, data: st.DataObject) -> None:
    rows = [row(2 * index, 2 * index + 2, received=index) for index in range(8) if index != 5]
    again = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    mixed = random.Random(seed).sample([*rows, *again], len(rows) + len(again))
    assert list(log(*mixed).between(0, 99)) == list(log(*rows).between(0, 99))


def test_a_row_that_overlaps_one_that_is_known_is_not_taken() -> None:
    kept = log(row(0, 2), row(4, 6), row(1, 3), row(3, 5), row(3.5, 7), row(4, 6))
    assert [each.start for each in kept.between(0, 9)] == [0, 4]


def test_what_ended_before_is_forgotten() -> None:
    kept = log(row(0, 2), row(2, 4), row(4, 6))
    kept.forget(4)
    assert [each.start for each in kept.between(0, 9)] == [4]
    kept.forget(9)
    assert len(kept) == 0
