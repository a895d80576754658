"""Samples of public counts, and what is one."""

import pytest

from showstopper.availability import counts
from showstopper.availability.counts import CountLog, CountSample, parse_count
from tests.availability.build import EPOCH, window


def log(*ats: float) -> CountLog:
    count_log = CountLog()
    for number, at in enumerate(ats):
        count_log.add(EPOCH + at, number)
    return count_log


def test_those_are_taken_that_speak_for_some_of_a_window() -> None:
    ats = [sample.at - EPOCH for sample in log(1, 6, 8, 12, 20, 21).within(window(10, 20))]
    assert ats == [8, 12, 20]


def test_an_answer_that_was_overtaken_says_nothing() -> None:
    count_log = log(1, 3, 2)
    assert count_log.within(window(0, 10)) == (CountSample(EPOCH + 1, 0), CountSample(EPOCH + 3, 1))


def test_what_is_old_is_forgotten() -> None:
    count_log = log(0, 5, counts.KEPT_SECONDS + 1)
    assert [sample.shown for sample in count_log.within(window(-10, 1e5))] == [1, 2]


def test_a_count_is_the_number_of_listeners_now() -> None:
    assert parse_count({"name": "stage", "listeners": {"now": 6, "peak": 8}}) == 6


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"listeners": 6},
        {"listeners": {"now": "6"}},
        {"listeners": {"now": -1}},
        {"listeners": {"now": True}},
        {"listeners": {"now": 6.5}},
        {"listeners": {"now": 2**53}},
    ],
    ids=str,
)
def test_whatever_else_is_answered_is_no_count(document: object) -> None:
    with pytest.raises(ValueError, match="no whole number at"):
        parse_count(document)
