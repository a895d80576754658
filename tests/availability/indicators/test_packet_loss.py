import pytest

from showstopper.availability.expectations import Expectation, Outcome, judge
from showstopper.availability.indicators.packet_loss import PACKET_LOSS
from tests.availability.build import counted, row


def test_it_is_what_was_lost_of_what_was_expected() -> None:
    room = counted([row(0, 10, received=475, lost=25)], [row(0, 10, received=500)], end=10)
    measured = PACKET_LOSS.measure(room, None)
    assert measured.value == pytest.approx(0.025)
    assert measured.exact
    assert (measured.samples, measured.worst_listener, measured.worst_value) == (2, "r0", 0.05)


def test_only_the_window_counts() -> None:
    loss = [row(0, 4), row(4, 8, received=160, lost=40), row(8, 12)]
    room = counted(loss, end=6)
    assert PACKET_LOSS.measure(room, None).value == pytest.approx(20 / 300)


def test_a_packet_that_came_after_all_is_not_lost() -> None:
    rows = [row(0, 2, received=97, lost=3), row(2, 4, received=103, lost=-3)]
    assert PACKET_LOSS.measure(counted(rows, end=4), None).value == 0


def test_where_no_packet_was_sent_none_is_lost() -> None:
    silent = row(4, 8, received=0, samples=0, jitter=None, delay=None)
    measured = PACKET_LOSS.measure(counted([row(0, 4), silent], end=8), None)
    assert (measured.value, measured.upper) == (0, 0)


def test_a_loss_that_may_hide_in_unknown_time_keeps_an_expectation_from_being_met() -> None:
    asked = Expectation(PACKET_LOSS, maximum=0.1)
    seen = PACKET_LOSS.measure(counted([row(0, 9.5, received=475)], end=10), None)
    assert judge(asked, seen).outcome is Outcome.MET
    half = PACKET_LOSS.measure(counted([row(0, 5, received=250)], end=10), None)
    assert judge(asked, half).outcome is Outcome.UNMEASURED


def test_without_a_packet_it_is_not_measured() -> None:
    measured = PACKET_LOSS.measure(counted([row(0, 10, received=0)], end=10), None)
    assert (measured.value, measured.upper) == (None, 1.0)
    assert "no packet was expected" in measured.reason
