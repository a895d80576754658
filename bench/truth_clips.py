"""Clips of listeners whose truth is known, told by matching: is anything ever called Live that was not?

A room's sound is made of parts: live, hold music, old, silent, garbled. Each clip is some seconds of one listener in
it, to whom something may happen: a loss, a pause, other packets than the room's. What is told of each packet is
compared with what it was. Writes build/bench/truth_clips.json.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from bench import clips, report
from bench.clips import CLIPS_PER_SHOW, EDGE, EITHER
from bench.report import Figure
from dev.cluster import endings
from showstopper.availability.spans import State

CLIPS = 10_000
MOST_MISREAD = 0.001
"""Of all packets, those that may be called Hold, Stale or Garbled and are another of them: short noise within hold
music is bridged (audio/hearing/classify.py), and other music has chords that are the hold loop's for a moment."""


@dataclass
class Tally:
    """How packets were called, and what they were: `table` counts them by both."""

    clips: int = 0
    table: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take in another's clips."""
        self.clips += other.clips
        self.table += other.table

    @property
    def packets(self) -> int:
        """All of them."""
        return self.table.total()

    @property
    def known(self) -> int:
        """Those that were called something."""
        return sum(count for (called, _), count in self.table.items() if called != State.UNKNOWN)

    @property
    def wrong(self) -> Counter[tuple[str, str]]:
        """Those that were called something that they were not."""
        return Counter({pair: count for pair, count in self.table.items() if not _is_right(*pair)})

    @property
    def live_by_mistake(self) -> int:
        """Those that were called Live and were not."""
        return sum(count for (called, _), count in self.wrong.items() if called == State.LIVE)

    @property
    def misread(self) -> int:
        """Those that were called something else that they were not."""
        return self.wrong.total() - self.live_by_mistake

    @property
    def is_true(self) -> bool:
        """Whether nothing was called Live that was not, and hardly anything something else."""
        return not self.live_by_mistake and self.misread <= MOST_MISREAD * self.packets

    def figures(self) -> dict[str, Figure]:
        """For machines."""
        shares = {"known_percent": self.known, "misread_percent": self.misread}
        percents = {name: round(100 * count / max(1, self.packets), 4) for name, count in shares.items()}
        counts = {"clips": self.clips, "packets": self.packets, "live_by_mistake": self.live_by_mistake}
        why = "; ".join(f"{count} {called} were {truth}" for (called, truth), count in self.wrong.most_common())
        return counts | percents | {"why": why or None}


def _is_right(called: str, truth: str) -> bool:
    if called == State.UNKNOWN:
        return True
    if truth == EITHER:
        return called in (State.LIVE, State.STALE)
    # A packet of three bytes is silence, whatever the host did in its first or last millisecond.
    return called == truth or (truth == EDGE and called == State.SILENT)


def tally(seed: int, shows: Iterable[int]) -> Tally:
    """Play the clips of these shows."""
    result = Tally()
    elsewhere = clips.random_show(random.Random(f"{seed}/elsewhere"))
    for number in shows:
        draw = random.Random(f"{seed}/{number}")
        room = clips.random_show(draw)
        listeners = [clips.random_clip(draw, slot, room, elsewhere) for slot in range(CLIPS_PER_SHOW)]
        clips.listen(room, listeners, number)
        result.clips += len(listeners)
        for clip in listeners:
            clips.compare(clip, result.table)
    return result


def main() -> int:
    """Play many clips on all cores, and write what was told of them. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth_clips", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=CLIPS, help=f"played by the {CLIPS_PER_SHOW}")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    shows = range(-(-options.clips // CLIPS_PER_SHOW))
    total = Tally()
    with ProcessPoolExecutor() as pool:
        for part in pool.map(tally, [options.seed] * len(shows), [[number] for number in shows]):
            total.add(part)
            sys.stderr.write(f"\r{total.clips} clips, {total.live_by_mistake} packets Live by mistake")
    sys.stderr.write("\n")
    report.write("truth_clips", {"seed": options.seed} | total.figures())
    return 0 if total.is_true else 1


if __name__ == "__main__":
    sys.exit(endings.run(main))
