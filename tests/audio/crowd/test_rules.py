import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc

from showstopper.audio.crowd import rules
from showstopper.audio.crowd.negotiation import LeaveMessage
from showstopper.audio.crowd.rules import ReturnMode

REASON = "STATE_MISMATCH"


def test_a_client_resumes_once_and_then_joins_ten_tries_in_all() -> None:
    assert rules.attempts(None) == [ReturnMode.RESUME, *[ReturnMode.JOIN] * 9]
    assert rules.attempts(LeaveMessage(rtc.LeaveRequest.RESUME, REASON)) == rules.attempts(None)


def test_what_the_server_says_with_leave_is_done() -> None:
    assert rules.attempts(LeaveMessage(rtc.LeaveRequest.DISCONNECT, REASON)) == []
    assert rules.attempts(LeaveMessage(rtc.LeaveRequest.RECONNECT, REASON)) == [ReturnMode.JOIN] * 10


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_and_have_an_end(attempt: int, draw: float) -> None:
    assert 0 <= rules.pause(attempt, draw) <= 7
    assert 0 <= rules.own_pause(attempt, draw) <= 5
    assert rules.pause(attempt, draw) <= rules.pause(attempt + 1, draw)


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.3), (2, 0.6), (5, 4.8), (6, 7.0), (10, 7.0)])
def test_the_longest_pauses_are_the_rust_client_s(attempt: int, longest: float) -> None:
    assert rules.pause(attempt, 1.0) == pytest.approx(longest)
