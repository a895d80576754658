"""How soon a host is silent: from an accepted change of an Experiment to the first silence that a listener hears.

Each run is a new `revision` of one Experiment without baseline and recovery, whose `deadAir` lasts two seconds, on the
staged room while it is well. The clock starts when the API's answer to the change is here, and stops at the beginning
of the first Silent span of any resident: what the encoder, the relay and the listener's player take is in it. Needs
root and the embedded cluster, whose pods share this machine's wall clock. Writes build/bench/dead_air.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import listening, report
from dev import stage
from dev.cluster import api, endings, lock, progress
from showstopper.availability.spans import Span, State
from tests.support.staged_room import Api, Object, Show

NAME = "bench-dead-air"
LASTS = "2s"
PATIENCE_SECONDS = 5.0
"""Silence that begins later than this is not the run's."""

HEARD_SECONDS = 2.0
"""How long after its end a listener may need to tell what it heard: a second of settling, and the next span."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One run, in unix seconds.

    Attributes:
        accepted: when the API's answer was there.
        first: when the first resident heard silence. None: nobody did.
        last: when the last resident did.
    """

    accepted: float
    first: float | None
    last: float | None


def experiment(revision: str) -> Object:
    """Two seconds of dead air at once: nothing is measured before, and nothing expected that decides."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": NAME},
        "spec": {
            "revision": revision,
            "roomRef": {"name": stage.ROOM},
            "timing": {"baseline": "0s", "recovery": "0s"},
            "faults": [{"name": "silence", "duration": LASTS, "deadAir": {}}],
            "expect": [{"indicator": "LongestDeadAir", "max": "10m"}],
        },
    }


def silence(accepted: float, heard: Iterable[Sequence[Span]]) -> Silence:
    """When residents heard the silence of a run that was accepted then. Pure.

    Args:
        accepted: in unix seconds.
        heard: the spans of each resident, on the same clock.
    """
    begins = [
        min(starts)
        for spans in heard
        if (starts := [span.start for span in spans if span.state is State.SILENT and _is_of(accepted, span)])
    ]
    return Silence(accepted, min(begins, default=None), max(begins, default=None))


def figures(silences: Sequence[Silence]) -> dict[str, report.Figure]:
    """The flat object of dead_air.json, in milliseconds."""
    first = [each.first - each.accepted for each in silences if each.first is not None]
    last = [each.last - each.accepted for each in silences if each.last is not None]
    return {
        "dead_air_p50_ms": report.milliseconds(report.percentile(first, 0.5)),
        "dead_air_p95_ms": report.milliseconds(report.percentile(first, 0.95)),
        "dead_air_max_ms": report.milliseconds(max(first, default=None)),
        "everybody_p50_ms": report.milliseconds(report.percentile(last, 0.5)),
        "runs": len(silences),
        "runs_without_silence": len(silences) - len(first),
    }


def measure(show: Show, count: int, silences: list[Silence]) -> None:
    """So many runs, one after another, each in a room that is well."""
    series = f"{time.time():.0f}"
    show.wait_until_well()
    show.apply(experiment(f"{series}-0"))
    show.verdict(NAME, again=False)
    with progress.step("Silencing the host") as step:
        for number in range(1, count + 1):
            step.say(f"{number} of {count}")
            show.wait_until_well()
            show.api.merge(show.path("experiments", NAME), {"spec": {"revision": f"{series}-{number}"}})
            accepted = time.time()
            show.verdict(NAME, again=False)
            time.sleep(HEARD_SECONDS)
            heard = (each.spans for address in show.addresses("listener") for each in listening.read(address))
            silences.append(silence(accepted, heard))
    show.clean()


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.dead_air", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=40, help="how often the host falls silent")
    arguments = parser.parse_args()
    cluster = api.ensure_embedded()
    with lock.held("stage"):
        stage.install(cluster, agents=True)
    silences: list[Silence] = []
    try:
        measure(Show(cluster, Api(cluster), stage.SHOW), arguments.runs, silences)
    finally:
        report.write("dead_air", figures(silences))  # what was measured before somebody stopped it, too
    return 0


def _is_of(accepted: float, span: Span) -> bool:
    return accepted <= span.start <= accepted + PATIENCE_SECONDS


if __name__ == "__main__":
    sys.exit(endings.run(main))
