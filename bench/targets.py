"""Very many targets in one run: how long until all agents have armed them, and how large the record becomes.

Five hundred pods on four nodes in a real API server of its own. The agents are stubs that answer as agents do: what is
measured is the operator and the API server. Writes build/bench/targets.json. Needs no cluster and no root.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bench import report
from dev.cluster import endings, progress
from dev.cluster.apiserver import ApiServer
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION
from tests.support import stored_objects
from tests.support.api_server import with_crds
from tests.support.many_targets import TARGETS, crowd, injected_seconds, loss
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import Agent

PLACE = "many"
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: seconds from its note to the last target armed, its Injections' sizes, and its status in bytes."""

    seconds: float
    shards: tuple[int, ...]
    status_bytes: int


def measure(rounds: int) -> list[Trial]:
    """Run it so often."""
    with progress.step(f"Making {TARGETS} pods in an API server of their own"), with_crds() as server:
        asyncio.run(_prepare(server))
        return [asyncio.run(_trial(server, number)) for number in range(rounds)]


async def _prepare(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        await stored_objects.namespace(client, PLACE)
        await crowd(client, PLACE)


async def _trial(server: ApiServer, number: int) -> Trial:
    async with await Client.connect(server.kubeconfig) as client, Agent(client, PLACE):
        harness = RunHarness(client, PLACE)
        run = await harness.create(f"many-{number}", faults=[loss()])
        await harness.stored(run, lambda stored: stored.status.step == "Active")
        injections = await client.list(INJECTION, PLACE)
        run = await harness.stored(run, lambda stored: stored.finished)
        body = await client.get(EXPERIMENT_RUN, *run.key)
        await harness.end()
    _assert_all(run)
    shards = tuple(len(each["spec"]["targets"]) for each in injections)
    return Trial(injected_seconds(run), shards, len(json.dumps(body["status"])))


def _assert_all(run: ExperimentRun) -> None:
    (record,) = run.status.faults
    if (record.targets, record.proven, record.reverted) != (TARGETS, True, True):
        raise SystemExit(f"run {run.metadata.name} is no trial: {record}")


def figures(trials: Sequence[Trial]) -> dict[str, report.Figure]:
    """What is written down."""
    seconds = [trial.seconds for trial in trials]
    return {
        "targets": TARGETS,
        "trials": len(trials),
        "injected_p50_ms": report.milliseconds(report.percentile(seconds, 0.5)),
        "injected_max_ms": report.milliseconds(max(seconds)),
        "injections": max(len(trial.shards) for trial in trials),
        "largest_injection": max(max(trial.shards) for trial in trials),
        "largest_status_bytes": max(trial.status_bytes for trial in trials),
    }


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.targets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    trials = measure(rounds)
    columns = ("trial", "injected s", "injections", "largest", "status bytes")
    rows = [
        (number, trial.seconds, len(trial.shards), max(trial.shards), trial.status_bytes)
        for number, trial in enumerate(trials, 1)
    ]
    report.table(f"{TARGETS} targets in one run (goal: within 5 s, at most 100 in an Injection, 64 KiB)", columns, rows)
    report.write("targets", figures(trials))


if __name__ == "__main__":
    sys.exit(endings.run(main))
