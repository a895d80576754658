"""Whether faults let go by themselves when nobody can tell them to: at least 60 trials, three ways to lose control.

In each round one run has eight faults, each on a pod of its own that sends stamped packets to another one. Then the
agent is killed, or the operator, or the agent's link is cut (tests/support/control_loss.py), and the receiver tells
which packets were still touched (bench/lifted.py). Then control comes back, the run ends, and rules, qdiscs, cgroups
and processes are compared with what they were before the first fault. Writes build/bench/lift.json. Needs root and the
embedded cluster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from bench import lifted, lifts, spare
from bench.lifted import GRACE_SECONDS, Trial
from bench.streams import Place, Stream, Traffic
from dev import stage
from dev.cluster import api, endings, lock, progress
from tests.support.control_loss import WAYS
from tests.support.staged_room import Api, Object, Show, eventually, finished

ROUNDS = 3
LEASE_SECONDS = 10.0
FELT_SECONDS = 1.0
"""How long all faults are felt before control is lost."""

AFTER_SECONDS = 1.5
"""How long is looked after the lease's end."""

PATIENCE_SECONDS = 120.0
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{lifts.NAMESPACE}/leases"


class Field:
    """The pods with their streams, and what they looked like before the first fault."""

    def __init__(self, show: Show, pods: Mapping[str, Place]) -> None:
        self.show, self._pods = show, pods
        sink = pods[lifts.SINK]
        self.streams = {name: Stream(pods[name], sink, lifts.port_of(name)) for name in lifts.KINDS}
        self._before = lifts.state(pods)

    def trials(self, way: str, number: int) -> list[Trial]:
        """One round: all faults up, control lost, and what the packets say; the run's verdict at its end."""
        kinds = lifts.chosen(number)
        run = self._begin(f"{time.time():.0f}-{number}", kinds)
        time.sleep(FELT_SECONDS)
        before = self._renewed(run)
        with WAYS[way](self.show, lifts.NODE) as lost:
            ends = lifted.last_renewal(before, self._renewed(run), lost) + LEASE_SECONDS
            time.sleep(max(0.0, ends + AFTER_SECONDS - time.time()))
            until = time.time() - 2 * lifted.SLOW_SECONDS
        verdict = self._end(run)
        found = []
        for kind in kinds:
            packets = self.streams[kind].packets(lost - FELT_SECONDS, until)
            after = sum(packet.sent > ends + GRACE_SECONDS for packet in packets)
            found.append(Trial(way, kind, lost, ends, lifted.last_touched(packets), after, verdict))
        return found

    def leftovers(self) -> list[str]:
        """What is not as it was."""
        now = lifts.state(self._pods)
        return [f"{what}: {now[what]!r}, was {was!r}" for what, was in self._before.items() if now[what] != was]

    def _begin(self, revision: str, kinds: Sequence[str]) -> str:
        """The name of a run with these faults, as soon as all of them are proven."""
        self.show.apply(lifts.experiment(revision, kinds))
        run: str = self.show.run(lifts.EXPERIMENT)["metadata"]["name"]
        self.show.at(lifts.EXPERIMENT, "every fault is proven", lambda status: _proven(status) == len(kinds))
        return run

    def _end(self, run: str) -> str:
        """Verdict and reason, when the run has one and nothing of it is there any more."""
        path = self.show.path("experimentruns", run)
        eventually(f"run {run} is over", PATIENCE_SECONDS, lambda: finished(self.show.api.get(path)))
        injections = self.show.path("injections")
        eventually("no Injection is left", PATIENCE_SECONDS, lambda: not self.show.api.get(injections)["items"])
        status = self.show.api.get(path)["status"]
        return f"{status['verdict']} {status['reason']}"

    def _renewed(self, run: str) -> float:
        """When the run's Lease was renewed last, in unix seconds of the operator, which is on this machine."""
        lease = self.show.api.get(f"{LEASES}/{run}")
        return datetime.fromisoformat(lease["spec"]["renewTime"]).timestamp()


def measure(show: Show, ways: Sequence[str], rounds: int, trials: list[Trial], leftovers: list[str]) -> None:
    """So many rounds of each way; adds what they show."""
    field = Field(show, lifts.places(show.cluster))
    with Traffic(field.streams.values()), progress.step("Losing control") as step:
        for number in range(rounds * len(ways)):
            way = ways[number % len(ways)]
            step.say(f"round {number + 1} of {rounds * len(ways)}: {way.replace('_', ' ')}")
            trials += field.trials(way, number)
            leftovers += [f"{way}: {left}" for left in field.leftovers()]


def main() -> int:
    """Measure, print and write; 1, if a trial showed a problem, or something was left."""
    parser = argparse.ArgumentParser(prog="python -m bench.lift", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each way to lose control, eight faults each")
    parser.add_argument("--way", choices=list(WAYS), help="only this way")
    arguments = parser.parse_args()
    cluster = api.ensure_embedded()
    with lock.held("stage"):
        stage.install_operator(cluster, values=stage.WITH_AGENTS)
        stage.wait_for_agents(cluster)
    trials: list[Trial] = []
    leftovers: list[str] = []
    try:
        lifts.install(cluster)
        show = Show(cluster, Api(cluster), lifts.NAMESPACE, lifts.ROOM)
        measure(show, [arguments.way] if arguments.way else list(WAYS), arguments.rounds, trials, leftovers)
    finally:
        lifted.tell(trials, leftovers)  # what was measured before somebody stopped it, too
        spare.clear(cluster, lifts.NAMESPACE)
    return int(bool(leftovers) or any(trial.problem for trial in trials))


def _proven(status: Object) -> int:
    return sum(bool(fault.get("proven")) for fault in status.get("faults", ()))


if __name__ == "__main__":
    sys.exit(endings.run(main))
