from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc

from showstopper.audio.crowd import rules
from showstopper.audio.crowd.negotiation import Leave
from showstopper.audio.crowd.rules import Way

REASON = "STATE_MISMATCH"


def test_a_client_resumes_once_and_then_joins_ten_tries_in_all() -> None:
    assert rules.attempts(None) == [Way.RESUME, *[Way.JOIN] * 9]
    assert rules.attempts(Leave(rtc.LeaveRequest.RESUME, REASON)) == rules.attempts(None)


def test_what_the_server_says_with_leave_is_done() -> None:
    assert rules.attempts(Leave(rtc.LeaveRequest.DISCONNECT, REASON)) == []
    assert rules.attempts(Leave(rtc.LeaveRequest.RECONNECT, REASON)) == [Way.JOIN] * 10


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_and_have_an_end(attempt: int, draw: float) -> None:
    assert 0 <= rules.pause(attempt, draw) <= 7
    assert 0 <= rules.own_pause(attempt, draw) <= 5
    assert rules.pause(attempt, draw) <= rules.pause(attempt + 1, draw)


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.3), (2, 0.6), (5, 4.8), (6, 7.0), (10, 7.0)])
def test_the_longest_pauses_are_the_rust_client_s(attempt: int, longest: float) -> None:
    assert rules.pause(attempt, 1.0) == pytest.approx(longest)


def longest_pause(pings: list[float]) -> float:
    """The longest time in which nobody pings, of pings that each come once in an interval."""
    return max(later - before for before, later in pairwise([*sorted(pings), min(pings) + rules.PING_SECONDS]))


@given(st.integers(1, 10))
def test_a_small_fleet_is_in_as_soon_as_its_pings_differ(size: int) -> None:
    joins = [rules.ping_phase(index) for index in range(size)]
    assert joins == sorted(joins)
    assert joins[-1] == rules.PINGS_APART_SECONDS * (size - 1)


def test_nobody_waits_for_longer_than_until_the_next_ping_and_no_two_join_together() -> None:
    joins = [rules.ping_phase(index) for index in range(5000)]
    assert min(joins) == 0
    assert max(joins) < rules.PING_SECONDS
    assert len(set(joins)) == len(joins)


@given(st.integers(10, 3000))
def test_a_fleet_of_any_size_pings_all_the_time(size: int) -> None:
    pings = [rules.ping_phase(index) for index in range(size)]
    assert longest_pause(pings) <= rules.PINGS_APART_SECONDS + 1e-9
    assert longest_pause(pings) < 4 * rules.PING_SECONDS / size + 1e-9
