"""How many joins a second one core makes at a real relay, each let in at its first try, and whether it counts right.

On one machine, on loopback: the relay and the host on one core, the storm on another. The rate is raised step by step,
each at a relay of its own, for as long as the room bears it: everybody gets in, and is answered within a second. What
is counted is compared with the relay's own log, by identity. Writes build/bench/storm.json.

`lk load-test`, LiveKit's own, takes no more than 10 joins a second, whatever it is told, and tries each up to ten times
before it counts as an error (livekit/livekit-cli at 0c084e2a, pkg/loadtester/loadtest.go, NewLoadTest, and
loadtester.go). It stands beside ours by that cap.

With one core, or with other work on the machine, the figures are not worth much: the load average stands beside them.
`--seconds 2 --rates 20 40` tries it in a minute.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import crowd, relay_record, report
from bench.loopback import Loopback, loopback
from bench.report import Figure
from dev.cluster import endings, packages, progress

RATES = (40, 60, 80, 100, 120, 150, 200, 300, 400)
SECONDS = 6.0
"""Of joins at each rate: longer than a join may take, so that a queue that grows is seen."""

BORNE_SECONDS = 1.0
"""Whoever waits longer for an answer waits in a queue that grows. Our choice."""

STRANGERS = 100
LK_LOAD_TEST = 10
"""Joins a second that `lk load-test` makes at the most."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of storm: the options of bench/storm_process.py, and what the relay's log says of who got in."""

    name: str
    options: tuple[str, ...]
    counted_as: str


KINDS = (
    Kind("full_hidden", ("--hidden",), relay_record.ACTIVE),
    Kind("full_visible", (), relay_record.ACTIVE),
    Kind("signalling_hidden", ("--hidden", "--signalling"), relay_record.STARTED),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A storm at one rate.

    Attributes:
        rate: joins a second that were asked for.
        said: what bench/storm_process.py says.
        miscounted: visitors who are in by our count or by the relay's, and not by the other's.
    """

    rate: float
    said: dict[str, Any]
    miscounted: int

    @property
    def borne(self) -> bool:
        """Whether the room took it: everybody got in at the first try, and was answered soon."""
        said = self.said
        if said["let_in"] < said["visitors"] or not said["is_as_asked"]:
            return False
        return bool(said["upgraded"]["p95"] <= BORNE_SECONDS)

    @property
    def per_second(self) -> float:
        """Joins a second that got in, from the first call to the end of the last join."""
        return float(self.said["let_in"] / self.said["seconds"]) if self.said["seconds"] else 0.0

    @property
    def refused_percent(self) -> float:
        """Share of the visitors who were not let in at their first try."""
        return 100 * (1 - float(self.said["let_in"]) / float(self.said["visitors"]))


def step(running: Loopback, core: int, kind: Kind, rate: float, seconds: float) -> Step:
    """One storm, and what the relay counts of it."""
    visitors = max(1, round(rate * seconds))
    said = crowd.storm(running, core, visitors, *kind.options, f"--rate={rate}")
    theirs = relay_record.who_joined(running.relay.log, kind.counted_as, "storm-")
    return Step(rate, said, len(theirs ^ set(said["identities"])))


def climb(folder: Path, near: int, far: int, kind: Kind, rates: Sequence[float], seconds: float) -> list[Step]:
    """Storms at higher and higher rates, until the room does not bear one."""
    steps: list[Step] = []
    for rate in rates:
        with loopback(folder, far) as running, progress.step(f"{kind.name}: {rate:g} joins a second"):
            steps.append(step(running, near, kind, rate, seconds))
        if not steps[-1].borne:
            break
    return steps


def strangers(folder: Path, near: int, far: int) -> Step:
    """A storm with a wrong key: all of it is refused, and the relay lets nobody in."""
    with loopback(folder, far) as running, progress.step(f"{STRANGERS} joins with a wrong key"):
        room = dataclasses.replace(running.room, secret="not-the-secret-that-the-relay-has")
        said = crowd.storm(running, near, STRANGERS, "--signalling", f"--rate={RATES[0]}", room=room)
        theirs = relay_record.who_joined(running.relay.log, relay_record.STARTED, "storm-")
    return Step(RATES[0], said, len(theirs ^ set(said["identities"])))


def figures(climbs: dict[str, list[Step]], refused: Step) -> dict[str, Figure]:
    """What build/bench/storm.json has."""
    summary: dict[str, Figure] = {}
    for name, steps in climbs.items():
        summary |= {f"{name}_{key}": value for key, value in of_kind(steps).items()}
    all_steps = [each for steps in climbs.values() for each in steps]
    best = summary.get("full_hidden_joins_per_second")
    return {
        "joins_per_second_per_core": best,
        "miscounted": sum(each.miscounted for each in (*all_steps, refused) if each.borne or each is refused),
        "miscounted_in_overload": sum(each.miscounted for each in all_steps if not each.borne),
        "wrong_key_refused_at_first_percent": round(refused.refused_percent, 1),
        "lk_load_test_joins_per_second": LK_LOAD_TEST,
        "ratio_to_lk_load_test": round(best / LK_LOAD_TEST, 1) if isinstance(best, float) else None,
        **summary,
    }


def of_kind(steps: Sequence[Step]) -> dict[str, Figure]:
    """Of one kind of storm: the fastest that was borne, and the first that was not."""
    best = next((each for each in reversed(steps) if each.borne), None)
    over = next((each for each in steps if not each.borne), None)
    summary: dict[str, Figure] = {"joins_per_second": None}
    if best is not None:
        summary = {
            "joins_per_second": round(best.per_second, 1),
            "visitors": best.said["visitors"],
            "answer_p50_ms": _ms(best.said["upgraded"], "p50"),
            "answer_p95_ms": _ms(best.said["upgraded"], "p95"),
            "connected_p95_ms": _ms(best.said["connected"], "p95"),
            "first_packet_p95_ms": _ms(best.said["first_packet"], "p95"),
            "own_ms_per_join": round(best.said["own_ms_per_join"], 2),
            "own_busy_percent": round(best.said["own_busy_percent"]),
        }
    if over is not None:
        summary |= {
            "not_borne_at": over.rate,
            "not_borne_refused_percent": round(over.refused_percent, 1),
            "not_borne_answer_p95_ms": _ms(over.said["upgraded"], "p95"),
        }
    return summary


def show(climbs: dict[str, list[Step]]) -> None:
    """The table for people."""
    rows: list[tuple[object, ...]] = [
        (
            f"ours, {name.replace('_', ', ')}",
            f"{each.rate:g}",
            round(each.per_second, 1),
            _ms(each.said["upgraded"], "p50"),
            _ms(each.said["upgraded"], "p95"),
            f"{each.refused_percent:.1f} %",
            each.miscounted,
        )
        for name, steps in climbs.items()
        for each in steps
    ]
    rows.append(("lk load-test (its cap)", LK_LOAD_TEST, LK_LOAD_TEST, None, None, "of ten tries each", None))
    report.table(
        "Joins from one core, at a relay on one core",
        ("joins", "asked a second", "in a second", "answer p50 ms", "p95 ms", "refused at first", "miscounted"),
        rows,
    )


def _ms(latency: dict[str, float] | None, which: str) -> float | None:
    return None if latency is None else report.milliseconds(latency[which])


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `make bench-storm`."""
    parser = argparse.ArgumentParser(prog="bench.storm", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="joins a second, one after the other")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of joins at each rate")
    chosen = parser.parse_args(arguments)
    packages.ensure(crowd.NEEDS)
    cores = sorted(os.sched_getaffinity(0))
    near, far = cores[0], cores[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        climbs = {kind.name: climb(folder, near, far, kind, chosen.rates, chosen.seconds) for kind in KINDS}
        refused = strangers(folder, near, far)
    show(climbs)
    report.write("storm", figures(climbs, refused))


if __name__ == "__main__":
    sys.exit(endings.run(main))
