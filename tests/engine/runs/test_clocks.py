"""Clocks: a record whose times are of two clocks is found out by the clocks of listeners."""

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs import clocks
from tests.support import build


def run() -> ExperimentRun:
    made = build.run()
    made.status.clock_witnesses = clocks.witnesses({"a": (1000.0, 0.02), "b": (500.0, 0.4)})
    return made


def test_the_best_known_clocks_are_the_witnesses() -> None:
    many = {str(number): (float(number), number / 10) for number in range(5)}
    assert [witness.boot for witness in clocks.witnesses(many)] == ["0", "1", "2"]


def test_a_better_reading_is_no_step() -> None:
    assert clocks.moved(run(), {"a": (1000.01, 0.001), "b": (500.5, 0.01)}, 60) is None


@pytest.mark.parametrize("by", [2.0, -30.0])
def test_an_operator_with_another_clock_is_found_out(by: float) -> None:
    assert clocks.moved(run(), {"a": (1000.0 + by, 0.001)}, 60) == by


def test_a_listener_that_started_anew_is_no_witness_any_more() -> None:
    assert clocks.moved(run(), {"c": (1.0, 0.001)}, 60) is None


def test_an_hour_of_slewing_is_no_step() -> None:
    assert clocks.moved(run(), {"a": (1001.5, 0.001)}, 3600) is None
