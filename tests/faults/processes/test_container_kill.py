"""containerKill: the processes have ended and, where listeners are asked, nothing comes from there any more."""

import pytest

from showstopper.api.faults.process import ContainerKill, ProcessFigures
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget

KILL = registry.of_kind(ContainerKill)
NOW = "2026-01-01T00:00:00.000000Z"


def target(ended: int, *, quiet: bool | None = None, gone: bool = False) -> ObservedTarget:
    figures = ProcessFigures(at=NOW, processes=2, ended=ended)
    return ObservedTarget("a", ended=ended == 2, quiet=quiet, gone=gone, processes=figures, quiet_after=0.3)


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (target(2), None),
        (target(2, quiet=True), None),
        (target(2, quiet=False), "2 of 2 processes ended, its media stopped after 0.30 s, but listeners may still get"),
        (target(1), "is not proven on a: 1 of 2 processes ended"),
        (target(1, quiet=True), "is not proven on a: 1 of 2 processes ended"),
        (target(2, gone=True), "had no target at its end"),
        (ObservedTarget("a", message="no such container"), "is not proven on a: no such container"),
    ],
)
def test_what_is_missing(seen: ObservedTarget, missing: str | None) -> None:
    finding = KILL.proof(Observed("kill", (seen,)))
    assert (finding is None) is (missing is None)
    assert finding is None or finding.message.startswith(missing or "")


def test_who_lives_on_is_said_to_have_taken_the_signal() -> None:
    finding = KILL.proof(Observed("kill", (target(1),)))
    assert finding is not None
    assert finding.message.endswith("the others took the signal and live on")
