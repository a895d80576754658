"""How true the measured dead air is: serving relays are killed, and listeners' reports are compared with their packets.

On the stage as `make demo` has it. Packets are captured in the network namespaces of the listener pods
(bench/capture.py), and belong to the listener that receives on their port (its feed says on which). What is compared
with what, and why, is in bench/comparing.py. Before that the same of a crowd, on a relay of its own on loopback
(bench/crowd_edges.py). Writes build/bench/accuracy.json. Needs root and the embedded cluster.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench import crowd_edges, kills, listening, report
from bench.capture import Capture
from bench.comparing import SEEN_SECONDS, Report, compare
from bench.kills import Kill, Killer
from bench.listening import Heard, Ports
from bench.packets import gaps
from dev import stage
from dev.cluster import api, endings, errors, lock, waiting
from dev.cluster.api import Cluster
from showstopper.availability.spans import Window

NAMESPACE = stage.SHOW
BEFORE_SECONDS = 3.0
"""How much of the time before a kill is looked at."""

CALM_SECONDS = 5.0
"""How long everybody must hear the host before the next kill, and after one before it is looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One listener in one kill."""

    number: int
    kill: Kill
    listener: str
    report: Report
    concealed: float
    """Seconds that the codec made up, audibly, from before the kill until after it."""
    unknown: float


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10, help="how many relays to kill")
    parser.add_argument("--by-hand", action="store_true", help="delete the pod without the operator's run")
    parser.add_argument("--freezes", type=int, default=10, help="how often to stop the relay of a crowd")
    arguments = parser.parse_args()
    crowd = crowd_edges.figures(crowd_edges.run(arguments.freezes))
    cluster = api.ensure_embedded()
    with lock.held("stage"):
        stage.install(cluster)
    killer = kills.by_hand(cluster, NAMESPACE) if arguments.by_hand else kills.by_run(cluster, NAMESPACE, stage.ROOM)
    outcomes: list[Outcome] = []
    try:
        for kill_outcomes in measure(cluster, killer, arguments.kills):
            outcomes += kill_outcomes
    finally:
        tell(outcomes, crowd)  # what was measured before somebody stopped it, too


def measure(cluster: Cluster, killer: Killer, count: int) -> Iterator[list[Outcome]]:
    """Kill the serving relay `count` times, with all packets captured: what came of each, one kill at a time.

    A kill that did not happen, because its run ended before, is said and not counted.
    """
    pods = _pods(cluster)
    addresses = {name: address for name, (_, address) in pods.items()}
    with Capture.in_pods({name: uid for name, (uid, _) in pods.items()}) as capture, Ports(addresses) as ports:
        for number in range(1, count + 1):
            before = calm(cluster, addresses, since=0.0)
            try:
                kill = killer(number, before.values())
            except errors.ClusterError as error:
                report.console.print(f"kill {number}: {error}")
                continue
            after = calm(cluster, addresses, since=kill.at)
            window = Window(kill.at - BEFORE_SECONDS, min(resident.known_until for resident in after.values()))
            outcomes = []
            for name, resident in sorted(after.items()):
                pod = name.partition("/")[0]
                packets = [each for each in capture.packets(pod, window.start) if each.port in ports.of(name)]
                captured = [gap for gap in gaps(packets, longer_than=SEEN_SECONDS) if gap.end <= window.end]
                concealed = resident.concealed_seconds - before[name].concealed_seconds
                comparison = compare(captured, resident.outages(window))
                outcomes.append(Outcome(number, kill, name, comparison, concealed, resident.unknown(window)))
            rows = [row for outcome in outcomes for row in _rows(outcome)]
            report.table(f"kill {number}: {kill.pod} {kill.verdict}", COLUMNS, rows)
            yield outcomes


def calm(cluster: Cluster, addresses: Mapping[str, str], *, since: float) -> dict[str, Heard]:
    """What each resident reports, once all hear the host for a while (looking from `since` on), relays ready.

    A kill may split the room for good. Then the stage is started afresh. Until it is heard, all of it is dead air.
    """
    residents: dict[str, Heard] = {}

    def is_calm() -> bool:
        now = time.time()
        residents.clear()
        try:
            residents.update(
                {resident.listener: resident for address in addresses.values() for resident in listening.read(address)}
            )
        except OSError:  # it answers the next time
            return False
        if not all(
            resident.live_since is not None and now - resident.live_since > CALM_SECONDS
            for resident in residents.values()
        ):
            return False
        return now - since > CALM_SECONDS + BEFORE_SECONDS and _relays_ready(cluster)

    try:
        waiting.until(is_calm, "not all listeners hear the host again", seconds=stage.SPLIT_SECONDS, every=1)
    except errors.NotReadyError as error:
        report.console.print(str(error))
        stage.start_afresh(cluster, namespace=NAMESPACE)
        waiting.until(is_calm, "not all listeners hear the host again", seconds=stage.ROOM_SECONDS, every=1)
    return residents


def _relays_ready(cluster: Cluster) -> bool:
    status = cluster.get("--namespace", NAMESPACE, "deployment", "relay")["status"]
    return bool(status.get("readyReplicas", 0) >= 2)


def _pods(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """UID and address of each listener pod, by name."""
    chosen = f"--selector=showstopper.dev/room={stage.ROOM},showstopper.dev/role=listener"
    pods = cluster.get("--namespace", NAMESPACE, "pods", chosen)["items"]
    if not pods:
        raise errors.ClusterError(f"room {NAMESPACE}/{stage.ROOM} has no listeners")
    return {pod["metadata"]["name"]: (pod["metadata"]["uid"], pod["status"]["podIP"]) for pod in pods}


COLUMNS = (
    "listener",
    "captured s",
    "missing s",
    "difference s",
    "heard s",
    "made up s",
    "starts late",
    "ends late",
    "",
)


def _rows(outcome: Outcome) -> list[list[object]]:
    rows: list[list[object]] = []
    for outage in outcome.report.compared:
        figures = [outage.captured, outage.missing, outage.missing - outage.captured, outage.heard, outcome.concealed]
        rows.append(
            [outcome.listener, *figures, outage.starts_late, outage.ends_late, f"unknown {outage.unknown:.2f} s"]
        )
    rows += [
        [outcome.listener, gap.seconds, None, None, None, outcome.concealed, None, None, "missed"]
        for gap in outcome.report.missed
    ]
    rows += [
        [outcome.listener, None, outage.missing, None, outage.dead_air, outcome.concealed, None, None, "invented"]
        for outage in outcome.report.invented
    ]
    return rows or [[outcome.listener, *[None] * 7, "nothing happened"]]


def figures(outcomes: list[Outcome]) -> dict[str, report.Figure]:
    """The flat object of accuracy.json. Lengths are in milliseconds."""
    compared = [outage for outcome in outcomes for outage in outcome.report.compared]
    differences = [outage.difference for outage in compared]
    seen = [outage.difference for outage in compared if not outage.unknown]

    def middle(values: list[float]) -> float | None:
        return report.milliseconds(report.percentile(values, 0.5))

    return {
        "p95_difference_ms": report.milliseconds(report.percentile(differences, 0.95)),
        "max_difference_ms": report.milliseconds(max(differences, default=None)),
        "missed": sum(len(outcome.report.missed) for outcome in outcomes),
        "invented": sum(len(outcome.report.invented) for outcome in outcomes),
        "kills": len({outcome.number for outcome in outcomes}),
        "compared": len(compared),
        "fully_seen": len(seen),
        "fully_seen_max_difference_ms": report.milliseconds(max(seen, default=None)),
        "p50_difference_ms": middle(differences),
        "captured_p50_ms": middle([outage.captured for outage in compared]),
        "packets_missing_p50_ms": middle([outage.missing for outage in compared]),
        "silence_heard_p50_ms": middle([outage.heard for outage in compared]),
        "concealed_p50_ms": middle([outcome.concealed for outcome in outcomes if outcome.report.compared]),
        "silence_starts_late_p50_ms": middle([outage.starts_late for outage in compared]),
        "sound_returns_late_p50_ms": middle([outage.ends_late for outage in compared]),
        "unknown_seconds": round(sum(outcome.unknown for outcome in outcomes), 3),
    }


def tell(outcomes: list[Outcome], crowd: Mapping[str, report.Figure]) -> None:
    """Print all and write accuracy.json, with the figures of a crowd."""
    report.write("accuracy", {**figures(outcomes), **crowd})
    details = [
        {
            "kill": outcome.number,
            "pod": outcome.kill.pod,
            "verdict": outcome.kill.verdict,
            "listener": outcome.listener,
            "captured": outage.captured,
            "missing": outage.missing,
            "heard": outage.heard,
            "made_up": outcome.concealed,
            "starts_late": outage.starts_late,
            "ends_late": outage.ends_late,
            "unknown": outage.unknown,
        }
        for outcome in outcomes
        for outage in outcome.report.compared
    ]
    (report.FOLDER / "accuracy-details.json").write_text(json.dumps(details, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(endings.run(main))
