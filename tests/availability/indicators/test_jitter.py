import math

import pytest

from showstopper.availability import summary
from showstopper.availability.expectations import Expectation, Outcome, judge
from showstopper.availability.indicators.jitter import JITTER
from showstopper.availability.statistics import Statistics
from tests.availability.build import counted, row


def jitters(*values: float | None) -> list[Statistics]:
    return [row(2 * index, 2 * index + 2, jitter=value) for index, value in enumerate(values)]


def test_it_is_what_was_not_exceeded_in_95_percent_of_the_time() -> None:
    measured = JITTER.measure(counted(jitters(*[0.002] * 18, 0.012, 0.2), end=40), None)
    assert measured.value == 0.012
    assert measured.exact


def test_of_few_rows_it_is_the_highest() -> None:
    assert JITTER.measure(counted(jitters(0.002, 0.03, 0.004), end=6), None).value == 0.03


def test_it_is_of_all_residents_and_names_the_one_who_fares_worst() -> None:
    measured = JITTER.measure(counted(jitters(*[0.001] * 30), jitters(*[0.001] * 28, 0.02, 0.03), end=60), None)
    assert (measured.value, measured.worst_listener, measured.worst_value) == (0.001, "r1", 0.02)


def test_time_without_packets_has_no_jitter_and_is_not_unknown() -> None:
    measured = JITTER.measure(counted(jitters(0.003, None, None, 0.003), end=8), None)
    assert (measured.value, measured.upper) == (0.003, 0.003)


def test_unknown_time_of_more_than_a_twentieth_may_hide_any_jitter() -> None:
    measured = JITTER.measure(counted(jitters(*[0.003] * 18), end=40), None)
    assert (measured.value, measured.upper) == (0.003, math.inf)
    assert judge(Expectation(JITTER, maximum=0.03), measured).outcome is Outcome.UNMEASURED


def test_it_is_shown_in_milliseconds() -> None:
    measured = JITTER.measure(counted(jitters(0.0042), end=2), None)
    assert summary.measurement(measured)["value"] == "4.2ms"
    judged = judge(Expectation(JITTER, maximum=0.03), measured)
    assert judged.sentence == "Jitter 4.2 ms ≤ 30 ms, margin 25.8 ms"


@pytest.mark.parametrize("rows", [[], jitters(None, None)])
def test_without_a_packet_it_is_not_measured(rows: list[Statistics]) -> None:
    measured = JITTER.measure(counted(rows, end=4), None)
    assert (measured.value, measured.samples) == (None, 0)
    assert "no packet reached" in measured.reason
