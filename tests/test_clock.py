"""The operator's clock: it follows steps of the wall clock, counts them, and moves with the monotonic one else."""

import pytest

from showstopper import clock
from showstopper.clock import Clock


class Machine:
    """A machine whose two clocks are set by hand. `slow`: how long one look at a clock takes."""

    def __init__(self) -> None:
        self.elapsed, self.ahead, self.slow = 1000.0, 1.79e9, 0.0

    def monotonic(self) -> float:
        self.elapsed += self.slow
        return self.elapsed

    def time(self) -> float:
        return self.elapsed + self.ahead


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "time", made)
    return made


def test_it_moves_with_the_machine(machine: Machine) -> None:
    ours = Clock()
    machine.elapsed += 60
    assert ours.now() == machine.time()
    assert ours.steps == 0


@pytest.mark.parametrize("by", [30.0, -3600.0, 0.5])
def test_it_follows_a_step_and_counts_it(machine: Machine, by: float) -> None:
    """An operator that started before its node had the time runs cron, windows and ages right from then on."""
    ours = Clock()
    machine.ahead += by
    assert ours.now() == pytest.approx(machine.time(), abs=1e-3)
    ours.now()
    assert ours.steps == 1


def test_a_reading_that_was_interrupted_is_no_step(machine: Machine) -> None:
    ours = Clock()
    machine.slow = 0.3
    ours.now()
    assert ours.steps == 0


def test_a_steady_clock_keeps_its_distances(machine: Machine) -> None:
    steady = Clock().steady()
    began = steady.now()
    machine.ahead += 30
    machine.elapsed += 5
    assert steady.now() - began == pytest.approx(5)
    assert steady.steps == 0
