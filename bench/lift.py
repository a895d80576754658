"""Whether faults let go by themselves when nobody can tell them to: at least 120 trials, three ways to lose control.

In each round one run has eight faults, each on a pod of its own: of networks, which stamped packets feel that it sends
to another pod, and of processes, which its cgroups tell of. Then the agent is killed, or the operator, or the agent's
link is cut (tests/support/control_loss.py). In other rounds the host is silent, the door closed and a storm under way
(bench/lift_stage.py), and all who do that are killed, or cut off. It is told when each fault was felt last
(bench/lifted.py). Then control comes back, the run ends, and rules, qdiscs, cgroups and processes are compared with
what they were before the first fault. Writes build/bench/lift.json. Needs root and the embedded cluster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Any, Protocol

from bench import lifted, lifts, spare
from bench.lift_stage import WAYS as STAGE_WAYS
from bench.lift_stage import StageField
from bench.lifted import Trial
from bench.senses import Looking, Packets, Sense
from bench.streams import Place, Stream, Traffic
from dev import stage
from dev.cluster import api, endings, lock, progress
from showstopper.api.injection import LEASE_SECONDS
from tests.support.control_loss import WAYS
from tests.support.staged_room import Api, Object, Show, eventually, finished

ROUNDS = 4
FELT_SECONDS = 1.0
"""How long all faults are felt before control is lost."""

AFTER_SECONDS = 2.5
"""How long is looked after the lease's end."""

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{lifts.NAMESPACE}/leases"


class Field(Protocol):
    """What can be hit, and what feels it."""

    show: Show
    senses: dict[str, Sense]
    verdicts: frozenset[str]

    def ready(self, kinds: Sequence[str]) -> None:
        """Wait until a run with these faults can begin."""

    def experiment(self, revision: str, kinds: Sequence[str]) -> dict[str, Any]:
        """These faults at once."""

    def begun(self, status: Object) -> None:
        """The run's faults are proven."""

    def lose(self, way: str) -> AbstractContextManager[float]:
        """Lose control for the time of the block."""

    def grace(self, kind: str) -> float:
        """For how long after the lease a fault may be felt."""

    def leftovers(self) -> list[str]:
        """What is not as it was."""


class PodField:
    """The pods with their streams, and what they looked like before the first fault."""

    verdicts = lifted.LOST

    def __init__(self, show: Show, pods: Mapping[str, Place]) -> None:
        self.show, self._pods = show, pods
        sink = pods[lifts.SINK]
        self.streams = [Stream(pods[name], sink, lifts.port_of(name)) for name in lifts.NETWORK]
        self.watches: dict[str, Looking] = {name: lifts.sense(name, pods[name]) for name in lifts.PROCESSES}
        self.senses: dict[str, Sense] = {
            **{name: Packets(stream) for name, stream in zip(lifts.NETWORK, self.streams, strict=True)},
            **self.watches,
        }
        self._before = lifts.state(pods)

    def ready(self, kinds: Sequence[str]) -> None:
        """The pods always are, once the room knows them."""
        lifts.install_room(self.show.cluster, kinds)

    def experiment(self, revision: str, kinds: Sequence[str]) -> dict[str, Any]:
        """Each on its pod."""
        return lifts.experiment(revision, kinds)

    def begun(self, status: Object) -> None:
        """Nothing has to be known."""

    def lose(self, way: str) -> AbstractContextManager[float]:
        """Of the agent that all pods are under."""
        return WAYS[way](self.show, lifts.NODE)

    def grace(self, kind: str) -> float:
        """What the watchdog puts back takes longer."""
        return lifts.grace(kind)

    def leftovers(self) -> list[str]:
        """What is not as it was."""
        now = lifts.state(self._pods)
        return [f"{what}: {now[what]!r}, was {was!r}" for what, was in self._before.items() if now[what] != was]


def trials(field: Field, way: str, kinds: Sequence[str], number: int) -> list[Trial]:
    """One round: all faults up, control lost, and when each was felt last. The run's verdict is read at its end."""
    field.ready(kinds)
    run = _begin(field, f"{time.time():.0f}-{number}", kinds)
    felt = time.time()  # executors that are killed one after the other end before control is lost of all
    time.sleep(FELT_SECONDS)
    before = _renewed(field.show, run)
    with field.lose(way) as lost:
        ends = lifted.last_renewal(before, _renewed(field.show, run), lost) + LEASE_SECONDS
        time.sleep(max(0.0, ends + AFTER_SECONDS - time.time()))
        until = _looked(field, kinds, ends)
    verdict = _end(field.show, run)
    results = []
    for kind in kinds:
        grace, sense = field.grace(kind), field.senses[kind]
        last, after = sense.last(felt, until), sense.looks(ends + grace, until)
        results.append(Trial(way, kind, lost, ends, last, after, verdict, grace, field.verdicts))
    return results


def _looked(field: Field, kinds: Sequence[str], ends: float) -> float:
    """Wait until each fault was looked for after the lease's end. Returns until when, in unix seconds.

    A host or a door that was killed several times comes back only after the kubelet's back-off.
    """
    while True:
        until = time.time() - 2 * lifted.SLOW_SECONDS
        looks = (field.senses[kind].looks(ends + field.grace(kind), until) for kind in kinds)
        if all(number >= lifted.FEW for number in looks) or until > ends + PATIENCE_SECONDS:
            return until
        time.sleep(LOOK_SECONDS)


def measure(show: Show, rounds: int, only: str | None, results: list[Trial], leftovers: list[str]) -> None:
    """So many rounds of each way. Adds what they show."""
    pods = lifts.places(show.cluster)
    hit, staged = PodField(show, pods), StageField(show, pods)
    plan: list[tuple[Field, str, Sequence[str]]] = []
    for number in range(rounds * len(WAYS)):
        plan.append((hit, list(WAYS)[number % len(WAYS)], lifts.chosen(number)))
        plan.append((staged, STAGE_WAYS[number % len(STAGE_WAYS)], staged.kinds))
    plan = [each for each in plan if only in {None, each[1]}]
    with Traffic(hit.streams), ExitStack() as stack, progress.step("Losing control") as step:
        for watch in (*hit.watches.values(), *staged.watches):
            stack.enter_context(watch)
        for number, (field, way, kinds) in enumerate(plan):
            step.say(f"round {number + 1} of {len(plan)}: {way.replace('_', ' ')}")
            results += trials(field, way, kinds, number)
            leftovers += [f"{way}: {left}" for left in field.leftovers()]


def main() -> int:
    """Measure, print and write. Returns 1 if a trial showed a problem, or something was left."""
    parser = argparse.ArgumentParser(prog="python -m bench.lift", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each way to lose control, eleven faults each")
    parser.add_argument("--way", choices=list(dict.fromkeys([*WAYS, *STAGE_WAYS])), help="only this way")
    arguments = parser.parse_args()
    cluster = api.ensure_embedded()
    with lock.held("stage"):
        stage.install_operator(cluster, agents=True)
    results: list[Trial] = []
    leftovers: list[str] = []
    try:
        lifts.install(cluster)
        show = Show(cluster, Api(cluster), lifts.NAMESPACE, lifts.ROOM)
        measure(show, arguments.rounds, arguments.way, results, leftovers)
    finally:
        lifted.tell(results, leftovers)  # what was measured before somebody stopped it, too
        spare.clear(cluster, lifts.NAMESPACE)
    return int(bool(leftovers) or any(trial.problem for trial in results))


def _begin(field: Field, revision: str, kinds: Sequence[str]) -> str:
    """The name of a run with these faults, as soon as all of them are proven."""
    field.show.apply(field.experiment(revision, kinds))
    run: str = field.show.run(lifts.EXPERIMENT)["metadata"]["name"]
    proven = field.show.at(lifts.EXPERIMENT, "every fault is proven", lambda status: _proven(status) == len(kinds))
    field.begun(proven["status"])
    return run


def _end(show: Show, run: str) -> str:
    """Verdict and reason, when the run has one and nothing of it is there any more."""
    path = show.path("experimentruns", run)
    eventually(f"run {run} is over", PATIENCE_SECONDS, lambda: finished(show.api.get(path)))
    injections = show.path("injections")
    eventually("no Injection is left", PATIENCE_SECONDS, lambda: not show.api.get(injections)["items"])
    status = show.api.get(path)["status"]
    return f"{status['verdict']} {status['reason']}"


def _renewed(show: Show, run: str) -> float:
    """When the run's Lease was renewed last, in unix seconds of the operator, which is on this machine."""
    lease = show.api.get(f"{LEASES}/{run}")
    return datetime.fromisoformat(lease["spec"]["renewTime"]).timestamp()


def _proven(status: Object) -> int:
    return sum(bool(fault.get("proven")) for fault in status.get("faults", ()))


if __name__ == "__main__":
    sys.exit(endings.run(main))
