"""When a fault let go of the packets, beside the end of its lease. Pure.

Whether a packet was touched is told by what came of it: it arrived once, in time, as it was sent, or it was touched.
What was sent later than what remained of the lease and 100 ms more must arrive untouched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import report
from bench.streams import Packet

SLOW_SECONDS = 0.1
"""On one machine a packet takes microseconds; who holds packets back in these trials does it for 300 ms."""

GRACE_SECONDS = 0.1
FEW = 50
"""Fewer packets after the lease's end show nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault whose controller was lost; moments in unix seconds.

    Attributes:
        way: how control was lost, and `lost`, when.
        lease_end: of the last renewal before.
        last_touched: the last packet that was sent of those that the fault did something to.
        after: packets that were sent later than the lease's end and the grace.
        verdict: of its run, with the reason.
    """

    way: str
    kind: str
    lost: float
    lease_end: float
    last_touched: Packet | None
    after: int
    verdict: str

    @property
    def over_lease(self) -> float | None:
        """Seconds from the lease's end to the last touched packet; negative, when it let go before."""
        return None if self.last_touched is None else self.last_touched.sent - self.lease_end

    @property
    def problem(self) -> str | None:
        """Why this trial shows nothing, or something bad; None: it shows that the fault has let go in time."""
        if self.last_touched is None:
            return "nothing was touched before control was lost"
        if self.after < FEW:
            return f"only {self.after} packets were sent after the lease"
        if self.last_touched.sent - self.lease_end > GRACE_SECONDS:
            return f"packets were touched after the lease, the last one {fate(self.last_touched)}"
        if self.verdict != "Inconclusive LeaseLost":
            return f"its run ended {self.verdict}"
        return None


def touched(packet: Packet) -> bool:
    """Whether something was done to it."""
    return len(packet.came) != 1 or not packet.intact or (packet.late or 0.0) > SLOW_SECONDS


def last_touched(packets: Iterable[Packet]) -> Packet | None:
    """The last one that was sent of those that were touched."""
    return max(filter(touched, packets), key=lambda packet: packet.sent, default=None)


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
    found: dict[str, report.Figure] = {
        "trials": len(trials),
        "worst_over_lease_ms": report.milliseconds(max(overs, default=None)),
        "leftovers": leftovers,
        "trials_with_a_problem": sum(trial.problem is not None for trial in trials),
        "kinds": len({trial.kind for trial in trials}),
        "packets_after_the_lease": sum(trial.after for trial in trials),
    }
    for way in sorted({trial.way for trial in trials}):
        own = [trial.over_lease for trial in trials if trial.way == way and trial.over_lease is not None]
        found[f"trials_{way}"] = sum(trial.way == way for trial in trials)
        found[f"worst_over_lease_{way}_ms"] = report.milliseconds(max(own, default=None))
    return found


def tell(trials: Sequence[Trial], leftovers: Sequence[str]) -> None:
    """Print every trial, and write lift.json."""
    rows = [
        [trial.way, trial.kind, trial.lease_end - trial.lost, trial.over_lease, trial.after, trial.problem or "good"]
        for trial in trials
    ]
    columns = ("control lost", "fault", "lease left s", "touched after its end s", "packets after", "")
    report.table("the last packet that was touched", columns, rows)
    for left in leftovers:
        report.console.print(f"left over: {left}")
    report.write("lift", figures(trials, len(leftovers)))
