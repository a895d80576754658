"""The time code: four tones whose pitch moves like the hands of a clock, so that any 100 ms of it tell the time.

Each hand sweeps its band from low to high in its period, then starts again. There is no framing and no alignment, and
all of it lies below 3 kHz, where narrowband Opus keeps it. The hold loop is a fixed triad below every hand's band. Both
are pure functions of time: no state, no drift. `hearing/reading.py` reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hand:
    """One tone: its band in hertz and the seconds of one sweep.

    Mean pitch times period is a whole number of cycles, so that the phase is continuous over the reset.
    """

    low: float
    high: float
    period: float

    @property
    def slope(self) -> float:
        """The sweep's speed in hertz per second."""
        return (self.high - self.low) / self.period


HANDS = (Hand(400, 780, 512), Hand(830, 1210, 64), Hand(1260, 1860, 8), Hand(1940, 2640, 1))
"""From coarse to fine. The code repeats after the coarsest hand's period. Each period is eight times the next, so that
two different seconds are at least 47 Hz apart at one hand, as a 100 ms window needs to tell them apart after the codec
(with periods of 480 and 60 s, six times more windows were read wrong, by 56 or 64 s)."""

CYCLE_SECONDS = int(HANDS[0].period)

HOLD_PITCHES = (220.0, 277.0, 330.0)
"""The hold loop's triad in hertz (A major), 70 Hz below the lowest hand."""

TREMOLO_HERTZ = 0.5
TREMOLO_DEPTH = 0.3

AMPLITUDE = 10 ** (-9 / 20)
"""Highest peak of the sum of all tones: -9 dBFS."""


def encode(start: float, count: int, rate: int) -> Samples:
    """The time code of `count` samples (in -1..1) at `rate` from the moment `start`, in seconds since the epoch."""
    elapsed = np.arange(count) / rate
    total = np.zeros(count)
    for hand in HANDS:
        # The start is reduced before the samples are added: a double at 1.8e9 s resolves only 0.24 µs.
        inside = (start % hand.period + elapsed) % hand.period
        total += np.sin(2 * np.pi * (hand.low + hand.slope / 2 * inside) * inside)
    return (total * (AMPLITUDE / len(HANDS))).astype(np.float32)


def encode_hold(start: float, count: int, rate: int) -> Samples:
    """The hold loop of `count` samples (in -1..1) at `rate` from the moment `start`: a triad with a slow tremolo."""
    times = start % (1 / TREMOLO_HERTZ) + np.arange(count) / rate
    total = np.zeros(count)
    for pitch in HOLD_PITCHES:
        total += np.sin(2 * np.pi * pitch * times)
    tremolo = 1 - TREMOLO_DEPTH / 2 * (1 - np.cos(2 * np.pi * TREMOLO_HERTZ * times))
    return (total * tremolo * (AMPLITUDE / len(HOLD_PITCHES))).astype(np.float32)


def encode_silence(_start: float, count: int, _rate: int) -> Samples:
    """`count` samples of silence, whatever the moment and the rate."""
    return np.zeros(count, np.float32)
