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
