"""Skew: clocks of host and listeners that are too far apart for a verdict."""

from showstopper.engine.rooms.skew import ClockSkew


def test_clocks_that_are_a_little_apart_are_no_trouble() -> None:
    skew = ClockSkew()
    skew.look(100.0, 30.0, {"a": 30.65, "b": 28.5})
    assert skew.since(0.0) is None


def test_a_step_of_either_clock_is_remembered_with_the_pod() -> None:
    skew = ClockSkew()
    skew.look(100.0, 0.0, {"a": 0.1, "b": -3.0})
    skew.look(101.0, 0.0, {"a": 0.1, "b": 0.0})
    assert skew.since(99.0) == "the clock of the host's node and that of listener pod b are 3.0 s apart"
    assert skew.since(100.5) is None, "before this run"


def test_a_clock_that_nobody_knows_is_not_compared() -> None:
    skew = ClockSkew()
    skew.look(100.0, None, {"a": 50.0})
    skew.look(100.0, 50.0, {})
    assert skew.since(0.0) is None
