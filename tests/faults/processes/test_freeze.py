"""freeze: proven by its agent on every target."""

from showstopper.api.faults.process import Freeze, ProcessFigures
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

FREEZE = registry.of_kind(Freeze)
FROZEN = ProcessFigures(at="2026-01-01T00:00:00.000000Z", processes=3, frozen_milliseconds=2950, cpu_microseconds=0)
WORDS = "3 processes frozen for 3.0 s, 0 ms of CPU time passed meanwhile"


def test_it_is_proven_where_no_time_passes_in_the_container() -> None:
    observed = Observed("still", (ObservedTarget("a", proven=True, processes=FROZEN),))
    assert FREEZE.proof(observed) is None
    assert FREEZE.outcome(observed) == f"proven on every target: {WORDS}"


def test_figures_alone_prove_nothing() -> None:
    finding = FREEZE.proof(Observed("still", (ObservedTarget("a", processes=FROZEN),)))
    assert finding is not None
    assert finding.message == f"is not proven on a: {WORDS}"
