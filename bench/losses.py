"""The moments of one run that loses packets and is aborted: from its record, and from the packets. Pure. Unix seconds.

The first matched packet is the first one that was sent and never came: so the wire says, not the agent that is
measured. What the agent says of it is kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import report
from showstopper.clock import from_timestamp

ORDER = ("created", "asked", "armed", "matched", "told", "aborted", "clean")
"""On the way: the run exists, the Injection does, the node's kernel has the rules, the first packet is lost, the agent
has said so, somebody sets `spec.abort`, and the run says that nothing of the fault is left."""


@dataclass
class LossTiming:
    """One run. `accepted` is when the API's answer to the apply was there."""

    revision: str
    accepted: float = 0.0
    run: str = ""
    moments: dict[str, float] = field(default_factory=dict)
    verdict: str | None = None
    message: str = ""

    def seen(self, run: Mapping[str, Any], at: float) -> None:
        """Take what the watch said of the run at `at`."""
        status = run.get("status", {})
        self.run = run["metadata"]["name"]
        self.moments.setdefault("created", at)
        looked = any(step["name"] == "Reverting" and step.get("completedAt") for step in status.get("steps", []))
        faults = status.get("faults", [])
        if looked and faults and all(fault.get("reverted") for fault in faults):
            self.moments.setdefault("clean", at)
        if status.get("verdict"):
            self.verdict, self.message = status["verdict"], status.get("message", "")

    def asked(self, injection: Mapping[str, Any], at: float) -> None:
        """Take what the watch said of its Injection at `at`."""
        self.moments.setdefault("asked", at)
        for target in injection.get("status", {}).get("targets", []):
            if target.get("armedAt"):
                self.moments["armed"] = from_timestamp(target["armedAt"])
            if target.get("first"):
                self.moments.setdefault("told", at)

    def after_apply(self, moment: str) -> float | None:
        """Seconds from the apply's acceptance to a moment of `ORDER`."""
        at = self.moments.get(moment)
        return None if at is None else at - self.accepted

    @property
    def clean_after(self) -> float | None:
        """Seconds from the accepted abort until the run says that everything was looked for, and nothing is left."""
        aborted, clean = self.moments.get("aborted"), self.moments.get("clean")
        return None if aborted is None or clean is None else clean - aborted


def figures(timings: Sequence[LossTiming]) -> dict[str, report.Figure]:
    """What latency.json says of them, in milliseconds."""
    matched = _after(timings, "matched")
    clean = [seconds for timing in timings if (seconds := timing.clean_after) is not None]
    latencies: dict[str, report.Figure] = {
        "packet_loss_p50_ms": report.milliseconds(report.percentile(matched, 0.5)),
        "packet_loss_p95_ms": report.milliseconds(report.percentile(matched, 0.95)),
        "packet_loss_max_ms": report.milliseconds(max(matched, default=None)),
        "abort_clean_p50_ms": report.milliseconds(report.percentile(clean, 0.5)),
        "abort_clean_p95_ms": report.milliseconds(report.percentile(clean, 0.95)),
        "abort_clean_max_ms": report.milliseconds(max(clean, default=None)),
        "loss_runs": len(timings),
        "loss_runs_without_a_match": len(timings) - len(matched),
        "loss_runs_not_clean": len(timings) - len(clean),
    }
    for moment in ORDER[: ORDER.index("aborted")]:
        latencies[f"loss_{moment}_p50_ms"] = report.milliseconds(report.percentile(_after(timings, moment), 0.5))
    return latencies


def tell(timings: Sequence[LossTiming]) -> None:
    """Print where the time goes, in the slowest runs too."""
    by_speed = sorted(timings, key=lambda timing: timing.after_apply("matched") or float("inf"))
    chosen = [by_speed[0], by_speed[len(by_speed) // 2], *by_speed[2:][-5:]] if by_speed else []
    rows = [[timing.revision, *map(timing.after_apply, ORDER), timing.verdict] for timing in chosen]
    report.table("seconds after the apply: fastest, median, slowest five", ("run", *ORDER, "verdict"), rows)
    for message in sorted({f"{timing.verdict}: {timing.message}" for timing in timings if timing.clean_after is None}):
        report.console.print(f"not clean: {message}")


def _after(timings: Iterable[LossTiming], moment: str) -> list[float]:
    return [seconds for timing in timings if (seconds := timing.after_apply(moment)) is not None]
