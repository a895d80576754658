"""Verdicts against what is known to be true: scenarios from a seed, run on the embedded cluster. Writes truth.json.

Every scenario says beforehand which verdict, with which reason, is right. A verdict that is not is wrong. Inconclusive
where a verdict could be known is needless. Needs root and the embedded cluster.
"""

from __future__ import annotations

import argparse
import queue
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.progress import Progress

from bench import report
from dev import stage
from dev.cluster import api, endings, lock
from tests.support.known_truth import door
from tests.support.known_truth.generated import EVERY_KIND, scenarios
from tests.support.known_truth.scenario import Answer, Outcome, Scenario, carry_out
from tests.support.staged_room import SMALL_STAGE, Api, Show

RUNS = 2 * len(EVERY_KIND)
"""Every kind of scenario twice."""

STAGE = (*SMALL_STAGE, *door.STAGE)
"""Each room has a door from the start: to turn it on would restart the relays, and another stage would cost more."""


def rooms(cluster: api.Cluster, number: int) -> list[Show]:
    """Staged rooms, each in a namespace of its own, that are heard."""
    shows = []
    for index in range(number):
        namespace = stage.SHOW + (f"-{index + 1}" if index else "")
        stage.install_stage(cluster, namespace=namespace, values=STAGE)
        stage.wait_for_room(cluster, namespace=namespace)
        shows.append(Show(cluster, Api(cluster), namespace))
    return shows


def measure(shows: Sequence[Show], chosen: Sequence[Scenario]) -> list[Outcome]:
    """Carry out all scenarios: in all rooms at once, and then, one by one, those that take away what rooms share."""
    free: queue.SimpleQueue[Show] = queue.SimpleQueue()
    for show in shows:
        free.put(show)
    with Progress(console=report.console) as progress:
        task = progress.add_task("runs of known truth", total=len(chosen))

        def measured(numbered: tuple[int, Scenario]) -> Outcome:
            number, scenario = numbered
            show = free.get()
            try:
                outcome = attempt(show, scenario, f"truth-{number}")
            finally:
                free.put(show)
            progress.advance(task)
            report.console.print(line(outcome))
            return outcome

        numbered = list(enumerate(chosen))
        with ThreadPoolExecutor(len(shows)) as pool:
            shared = list(pool.map(measured, [(number, each) for number, each in numbered if not each.alone]))
        return shared + [measured((number, each)) for number, each in numbered if each.alone]


def attempt(show: Show, scenario: Scenario, name: str) -> Outcome:
    """A scenario that could not be carried out is an outcome too, and not a right one."""
    try:
        return carry_out(show, scenario, name)
    except Exception as error:  # noqa: BLE001 - one that breaks must not take the other fifty with it
        return Outcome(scenario, "none", type(error).__name__, str(error)[:300], "it was not carried out")


def line(outcome: Outcome) -> str:
    """An outcome for people."""
    text = f"  {outcome.answer.value:8} {outcome.scenario.kind}: {outcome.verdict} {outcome.reason}"
    if outcome.answer is Answer.RIGHT:
        return text
    return f"{text}; known: {outcome.scenario.known}. {outcome.objection} {outcome.message}"


def figures(outcomes: Sequence[Outcome], *, seed: int, seconds: float) -> dict[str, report.Figure]:
    """The flat object that is written."""
    answers = Counter(outcome.answer for outcome in outcomes)
    return {
        "seed": seed,
        "runs": len(outcomes),
        "scenarios": len({outcome.scenario.kind for outcome in outcomes}),
        "wrong_verdicts": answers[Answer.WRONG],
        "needless_inconclusive_percent": round(100 * answers[Answer.NEEDLESS] / max(1, len(outcomes)), 1),
        "duration_s": round(seconds),
    }


def rows(outcomes: Iterable[Outcome]) -> list[tuple[object, ...]]:
    """For each kind of scenario: runs, and how many of them were right, wrong, needlessly undecided."""
    by_kind: dict[str, Counter[Answer]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.scenario.kind, Counter())[outcome.answer] += 1
    return [(kind, answers.total(), *(answers[each] for each in Answer)) for kind, answers in sorted(by_kind.items())]


def main() -> int:
    """Measure, print and write.

    Returns:
        1 if a verdict was wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--rooms", type=int, default=2, help="staged rooms at once")
    parser.add_argument("--kinds", default="", help="only these kinds of scenario, by the names of their functions")
    arguments = parser.parse_args()
    report.console.print(f"seed {arguments.seed}")
    names = {name for name in arguments.kinds.split(",") if name}
    known = [kind for kind in EVERY_KIND if not names or kind.__name__ in names]
    chosen = scenarios(arguments.seed, arguments.runs, kinds=known)
    cluster = api.ensure_embedded()
    began = time.monotonic()
    with lock.held("stage"):
        stage.install_operator(cluster, agents=True)
        outcomes = measure(rooms(cluster, arguments.rooms), chosen)
    report.table("Verdicts against what is known", ("scenario", "runs", "right", "wrong", "needless"), rows(outcomes))
    result = figures(outcomes, seed=arguments.seed, seconds=time.monotonic() - began)
    report.write("truth", result)
    return 1 if result["wrong_verdicts"] else 0


if __name__ == "__main__":
    sys.exit(endings.run(main))
