"""What agents and records say of targets, and the figures that are made of it."""

import pytest

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.network import PacketLoss
from showstopper.api.faults.process import ContainerKill, CpuThrottle, Freeze, ProcessFigures
from showstopper.api.injection import InjectedTarget, PacketCounts, TargetState
from showstopper.api.run import TargetRecord
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

NOW, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:20.000000Z"


def packets(matched: int, affected: int) -> InjectedTarget:
    counts = PacketCounts(at=NOW, matched=matched, affected=affected)
    return InjectedTarget(uid="u", state=TargetState.ARMED, last=counts)


def processes(**figures: int) -> InjectedTarget:
    return InjectedTarget(uid="u", state=TargetState.ARMED, processes=ProcessFigures(at=NOW, **figures))


@pytest.mark.parametrize(
    ("kind", "targets", "words"),
    [
        (PacketLoss, [], "0 packets matched, 0 affected"),
        (PacketLoss, [InjectedTarget(uid="u", state=TargetState.REFUSED)], "0 packets matched, 0 affected"),
        (PacketLoss, [packets(10, 4), packets(2, 1)], "12 packets matched, 5 affected"),
        (ContainerKill, [processes(processes=3, ended=3), processes(processes=2, ended=0)], "3 of 5 processes ended"),
        (
            Freeze,
            [
                processes(processes=3, frozen_milliseconds=2950, cpu_microseconds=0),
                processes(processes=1, frozen_milliseconds=1000, cpu_microseconds=1500),
            ],
            "4 processes frozen for 1.0 s, 1.5 ms of CPU time passed meanwhile",
        ),
        (
            CpuThrottle,
            [
                processes(processes=3, periods=100, throttled_periods=90, throttled_milliseconds=7000),
                processes(processes=1, periods=50, throttled_periods=5, throttled_milliseconds=260),
            ],
            "throttled in 95 of 150 periods, 7.3 s",
        ),
    ],
)
def test_in_words(kind: type[FaultKind], targets: list[InjectedTarget], words: str) -> None:
    assert registry.of_kind(kind).figures(Observed.injected(targets)) == words


def test_of_a_record_the_times_are_seconds_after_the_call_or_the_arming() -> None:
    record = TargetRecord(
        fault="kill",
        pod="a",
        uid="u",
        requested_at="2026-01-01T00:00:00.000000Z",
        answered_at="2026-01-01T00:00:00.012000Z",
        gone_at="2026-01-01T00:00:00.520000Z",
        media_stopped_at="2026-01-01T00:00:00.300000Z",
        proven=True,
    )
    seen = ObservedTarget.recorded(record)
    assert (seen.answered_after, seen.ended_after, seen.quiet_after, seen.lasted) == (0.012, 0.52, 0.3, None)
    assert (seen.ended, seen.quiet) == (True, True)
    lasting = ObservedTarget.recorded(TargetRecord(fault="loss", pod="a", uid="u", armed_at=NOW, lifted_at=LATER))
    assert (lasting.lasted, lasting.quiet) == (20.0, None)


def test_a_target_that_nobody_looked_at_is_neither_quiet_nor_heard() -> None:
    assert ObservedTarget.injected(packets(1, 1)).quiet is None
    assert not ObservedTarget.injected(processes(processes=2, ended=1)).ended
    assert ObservedTarget.injected(processes(processes=2, ended=2)).ended
    assert not ObservedTarget.injected(processes(processes=0, ended=0)).ended
