"""Random rooms whose truth is known by construction, judged from what was seen of them: is a verdict ever wrong?

A room is built from when each resident did not hear the host. From that alone, on a grid of 20 ms, come the true
figures. What listeners tell leaves something out: late probes, and listeners that start again. The verdict rests on
what they tell. It is wrong if it is Passed where the truth misses the bound, or Failed where the truth meets it. It is
needless if it is Inconclusive although the bound is met, or missed, whether all that was left out was heard or not.

A relapse is never hidden: RecoveryTime counts one only if it was seen. Bounds that are closer to the truth than the
grid are not asked for.
"""

import argparse
import json
import math
import random
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from showstopper.api.verdicts import Verdict
from showstopper.availability import coverage, expectations, verdict
from showstopper.availability.expectations import Expectation
from showstopper.availability.feed import Arrival, Feed
from showstopper.availability.indicators import Indicator, Recovery
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.verdict import Evidence, FaultEvidence

ROOMS = 100_000
BATCH = 500
EPOCH = 1_790_000_000.0
BASELINE, FAULT, END, KNOWN = 0.0, 15.0, 75.0, 80.0
GRID = 0.02
CELLS = round(KNOWN / GRID)
SECOND, HOLD = round(1 / GRID), round(10 / GRID)
OUT = Path("build/bench/truth_rooms.json")

# RecoveryTime twice: it has the most that can go wrong.
INDICATORS = (AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECOVERY_TIME, RECOVERY_TIME, ARRIVAL_AUDIBLE)

# [from, to) in cells of the grid.
Stretch = tuple[int, int]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Room:
    """What happened, what is told of it, and what is expected.

    `deaf[i]`: when resident i did not hear. `hidden[i]`: what it does not tell. `restarts[i]`: where in that it began
    again. `calls`: when newcomers called, and whether they heard.
    """

    deaf: list[list[Stretch]]
    hidden: list[list[Stretch]]
    restarts: list[int | None]
    calls: list[tuple[float, bool]]
    indicator: Indicator
    bound: float


@dataclass
class Tally:
    """How the verdicts were. `examples` are the numbers of rooms that were judged wrongly or needlessly."""

    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    needless: int = 0
    examples: list[int] = field(default_factory=list)


def cells(seconds: float) -> int:
    """The cell of the grid in which that instant lies."""
    return min(CELLS, max(0, round(seconds / GRID)))


def room(seed: int, number: int) -> Room:
    """The room of that number."""
    rng = random.Random(f"{seed}/{number}")
    size = rng.choices([rng.randint(1, 12), rng.randint(13, 60), rng.randint(61, 1000)], [0.8, 0.19, 0.01])[0]
    deaf: list[list[Stretch]] = [[] for _ in range(size)]
    for at, longest in _outages(rng):
        share = rng.choice([0.02, 0.1, 0.5, 1.0, 1.0, 1.0])
        for stretches in deaf:
            if rng.random() < share:
                begin, length = at + rng.uniform(0, 0.3), rng.uniform(0.8, 1.0) * longest
                stretches.append((cells(begin), cells(begin + length)))
    for stretches in deaf:
        if rng.random() < 0.15:
            at = rng.choice([rng.uniform(0.5, 14), rng.uniform(16, 74)])
            stretches.append((cells(at), cells(at + 0.1)))
    deaf = [_parted(stretches) for stretches in deaf]
    restarts: list[int | None] = [None] * size
    hidden: list[list[Stretch]] = [[] for _ in range(size)]
    if rng.random() < 0.5:
        for index in range(size):
            _hide(rng, index, deaf[index], hidden, restarts)
    shut = rng.uniform(0, 75), rng.uniform(0, 30)
    broken = rng.random() < 0.5
    calls = [
        (called, not (broken and shut[0] <= called < shut[0] + shut[1])) for called in np.arange(0.5, 70, 2.5).tolist()
    ]
    indicator = rng.choice(INDICATORS)
    draft = Room(deaf, hidden, restarts, calls, indicator, 0.0)
    return Room(deaf, hidden, restarts, calls, indicator, _bound(rng, indicator, truth(draft, deaf)))


def _outages(rng: random.Random) -> Iterator[tuple[float, float]]:
    """When the room stops, and for how long: of the fault, of a relapse, and seldom before the fault."""
    if rng.random() < 0.05:
        yield rng.uniform(0, 8), rng.uniform(0.5, 6)
    at = FAULT + rng.uniform(0.1, 3)
    length = rng.choice([rng.uniform(0.7, 6), rng.uniform(2, 25), 70.0])
    if rng.random() < 0.85:
        yield at, length
    if rng.random() < 0.3:
        yield at + length + rng.uniform(1, 25), rng.choice([rng.uniform(1.5, 20), 70.0])


def _parted(stretches: list[Stretch]) -> list[Stretch]:
    """In order, with at least 0.3 s of sound between two: less is bridged by the listener."""
    parted: list[Stretch] = []
    for first, last in sorted(stretches):
        if last <= first:
            continue
        if parted and first - parted[-1][1] < cells(0.3):
            parted[-1] = parted[-1][0], max(last, parted[-1][1])
        else:
            parted.append((first, last))
    return parted


def _hide(
    rng: random.Random, index: int, deaf: list[Stretch], hidden: list[list[Stretch]], restarts: list[int | None]
) -> None:
    """Leave something out of what a resident tells, but nothing of what may be a relapse."""
    chance = rng.random()
    if chance > 0.4:
        return
    first = cells(rng.uniform(1, 76))
    last = first + cells(rng.uniform(0.1, 1.0) if chance > 0.1 else rng.uniform(3, 6))
    if chance <= 0.1:
        last = next((end for start, end in deaf if start <= last < end), last)
    last = min(last, CELLS)
    late = cells(FAULT + 9)
    if any(start < last and first < end and start > late and end - start > cells(0.3) for start, end in deaf):
        return
    hidden[index] = [(first, last)]
    restarts[index] = first + (last - first) // 2 if chance <= 0.1 else None


def _bound(rng: random.Random, indicator: Indicator, true: float) -> float:
    """A bound at random, often close to the truth, and never so close that the grid decides."""
    if indicator is OUTAGE_COUNT:
        return float(max(0, round(true) + rng.choice([-3, -1, 0, 1, 3, 50])))
    if indicator.unit.most == 1.0:
        bound = rng.choice([0.5, 0.7, 0.9, 0.95, true + 0.02, true - 0.02])
        return bound + 0.001 if abs(bound - true) < 0.0005 else bound
    bound = rng.choice([5.0, 10.0, 20.0, 25.0, true + 0.5, true - 0.5])
    if not math.isfinite(bound):
        bound = 25.0
    return bound + 0.1 if abs(bound - true) < 0.05 else max(0.0, bound)


def masks(stretches: Sequence[Sequence[Stretch]]) -> Mask:
    """One row a resident, one column a cell of the grid."""
    rows = np.zeros((len(stretches), CELLS), dtype=np.bool_)
    for row, of_resident in zip(rows, stretches, strict=True):
        for first, last in of_resident:
            row[first:last] = True
    return rows


def truth(room: Room, deaf: Sequence[Sequence[Stretch]]) -> float:
    """The true figure of the room's indicator, if the residents did not hear in these stretches. inf: without end."""
    if room.indicator is ARRIVAL_AUDIBLE:
        return _arrivals(room.calls, FAULT, END)
    start, end = cells(FAULT), cells(END)
    if room.indicator is AUDIBLE_RATIO:
        return 1.0 - float(masks(deaf)[:, start:end].mean())
    inside = [(max(first, start), last) for row in deaf for first, last in row if last > start and first < end]
    if room.indicator is OUTAGE_COUNT:
        return float(len(inside))
    if room.indicator is LONGEST_DEAD_AIR:
        return max((math.inf if last >= CELLS else (last - first) * GRID for first, last in inside), default=0.0)
    return _recovery(masks(deaf))


def _recovery(deaf: Mask) -> float:
    """From when on no second that begins in the window is short of the baseline's share less five points."""
    size, start, end = len(deaf), cells(FAULT), cells(END)
    spare = size * float(deaf[:, :start].mean()) + max(0.05 * size, 0.1) + 1e-6
    count = deaf.sum(axis=0)
    totals = np.concatenate(([0], np.cumsum(count[start:]), np.full(SECOND, count[start:].sum())))
    lacking = (totals[SECOND:] - totals[:-SECOND])[: end - start + 1] * GRID
    low = np.flatnonzero(lacking > spare)
    if not low.size:
        return 0.0
    heard = np.flatnonzero(count[start + low[-1] + 1 :] <= spare)
    if not heard.size:
        return math.inf
    recovered = int(low[-1]) + 1 + int(heard[0])
    return recovered * GRID if start + recovered + HOLD <= CELLS else math.inf


def _arrivals(calls: Sequence[tuple[float, bool]], start: float, end: float) -> float:
    heard = sum(1 for called, well in calls if well and start <= called + 1.2 < end)
    deaf = sum(1 for called, well in calls if not well and start < called + 5 <= end)
    return heard / (heard + deaf)


def met(room: Room, figure: float) -> bool:
    """Whether a figure is within the bound."""
    if room.indicator.unit.most == 1.0:
        return figure >= room.bound - 1e-9
    return figure <= room.bound + 1e-9


def told(room: Room) -> Timeline:
    """What the listeners tell of it."""
    timeline = Timeline()
    boots: tuple[list[Span], list[Span]] = ([], [])
    for index, deaf in enumerate(room.deaf):
        hidden, restart = room.hidden[index], room.restarts[index]
        cuts = sorted({0, CELLS, *(cell for stretch in (*deaf, *hidden) for cell in stretch)})
        for first, last in pairwise(cuts):
            unheard = any(start <= first < end for start, end in deaf)
            if any(start <= first < end for start, end in hidden):
                continue
            later = restart is not None and first >= restart
            boots[later].append(_span(index, State.NO_MEDIA if unheard else State.LIVE, first, last))
        if restart is not None:
            boots[1].append(_span(index, State.JOINING, restart, hidden[0][1]))
    visits = tuple(_visit(called, well) for called, well in room.calls)
    for visit in visits:
        boots[0].extend(_heard_by(visit))
    timeline.add(_feed("boot-1", boots[0], KNOWN - 0.01, visits))
    timeline.add(_feed("boot-2", boots[1], KNOWN, ()))
    return timeline


def _span(index: int, state: State, first: int, last: int) -> Span:
    return Span(f"r{index}", Kind.RESIDENT, state, first * GRID, last * GRID)


def _visit(called: float, well: bool) -> Arrival:
    live = called + 1.2 if well else None
    left = called + 8.0
    return Arrival(f"a{called}", called, called + 1.0, live, live, left, "", left, left)


def _heard_by(visit: Arrival) -> Iterator[Span]:
    live, end = visit.first_live or visit.seen_until, visit.seen_until
    stretches = [(State.JOINING, visit.called, live), (State.LIVE, live, end)]
    return (Span(visit.listener, Kind.ARRIVAL, state, first, last) for state, first, last in stretches if first < last)


def _feed(boot: str, spans: list[Span], clock: float, arrivals: tuple[Arrival, ...]) -> Feed:
    ordered = tuple(sorted(spans, key=lambda span: (span.listener, span.start)))
    return Feed(boot, "room", "pod-0", EPOCH, 0.0, clock, None, 0.0, 1, 0, ordered, (), (), arrivals)


def judged(room: Room) -> Verdict:
    """The verdict on what was told."""
    timeline, residents = told(room), [f"r{index}" for index in range(len(room.deaf))]
    before = timeline.view(Window(EPOCH + BASELINE, EPOCH + FAULT), residents, KNOWN - END)
    after = timeline.view(Window(EPOCH + FAULT, EPOCH + END), residents, KNOWN - END)
    base = coverage.of(before)
    higher = room.indicator.unit.most == 1.0
    least, most = (room.bound, None) if higher else (None, room.bound)
    asked = Expectation(room.indicator, minimum=least, maximum=most)
    arrivals = room.indicator is ARRIVAL_AUDIBLE
    judgement = expectations.judge(asked, room.indicator.measure(after, Recovery(EPOCH + FAULT, base.audible)))
    evidence = Evidence(
        faults=(FaultEvidence("kill", proven=True, reverted=True),),
        expectations=(judgement,),
        baseline=base,
        judged=coverage.of(after),
        newcomers=(expectations.judge(asked, room.indicator.measure(before, None)),) if arrivals else (),
    )
    return verdict.decide(evidence).verdict


def demanded(room: Room) -> bool:
    """Whether what was left out, or the room before the fault, allows no verdict."""
    hidden, deaf = masks(room.hidden), masks(room.deaf)
    start, end, size = cells(FAULT), cells(END), len(room.deaf)
    dead = deaf | hidden
    windows = slice(start), slice(start, end)
    if dead[:, :start].mean() > 0.05 - 1e-6 or any(hidden[:, window].mean() > 0.05 - 1e-6 for window in windows):
        return True
    if int((hidden[:, end - 1] & hidden[:, -1]).sum()) > 0.05 * size:
        return True
    if room.indicator is ARRIVAL_AUDIBLE:
        return _arrivals(room.calls, BASELINE, FAULT) < room.bound + 1e-9
    if hidden.any() and room.indicator in {OUTAGE_COUNT, RECOVERY_TIME}:
        return True  # the most that may be hidden is no single room
    worlds = [[_whole(row) for row in world] for world in (deaf & ~hidden, dead)]
    figures = [truth(room, world) for world in worlds]
    return met(room, figures[0]) is not met(room, figures[1]) or math.inf in figures


def _whole(row: Mask) -> list[Stretch]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def tally(seed: int, numbers: Iterable[int]) -> Tally:
    """Judge the rooms of these numbers."""
    result = Tally()
    for number in numbers:
        drawn = room(seed, number)
        answer = judged(drawn)
        result.verdicts[str(answer)] += 1
        well = met(drawn, truth(drawn, drawn.deaf))
        wrong = (answer is Verdict.PASSED and not well) or (answer is Verdict.FAILED and well)
        needless = answer is Verdict.INCONCLUSIVE and not demanded(drawn)
        result.wrong += wrong
        result.needless += needless
        if wrong or needless:
            result.examples.append(number)
    return result


def main(say: Callable[[str], object] = print) -> int:
    """Judge many rooms on all cores, and write how often a verdict was wrong or needless. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=ROOMS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    say(f"seed {options.seed}")
    total = Tally()
    batches = [range(first, min(first + BATCH, options.rooms)) for first in range(0, options.rooms, BATCH)]
    with ProcessPoolExecutor() as pool:
        for part in pool.map(tally, [options.seed] * len(batches), batches):
            total.verdicts += part.verdicts
            total.wrong, total.needless = total.wrong + part.wrong, total.needless + part.needless
            total.examples += part.examples[:5]
            done = sum(total.verdicts.values())
            sys.stderr.write(f"\r{done} of {options.rooms} rooms, {total.wrong} wrong, {total.needless} needless")
    sys.stderr.write("\n")
    for name, count in sorted(total.verdicts.items()):
        say(f"{name:<14}{count:>8}")
    say(f"{'wrong':<14}{total.wrong:>8}\n{'needless':<14}{total.needless:>8}")
    if total.examples:
        say(f"rooms to look at: {total.examples[:20]}")
    figures = {"rooms": options.rooms, "seed": options.seed, "wrong": total.wrong, "needless": total.needless}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures | {name.lower(): count for name, count in total.verdicts.items()}) + "\n")
    return 1 if total.wrong or total.needless else 0


if __name__ == "__main__":
    sys.exit(main())
