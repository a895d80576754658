"""Drawing: a room at random. What happened is drawn first, then what is hidden of it, then what is expected."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.rooms import asking, calling, hiding, quality
from bench.rooms.room import SECOND, Mask, Room, Stretch, Times, cells

APART = cells(0.3)
"""A listener bridges what is shorter than this between two stretches of the same sound."""
LOST = cells(0.9)
"""An outage of at least this length may have been one without a connection: no reconnect is shorter than 0.5 s."""
HOUR = 3600 * SECOND


def draw(seed: int, number: int) -> Room:
    """The room of that number. The same seed and number always give the same one."""
    rng = random.Random(f"{seed}/{number}")
    times = _times(rng)
    size = _size(rng) if times.known < HOUR else rng.randint(1, 6)
    outages = list(_outages(rng, times))
    stretches = [parted(each, times.known) for each in _deaf(rng, size, outages, times)]
    deaf = _mask(stretches, times.known)
    offline = _mask([list(_offline(rng, each)) for each in stretches], times.known)
    nothing = np.zeros_like(deaf)
    room = Room(times, deaf, offline, nothing, nothing, nothing, pods=_pods(rng, size))
    room = hiding.hide(rng, room, [at for at, _ in outages])
    room = replace(room, calls=calling.calls(rng, room))
    indicators = asking.indicators(rng)
    if any(indicator in asking.QUALITY for indicator in indicators):
        room = replace(room, rows=quality.rows(rng, room))
    return replace(room, asked=tuple(asking.asked(rng, room, indicator) for indicator in indicators))


def _times(rng: random.Random) -> Times:
    """Mostly a minute or two, seldom more than the hour that a listener's ring holds."""
    fault = cells(rng.uniform(5, 20))
    lasts = rng.choice([0.0, 0.0, rng.uniform(2, 20)]) if rng.random() > 0.002 else rng.uniform(3700, 4000)
    lifted = fault + cells(lasts)
    return Times(fault, lifted, lifted + cells(rng.uniform(15, 60)))


def _size(rng: random.Random) -> int:
    sizes = [rng.randint(1, 12), rng.randint(13, 60), rng.randint(61, 1000)]
    return rng.choices(sizes, [0.8, 0.19, 0.01])[0]


def _pods(rng: random.Random, size: int) -> list[range]:
    each = rng.choice([1, 1, 3, 10])
    return [range(first, min(size, first + each)) for first in range(0, size, each)]


def _outages(rng: random.Random, times: Times) -> Iterator[Stretch]:
    """When the room stops, and for how long: of the fault, of relapses, and seldom before the fault."""
    if rng.random() < 0.05:
        yield cells(rng.uniform(0, 4)), cells(rng.uniform(0.5, 4))
    at, length = times.fault + cells(rng.uniform(0.1, 3)), _length(rng, times)
    if rng.random() < 0.85:
        yield at, length
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        at += length + cells(rng.uniform(1, 25))
        length = rng.choice([cells(rng.uniform(0.5, 3)), cells(rng.uniform(1.5, 20)), times.known])
        yield at, length


def _length(rng: random.Random, times: Times) -> int:
    """Short, as of the fault, or without end."""
    lasts = times.lifted - times.fault + cells(rng.uniform(0.5, 10))
    return rng.choice([cells(rng.uniform(0.7, 6)), cells(rng.uniform(2, 25)), lasts, lasts, times.known])


def _deaf(rng: random.Random, size: int, outages: Sequence[Stretch], times: Times) -> list[list[Stretch]]:
    """Who misses which outage, and single class windows that somebody misses for another reason."""
    deaf: list[list[Stretch]] = [[] for _ in range(size)]
    for at, longest in outages:
        share = rng.choice([0.02, 0.1, 0.5, 1.0, 1.0, 1.0])
        for stretches in deaf:
            if rng.random() < share:
                first = at + cells(rng.uniform(0, 0.3))
                stretches.append((first, first + cells(0.1) + int(rng.uniform(0.8, 1.0) * longest)))
    for stretches in deaf:
        if rng.random() < 0.15:
            first = rng.randrange(times.known - cells(0.1))
            stretches.append((first, first + cells(0.1)))
        if rng.random() < 0.01:
            stretches.append((0, times.fault + cells(rng.uniform(-1, 30))))
    return deaf


def parted(stretches: Sequence[Stretch], most: int) -> list[Stretch]:
    """In order, and with some sound between two."""
    kept: list[Stretch] = []
    for first, last in sorted(stretches):
        if kept and first - kept[-1][1] < APART:
            kept[-1] = kept[-1][0], max(last, kept[-1][1])
        elif first < most:
            kept.append((first, last))
    return [(first, min(last, most)) for first, last in kept]


def _offline(rng: random.Random, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """In some of the outages the connection is lost for a part."""
    for first, last in stretches:
        if last - first >= LOST and rng.random() < 0.5:
            begin = first + rng.randrange(cells(0.3))
            yield begin, rng.randint(begin + cells(0.5), last)


def _mask(stretches: Sequence[Sequence[Stretch]], width: int) -> Mask:
    rows = np.zeros((len(stretches), width), dtype=np.bool_)
    for row, of_listener in zip(rows, stretches, strict=True):
        for first, last in of_listener:
            row[first:last] = True
    return rows
