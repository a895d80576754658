"""Random rooms whose truth is known by construction, judged from what was told of them: is a verdict ever wrong?

A room is built from what happened: who did not hear the host and when, who had no connection, how newcomers fared, what
packets did. From that alone, on a grid of 20 ms, come the true figures (`bench/rooms/`). What listeners tell leaves
something out: late probes, listeners that start again, and a host that was away. The verdict rests on what they tell.
Writes build/bench/truth_rooms.json.
"""

import argparse
import json
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench.rooms import comparing, drawing, judging

ROOMS = 100_000
BATCH = 500
OUT = Path("build/bench/truth_rooms.json")
HALVES = 8
"""Of one room in so many, listeners answer twice, and the operator's clock is put right between."""
SHOWN = 20


@dataclass
class Tally:
    """How the verdicts were.

    Attributes:
        unseen: rooms whose RecoveryTime was met only because nobody could see that they relapsed.
        examples: rooms that were judged wrongly or needlessly, by number, and how.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    needless: int = 0
    unseen: int = 0
    examples: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Take in another's rooms."""
        self.verdicts += other.verdicts
        self.wrong += other.wrong
        self.needless += other.needless
        self.unseen += other.unseen
        self.examples |= other.examples


def tally(seed: int, numbers: Iterable[int]) -> Tally:
    """Judge the rooms of these numbers."""
    result = Tally()
    for number in numbers:
        room = drawing.draw(seed, number)
        judged = judging.judge(room, halves=number % HALVES == 0)
        wrong, needless = comparing.wrong(room, judged), comparing.needless(room, judged)
        result.verdicts[str(judged.verdict)] += 1
        result.wrong += bool(wrong)
        result.needless += needless
        result.unseen += comparing.unseen(room, judged)
        if wrong or needless:
            result.examples[number] = wrong or ["needless"]
    return result


def main(say: Callable[[str], object] = print) -> int:
    """Judge many rooms on all cores, and write how often a verdict was wrong or needless. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth_rooms", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rooms", type=int, default=ROOMS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    say(f"seed {options.seed}")
    total = Tally()
    batches = [range(first, min(first + BATCH, options.rooms)) for first in range(0, options.rooms, BATCH)]
    with ProcessPoolExecutor() as pool:
        for part in pool.map(tally, [options.seed] * len(batches), batches):
            total.add(part)
            done = total.verdicts.total()
            sys.stderr.write(f"\r{done} of {options.rooms} rooms, {total.wrong} wrong, {total.needless} needless")
    sys.stderr.write("\n")
    figures = {"wrong": total.wrong, "needless": total.needless, "relapses unseen": total.unseen}
    for name, number in (*sorted(total.verdicts.items()), *figures.items()):
        say(f"{name:<16}{number:>8}")
    for number, why in list(total.examples.items())[:SHOWN]:
        say(f"room {number}: {'; '.join(why)}")
    write(options.rooms, options.seed, total)
    return 1 if total.wrong or total.needless else 0


def write(rooms: int, seed: int, total: Tally) -> None:
    """Write the figures."""
    figures = {"rooms": rooms, "seed": seed, "wrong": total.wrong, "needless": total.needless, "unseen": total.unseen}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures | {name.lower(): number for name, number in total.verdicts.items()}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
