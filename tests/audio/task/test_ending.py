from showstopper.audio.task.ending import AbsoluteEnd

MONOTONIC, WALL = 1000.0, 1_790_000_000.0
END = AbsoluteEnd.at(WALL + 30, monotonic=MONOTONIC, wall=WALL)


def test_it_comes_when_it_was_said_to() -> None:
    assert not END.past(MONOTONIC + 29.9, WALL + 29.9)
    assert END.past(MONOTONIC + 30, WALL + 30)
    assert END.seconds_left(MONOTONIC + 10) == 20
    assert END.seconds_left(MONOTONIC + 31) == 0


def test_a_wall_clock_that_is_set_back_prolongs_nothing() -> None:
    assert END.past(MONOTONIC + 30, WALL - 3600)


def test_a_machine_that_slept_wakes_to_a_task_that_is_over() -> None:
    """The monotonic clock does not count the sleep; the wall clock does."""
    assert END.past(MONOTONIC + 1, WALL + 31)


def test_one_that_has_passed_is_past_at_once() -> None:
    end = AbsoluteEnd.at(WALL - 0.1, monotonic=MONOTONIC, wall=WALL)
    assert end.past(MONOTONIC, WALL)
    assert end.seconds_left(MONOTONIC) == 0
