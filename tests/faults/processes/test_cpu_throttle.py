"""cpuThrottle: proven by its agent on every target, by throttled periods."""

from showstopper.api.faults.process import CpuThrottle, ProcessFigures
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

THROTTLE = registry.of_kind(CpuThrottle)
NOW = "2026-01-01T00:00:00.000000Z"
THROTTLED = ProcessFigures(at=NOW, processes=3, periods=150, throttled_periods=140, throttled_milliseconds=12_340)
IDLE = ProcessFigures(at=NOW, processes=3, periods=20, throttled_periods=0, throttled_milliseconds=0)


def test_it_is_proven_where_every_target_had_to_wait() -> None:
    targets = (
        ObservedTarget("a", proven=True, processes=THROTTLED),
        ObservedTarget("b", proven=True, processes=THROTTLED),
    )
    observed = Observed("starved", targets)
    assert THROTTLE.proof(observed) is None
    assert THROTTLE.outcome(observed) == "proven on every target: throttled in 280 of 300 periods, 24.7 s"


def test_a_target_that_never_waited_lacks_the_proof() -> None:
    targets = (ObservedTarget("a", proven=True, processes=THROTTLED), ObservedTarget("b", processes=IDLE))
    finding = THROTTLE.proof(Observed("starved", targets))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message == "is not proven on b: throttled in 0 of 20 periods, 0.0 s"


def test_more_cpu_than_the_limit_is_another_limit() -> None:
    """A tenth of a core for 15 s is 1.5 s of CPU time."""
    for seconds, proven in ((1.5, True), (1.6, True), (3.0, False)):
        figures = THROTTLED.model_copy(update={"cpu_microseconds": round(seconds * 1e6)})
        target = ObservedTarget("a", proven=True, processes=figures, lasted=15.0)
        finding = THROTTLE.proof(Observed("starved", (target,), spec=CpuThrottle(limit="100m")))
        assert (finding is None) is proven
    assert finding is not None
    assert finding.reason == "WrongDose"
    assert finding.message.startswith("let the container of a take 0.200 cores, and its limit is 0.1")
