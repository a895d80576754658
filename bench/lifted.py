"""When a fault let go, beside the end of its lease. Pure.

Whether a packet was touched is told by what came of it: it arrived once, in time, as it was sent, or it was touched.
Other faults are felt in other ways (bench/senses.py). Nothing may be felt later than what remained of the lease and
100 ms more, or 1 s more for what the watchdog has to put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import report
from bench.streams import Packet

SLOW_SECONDS = 0.1
"""On one machine a packet takes microseconds. Whoever holds packets back in these trials does it for 300 ms."""

GRACE_SECONDS = 0.1
"""What the kernel, a host or a door lets go of by itself."""

WATCHDOG_SECONDS = 1.0
"""What the watchdog puts back."""

FEW = 50
"""Fewer looks after the lease's end show nothing."""

LOST = frozenset({"Inconclusive LeaseLost"})
"""How a run ends of whose faults control was lost."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A moment at which a fault was felt, in unix seconds, and how, for a person: "a packet was lost"."""

    at: float
    how: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault whose controller was lost. Moments are in unix seconds.

    Attributes:
        way: how control was lost, and `lost`, when.
        lease_end: of the last renewal before.
        last: when it was felt last.
        after: looks, such as packets that were sent, later than the lease's end and the grace.
        verdict: of its run, with the reason.
        grace: for how long after the lease it may be felt.
        verdicts: that its run may have.
    """

    way: str
    kind: str
    lost: float
    lease_end: float
    last: Touch | None
    after: int
    verdict: str
    grace: float = GRACE_SECONDS
    verdicts: frozenset[str] = LOST

    @property
    def over_lease(self) -> float | None:
        """Seconds from the lease's end to when it was felt last. Negative if it let go before."""
        return None if self.last is None else self.last.at - self.lease_end

    @property
    def problem(self) -> str | None:
        """Why this trial shows nothing, or something bad. None if it shows that the fault let go in time."""
        if self.last is None:
            return "nothing was felt before control was lost"
        if self.after < FEW:
            return f"only {self.after} looks after the lease"
        if self.last.at - self.lease_end > self.grace:
            return f"it was felt after the lease: {self.last.how}"
        if self.verdict not in self.verdicts:
            return f"its run ended {self.verdict}"
        return None


def touched(packet: Packet) -> bool:
    """Whether something was done to it."""
    return len(packet.came) != 1 or not packet.intact or (packet.late or 0.0) > SLOW_SECONDS


def last_touched(packets: Iterable[Packet]) -> Touch | None:
    """The last one that was sent of those that were touched."""
    last = max(filter(touched, packets), key=lambda packet: packet.sent, default=None)
    return None if last is None else Touch(last.sent, f"a packet {fate(last)}")


def fate(packet: Packet) -> str:
    """What came of it, for a person: "came after 0.131 s"."""
    if packet.late is None:
        return "was lost"
    if not packet.intact:
        return "was changed"
    times = f" {len(packet.came)} times," if len(packet.came) > 1 else ""
    return f"came{times} after {packet.late:.3f} s"


def last_renewal(before: float, after: float, lost: float) -> float:
    """The last renewal that counts: of the two that were seen just before and just after control was lost."""
    return after if after <= lost else before


def figures(trials: Sequence[Trial], leftovers: int) -> dict[str, report.Figure]:
    """The flat object of lift.json."""
    overs = [over for trial in trials if (over := trial.over_lease) is not None]
    summary: dict[str, report.Figure] = {
        "trials": len(trials),
        "worst_over_lease_ms": report.milliseconds(max(overs, default=None)),
        "leftovers": leftovers,
        "trials_with_a_problem": sum(trial.problem is not None for trial in trials),
        "kinds": len({trial.kind for trial in trials}),
        "looks_after_the_lease": sum(trial.after for trial in trials),
    }
    for way in sorted({trial.way for trial in trials}):
        own = [trial.over_lease for trial in trials if trial.way == way and trial.over_lease is not None]
        summary[f"trials_{way}"] = sum(trial.way == way for trial in trials)
        summary[f"worst_over_lease_{way}_ms"] = report.milliseconds(max(own, default=None))
    return summary


def tell(trials: Sequence[Trial], leftovers: Sequence[str]) -> None:
    """Print every trial, and write lift.json."""
    rows = [
        [trial.way, trial.kind, trial.lease_end - trial.lost, trial.over_lease, trial.after, trial.problem or "good"]
        for trial in trials
    ]
    columns = ("control lost", "fault", "lease left s", "felt after its end s", "looks after", "")
    report.table("when each fault was felt last", columns, rows)
    for left in leftovers:
        report.console.print(f"left over: {left}")
    report.write("lift", figures(trials, len(leftovers)))
