"""cpuStress: proven by its agent on every target, by the CPU time of its workers."""

import pytest

from showstopper.api.faults.process import CpuStress, ProcessFigures
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

STRESS = registry.of_kind(CpuStress)
BUSY = ProcessFigures(
    at="2026-01-01T00:00:00.000000Z",
    processes=3,
    cpu_microseconds=1_500_000,
    stress_workers=2,
    stress_cpu_microseconds=20_000_000,
)
WORDS = "2 workers took 20.0 s of CPU time, the container's own processes 1.5 s"


def test_it_is_proven_where_workers_got_cpu_time() -> None:
    observed = Observed("busy", (ObservedTarget("a", proven=True, processes=BUSY),))
    assert STRESS.proof(observed) is None
    assert STRESS.outcome(observed) == f"proven on every target: {WORDS}"


def test_the_quota_that_held_both_back_is_told() -> None:
    held = BUSY.model_copy(update={"periods": 150, "throttled_periods": 140})
    observed = Observed("busy", (ObservedTarget("a", proven=True, processes=held),))
    assert STRESS.figures(observed) == f"{WORDS}; throttled in 140 of 150 periods"


def test_figures_alone_prove_nothing() -> None:
    finding = STRESS.proof(Observed("busy", (ObservedTarget("a", processes=BUSY),)))
    assert finding is not None
    assert (finding.reason, finding.message) == ("NoEffect", f"is not proven on a: {WORDS}")


@pytest.mark.parametrize(("load", "proven"), [(None, True), ("67%", True), ("50%", False)])
def test_more_than_the_load_is_another_one(load: str | None, proven: bool) -> None:
    """20 s of CPU time in 15 s, by two workers: two thirds of what they could take."""
    target = ObservedTarget("a", proven=True, processes=BUSY, lasted=15.0)
    fault = CpuStress.model_validate({"workers": 2} | ({"load": load} if load else {}))
    finding = STRESS.proof(Observed("busy", (target,), spec=fault))
    assert (finding is None) is proven
    if finding is not None:
        assert finding.reason == "WrongDose"
        assert "took 1.333 cores of a, and was to take 1:" in finding.message
