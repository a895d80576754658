"""Throttle: conditions are written soon, figures seldom, and what is the same never."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.room import AudioRoomStatus
from showstopper.engine.rooms import status, throttle
from showstopper.engine.rooms.status import Figures
from tests.engine.rooms.build import room
from tests.engine.rooms.test_status import HALF, NOW, WELL

LIVE = status.compose(room(), WELL, Figures("100%"), NOW)
BROKEN = status.compose(room(), replace(WELL, hearing=HALF), Figures("100%"), NOW + 1)


@given(st.floats(0, 1e6))
def test_what_is_the_same_is_never_written(seconds: float) -> None:
    later = status.compose(room().model_copy(update={"status": LIVE}), WELL, Figures("100%"), NOW + seconds)
    assert later.measured_at != LIVE.measured_at or seconds < 1e-5
    assert not throttle.due(LIVE, later, seconds)


def test_a_change_of_conditions_is_written_at_most_once_a_second() -> None:
    assert not throttle.due(LIVE, BROKEN, 0.9)
    assert throttle.due(LIVE, BROKEN, 1.0)
    assert throttle.due(AudioRoomStatus(), LIVE, float("inf"))


def test_figures_are_written_at_most_every_ten_seconds() -> None:
    other = LIVE.model_copy(update={"audible": "99.9%"})
    assert not throttle.due(LIVE, other, 9.9)
    assert throttle.due(LIVE, other, 10.0)


def test_a_new_generation_is_answered_at_once_for_kstatus_waits_for_it() -> None:
    assert throttle.due(LIVE, LIVE.model_copy(update={"observed_generation": 2}), 1.0)


def test_a_message_alone_is_no_more_urgent_than_a_figure() -> None:
    changed = [condition.model_copy(update={"message": "other"}) for condition in LIVE.conditions]
    other = LIVE.model_copy(update={"conditions": changed})
    assert not throttle.due(LIVE, other, 5.0)
    assert throttle.due(LIVE, other, 10.0)
