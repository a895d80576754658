"""Gates: how long after a change of a pod template a gate closes, and what deciding costs in a large namespace.

The first on an API server of its own, with a whole operator, from the request that changes a Deployment to the moment
at which a watch of the gate tells that it is closed. The second without one: 5,000 pods and 500 experiments with a run
each, in memory as the operator keeps them. Writes build/bench/gates.json. Needs no cluster and no root.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from bench import report
from dev.cluster import endings, progress
from dev.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.gate import ReleaseGate
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import RELEASE_GATE
from showstopper.cluster.mirror import Change, Mirror
from showstopper.engine.gates import deciding
from showstopper.engine.rooms import deployed
from showstopper.engine.rooms.pod_cache import slim
from tests.support import build, gate_build, operator_harness, stored_objects
from tests.support.api_server import with_crds
from tests.support.gated_deployment import DIGEST, GatedDeployment
from tests.support.operator_harness import at_work

CHANGES = 50
DECISIONS = 20
PODS, EXPERIMENTS = 5_000, 500
REQUIRED = 32
"""As many experiments as a gate may require."""
PLACE = "gated"
_MEBI = 2**20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of deciding in a large namespace: seconds each, and bytes of what is kept for it and of what it takes for it."""

    seconds: tuple[float, ...]
    kept_bytes: int
    most_bytes: int


def closing(changes: int) -> list[float]:
    """Seconds from the request that changes a template to the closed gate, so many times."""
    with progress.step("Closing a gate in an API server of its own"), with_crds() as server:
        return asyncio.run(_closing(server, changes))


async def _closing(server: ApiServer, changes: int) -> list[float]:
    async with await Client.connect(server.kubeconfig) as client:
        await stored_objects.namespace(client, PLACE)
        operator = await operator_harness.declared(client, server, PLACE)
        relay = GatedDeployment(operator)
        operator.apply(suspend=True)
        await relay.create()
        await relay.passes()
        relay.declare_gate()
        async with at_work(operator):
            watching = _Closed(client)
            seconds = [await _change(relay, watching, number) for number in range(changes)]
            watching.end()
        return seconds


async def _change(relay: GatedDeployment, watching: _Closed, number: int) -> float:
    """One change of the template, and back."""
    await relay.answers("True Passed")
    watching.closed.clear()
    began = time.perf_counter()
    await relay.change_template("checksum/config", str(number))
    async with asyncio.timeout(operator_harness.PATIENCE):
        await watching.closed.wait()
    seconds = time.perf_counter() - began
    await relay.restore_template()
    await relay.rolled_out()
    return seconds


class _Closed:
    """Whether the gate is closed, as a watch tells it."""

    def __init__(self, client: Client) -> None:
        self.closed = asyncio.Event()
        mirror = Mirror(client, RELEASE_GATE, PLACE, keep=ReleaseGate.parse, on_change=self._take)
        self._task = asyncio.create_task(mirror.run())

    def _take(self, change: Change[ReleaseGate]) -> None:
        conditions = change.value.status.conditions
        if find(conditions, ConditionType.READY) is not None and not is_true(conditions, ConditionType.READY):
            self.closed.set()

    def end(self) -> None:
        self._task.cancel()


def deciding_cost(decisions: int) -> Cost:
    """What it costs to find out what is deployed, and to decide by that."""
    tracemalloc.start()
    pods, kept_pods = _weighed(lambda: [slim(_pod(number)) for number in range(PODS)])
    situation, kept_rest = _weighed(_situation)
    room = build.room()
    seconds = []
    tracemalloc.reset_peak()
    base, _ = tracemalloc.get_traced_memory()
    _decide(situation, room, pods)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()  # it makes everything slower
    for _ in range(decisions):
        began = time.perf_counter()
        _decide(situation, room, pods)
        seconds.append(time.perf_counter() - began)
    return Cost(tuple(seconds), kept_pods + kept_rest, most - base)


def _decide(situation: deciding.Situation, room: Any, pods: list[dict[str, Any]]) -> None:
    answer = deciding.decide(replace(situation, deployed=deployed.of(room, pods, [], ["relay"])))
    if not answer.open:
        raise SystemExit(f"the gate is no trial, it is closed: {answer.outlook.message}")


def _weighed(make: Callable[[], T]) -> tuple[T, int]:
    before, _ = tracemalloc.get_traced_memory()
    made = make()
    after, _ = tracemalloc.get_traced_memory()
    return made, after - before


def _pod(number: int) -> dict[str, Any]:
    """A pod of a deployment of 5,000. Every tenth is a relay."""
    labels = {"app": "relay" if number % 10 == 0 else "other", "pod-template-hash": "7c9f"}
    state = {"name": "relay", "imageID": f"relay@{DIGEST}", "restartCount": 0}
    return {
        "metadata": {"name": f"pod-{number}", "namespace": PLACE, "uid": f"uid-{number}", "labels": labels},
        "spec": {"nodeName": f"node-{number % 100}", "containers": [{"name": "relay", "image": "relay:1"}]},
        "status": {"phase": "Running", "podIP": f"198.18.{number // 250}.{number % 250}", "containerStatuses": [state]},
    }


def _situation() -> deciding.Situation:
    names = [f"kill-{number}" for number in range(EXPERIMENTS)]
    experiments = {name: build.experiment(metadata={"name": name, "uid": f"{name}-uid"}) for name in names}
    runs = [_run(name) for name in names]
    gate = gate_build.gate(experiments=[{"name": name} for name in names[:REQUIRED]])
    return gate_build.situation(*runs, gate=gate, experiments=experiments)


def _run(name: str) -> ExperimentRun:
    """A run of that experiment, which passed with what is deployed."""
    run = gate_build.run(f"{name}-1", DIGEST)
    origin = run.spec.experiment.model_copy(update={"name": name, "uid": f"{name}-uid"})
    return run.model_copy(update={"spec": run.spec.model_copy(update={"experiment": origin})})


def figures(closed: Sequence[float], cost: Cost) -> dict[str, report.Figure]:
    """What is written down."""
    return {
        "changes": len(closed),
        "template_to_closed_p50_ms": report.milliseconds(report.percentile(closed, 0.5)),
        "template_to_closed_p95_ms": report.milliseconds(report.percentile(closed, 0.95)),
        "template_to_closed_max_ms": report.milliseconds(max(closed)),
        "pods": PODS,
        "experiments": EXPERIMENTS,
        "decide_p50_ms": report.milliseconds(report.percentile(cost.seconds, 0.5)),
        "decide_max_ms": report.milliseconds(max(cost.seconds)),
        "kept_mib": round(cost.kept_bytes / _MEBI, 1),
        "decide_peak_mib": round(cost.most_bytes / _MEBI, 1),
    }


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.gates", description=__doc__)
    parser.add_argument("--changes", type=int, default=CHANGES)
    changes = parser.parse_args().changes
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    report.write("gates", figures(closing(changes), deciding_cost(DECISIONS)))


if __name__ == "__main__":
    sys.exit(endings.run(main))
