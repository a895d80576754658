"""What proves a fault, in words."""

import pytest

from showstopper.api.injection import InjectedTarget, PacketCounts, TargetState
from showstopper.api.process import ProcessFigures
from showstopper.faults.figures import tally

NOW = "2026-01-01T00:00:00.000000Z"


def packets(matched: int, affected: int) -> InjectedTarget:
    counts = PacketCounts(at=NOW, matched=matched, affected=affected)
    return InjectedTarget(uid="u", state=TargetState.ARMED, last=counts)


def processes(**figures: int) -> InjectedTarget:
    return InjectedTarget(uid="u", state=TargetState.ARMED, processes=ProcessFigures(at=NOW, **figures))


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([], "0 packets matched, 0 affected"),
        ([InjectedTarget(uid="u", state=TargetState.REFUSED)], "0 packets matched, 0 affected"),
        ([packets(10, 4), packets(2, 1)], "12 packets matched, 5 affected"),
        ([processes(processes=3, ended=3), processes(processes=2, ended=0)], "3 of 5 processes ended"),
        (
            [
                processes(processes=3, frozen_milliseconds=2950, cpu_microseconds=0),
                processes(processes=1, frozen_milliseconds=1000, cpu_microseconds=1500),
            ],
            "4 processes frozen for 1.0 s, 1.5 ms of CPU time passed meanwhile",
        ),
    ],
)
def test_in_words(targets: list[InjectedTarget], words: str) -> None:
    assert tally(targets) == words
