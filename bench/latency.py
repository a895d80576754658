"""How fast a run acts: from an accepted apply to the answered delete call or the first lost packet, and back.

Each of 100 runs is an Experiment with a new `revision`, without baseline and recovery, that kills one of three pods
which do not serve, on an idle stage (bench/spare.py). Other rooms are put away meanwhile. The apply is a
server-side apply through our own client (kubectl alone costs 100 ms to start). The clock starts when its answer is
here. The answered delete call is the operator's own note on the same machine's clock, and is checked against a watch of
the pods. 100 more runs lose all packets that come to a pod which is sent 250 a second (bench/losing.py). The first lost
one tells when, and each of these runs is aborted. Afterwards the operator is watched at rest (bench/rest.py). Writes
build/bench/latency.json and rest.json.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable

from bench import losing, losses, report, rest, spare
from bench.losses import LossTiming
from bench.timings import ORDER, Timing
from bench.watching import watched
from dev import stage
from dev.cluster import api, endings, errors, lock, progress
from dev.cluster.api import Cluster
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import DEPLOYMENT, EXPERIMENT, EXPERIMENT_RUN, POD
from showstopper.cluster.watch import WatchEvent, watch
from showstopper.errors import ShowstopperError

RUN_SECONDS = 60.0
CALM_SECONDS = 0.5
"""How long everything stands still between a verdict and the next apply."""


class Observer:
    """Watches runs and pods, and notes when what became visible."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._timings: dict[str, Timing] = {}
        self._news = asyncio.Event()
        self._deleted: dict[str, float] = {}

    async def runs(self) -> None:
        """Watch the runs, for ever."""
        async for event, run in watch(self._client, EXPERIMENT_RUN, spare.NAMESPACE):
            at = time.time()
            if not event.exists:
                continue
            timing = self._timings.get(run["spec"]["experiment"].get("revision", ""))
            if timing is not None:
                timing.seen(run, at)
                self._news.set()

    async def pods(self) -> None:
        """Watch the spare pods, for ever."""
        async for event, pod in watch(self._client, POD, spare.NAMESPACE, labels=spare.LABELS):
            if event is WatchEvent.DELETED or "deletionTimestamp" in pod.get("metadata", {}):
                self._deleted.setdefault(pod["metadata"]["name"], time.time())

    async def run(self, revision: str) -> Timing:
        """Apply the experiment in that revision, and wait for the verdict of its run."""
        timing = self._timings[revision] = Timing(revision)
        await self._client.apply(EXPERIMENT, spare.kill(revision))
        timing.accepted = time.time()
        async with asyncio.timeout(RUN_SECONDS):
            while timing.verdict is None:
                self._news.clear()
                await self._news.wait()
        timing.deleted = self._deleted.get(timing.pod)
        return timing

    async def calm(self) -> None:
        """Until all spares are ready again, and a while longer."""
        async with asyncio.timeout(RUN_SECONDS):
            while True:
                status = (await self._client.get(DEPLOYMENT, spare.NAMESPACE, spare.SPARE))["status"]
                if status.get("readyReplicas") == spare.REPLICAS == status.get("replicas"):
                    break
                await asyncio.sleep(0.2)
        await asyncio.sleep(CALM_SECONDS)


async def measure(cluster: Cluster, count: int, timings: list[Timing]) -> None:
    """Run so many experiments, one after another, and add their timings."""
    series = f"{time.time():.0f}"
    async with await Client.connect(cluster.kubeconfig) as client:
        observer = Observer(client)
        async with watched(observer.runs(), observer.pods()):
            with progress.step("Running experiments") as step:
                for number in range(1, count + 1):
                    step.say(f"{number} of {count}")
                    await observer.calm()
                    timings.append(await observer.run(f"{series}-{number}"))


def figures(timings: Iterable[Timing]) -> dict[str, report.Figure]:
    """The flat object of latency.json, in milliseconds."""
    timings = list(timings)
    kills = [timing.pod_kill for timing in timings if timing.pod_kill is not None]
    statuses = [timing.status_after for timing in timings if timing.status_after is not None]
    seen = [timing.deleted - timing.accepted for timing in timings if timing.deleted is not None]
    latencies: dict[str, report.Figure] = {
        "pod_kill_p50_ms": report.milliseconds(report.percentile(kills, 0.5)),
        "pod_kill_p95_ms": report.milliseconds(report.percentile(kills, 0.95)),
        "pod_kill_max_ms": report.milliseconds(max(kills, default=None)),
        "status_p50_ms": report.milliseconds(report.percentile(statuses, 0.5)),
        "status_p95_ms": report.milliseconds(report.percentile(statuses, 0.95)),
        "status_max_ms": report.milliseconds(max(statuses, default=None)),
        "deletion_seen_p50_ms": report.milliseconds(report.percentile(seen, 0.5)),
        "runs": len(timings),
        "runs_without_a_kill": len(timings) - len(kills),
    }
    for moment in ORDER:
        after = [seconds for timing in timings if (seconds := timing.after_apply(moment)) is not None]
        latencies[f"apply_to_{moment}_p50_ms"] = report.milliseconds(report.percentile(after, 0.5))
    return latencies


def tell(timings: list[Timing], lossy: list[LossTiming]) -> None:
    """Print where the time goes, in the slowest runs too, and write latency.json."""
    by_speed = sorted(timings, key=lambda timing: timing.pod_kill or float("inf"))
    chosen = [by_speed[0], by_speed[len(by_speed) // 2], *by_speed[-5:]] if by_speed else []
    rows = [[timing.revision, *map(timing.after_apply, ORDER), timing.verdict] for timing in chosen]
    report.table("seconds after the apply: fastest, median, slowest five", ("run", *ORDER, "verdict"), rows)
    for message in sorted({f"{timing.verdict}: {timing.message}" for timing in timings if timing.pod_kill is None}):
        report.console.print(f"no kill: {message}")
    losses.tell(lossy)
    report.write("latency", {**figures(timings), **losses.figures(lossy)})


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100, help="how many pods to kill")
    parser.add_argument("--losses", type=int, default=100, help="how many runs lose packets")
    parser.add_argument("--rest-seconds", type=float, default=rest.SECONDS, help="how long to watch; 0: not at all")
    try:
        _measure_all(api.ensure_embedded(), parser.parse_args())
    except ShowstopperError as error:
        raise errors.ClusterError(str(error)) from error
    return 0


def _measure_all(cluster: Cluster, arguments: argparse.Namespace) -> None:
    with lock.held("stage"):
        stage.install_operator(cluster, agents=True)
    with rest.rooms_put_away(cluster):
        timings: list[Timing] = []
        lossy: list[LossTiming] = []
        try:
            spare.install(cluster)
            asyncio.run(measure(cluster, arguments.runs, timings))
            asyncio.run(losing.measure(cluster, arguments.losses, lossy))
        finally:
            tell(timings, lossy)  # what was measured before somebody stopped it, too
            spare.clear(cluster)
        if arguments.rest_seconds:
            rest.tell(rest.measure(cluster, arguments.rest_seconds))


if __name__ == "__main__":
    sys.exit(endings.run(main))
