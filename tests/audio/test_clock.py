import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.clock import SampleClock

RATE = 8000


@given(st.lists(st.floats(0, 0.4), min_size=3, max_size=200), st.floats(0, 1e6))
def test_how_late_frames_are_taken_does_not_move_the_time_of_a_sample(lateness: list[float], began: float) -> None:
    clock = SampleClock(RATE)
    lateness[1] = 0.0
    for index, late in enumerate(lateness[:90], start=1):
        clock.arrived(index * 400, began + index * 0.05 + late)
    assert clock.time_of(0) == pytest.approx(began, abs=1e-6)
    assert clock.time_of(RATE) == pytest.approx(began + 1, abs=1e-6)


def test_it_follows_a_player_that_lost_samples_within_the_envelope() -> None:
    clock = SampleClock(RATE)
    for index in range(1, 400):
        lost = 0.5 if index > 200 else 0.0
        clock.arrived(index * 400, index * 0.05 + lost)
    assert clock.time_of(0) == pytest.approx(0.5, abs=1e-6)


def test_after_a_restart_only_new_frames_count() -> None:
    clock = SampleClock(RATE)
    clock.arrived(400, 0.05)
    clock.restart()
    assert clock.started
    assert clock.time_of(0) == pytest.approx(0.0)
    clock.arrived(800, 2.1)
    assert clock.time_of(0) == pytest.approx(2.0)


def test_without_a_frame_it_has_not_started() -> None:
    assert not SampleClock(RATE).started
