"""Classes of sound: windows of 100 ms say what it is, slices of 20 ms say where it begins and ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from showstopper.audio.hearing.reading import SLICES, Readings
from showstopper.audio.timecode import CYCLE_SECONDS
from showstopper.availability.spans import State

T = TypeVar("T")

SILENT_DBFS = -50.0
"""What is softer than this for a whole window is silence (the broadcast tools' thresholds lie between -40 and -60)."""

BRIDGE_SLICES = 15
"""Sound that says nothing clear takes its neighbours' class if it is no longer than 300 ms: lost packets garble single
windows, the player stretches time in its first moments, and what it makes up before silence (0.1 to 0.3 s) belongs to
what was heard before."""

GARBLED_SLICES = 20
"""Sound in which no window has a code is not the host's from 400 ms on. What is shorter may be the edge of two sounds
or a few windows that were read badly: it says nothing clear, and is Unclear. Measured over five minutes without loss:
after 16 and 24 kbps Opus no more than two windows in a row had no code, after 32 kbps none (after 12 kbps six)."""

_UNREAD = frozenset({State.UNCLEAR, State.GARBLED})

AGREE_SECONDS = 0.06
"""A code counts if a neighbour says the same delay within this: the player stretches a window by less."""

EARLY_SECONDS = 5.0
"""How far in the future a code may lie: as much as it may be old, since either clock may be ahead. By how much the
clocks of host and listener disagree, the operator knows. From 2 s on it allows no verdict (`engine/rooms/skew.py`)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How sound is judged.

    With `coded`, live is a fresh time code, and silence is a window without sound. Without, somebody else speaks: any
    sound is live, and quiet that is shorter than `pause_seconds` is a pause of speech.
    """

    coded: bool = True
    stale_seconds: float = 5.0
    pause_seconds: float = 2.0

    @classmethod
    def of_program(cls, program: str, stale_seconds: float) -> Rules:
        """Those of a room: a managed host speaks in code, and somebody else does not."""
        return cls(coded=program == "Managed", stale_seconds=stale_seconds)

    @property
    def quiet_slices(self) -> int:
        """How many soft slices in a row are silence."""
        return SLICES if self.coded else max(SLICES, round(self.pause_seconds * 50))

    @property
    def margin(self) -> int:
        """How many windows on either side a slice's class can depend on."""
        return 2 + -(-max(BRIDGE_SLICES, GARBLED_SLICES, self.quiet_slices) // SLICES)


def classify(readings: Readings, walls: NDArray[np.float64], rules: Rules) -> tuple[list[State], NDArray[np.float64]]:
    """The class of each window by its sound alone, and its mouth-to-ear delay in seconds (NaN: no confirmed code).

    `walls` are the wall-clock times of the windows' middles. A code is believed only if the window before or after it
    agrees: after heavy loss one window of a thousand is read wrong, and two wrong ones in a row do not agree. One that
    is not believed is Unclear. Where there is neither code nor hold loop, it is Garbled, as far as a window can tell.
    """
    delays = (walls - readings.seconds + EARLY_SECONDS) % CYCLE_SECONDS - EARLY_SECONDS
    delays[~readings.clear] = np.nan
    agree = np.abs(np.diff(delays)) < AGREE_SECONDS
    delays[~(np.append(agree, False) | np.insert(agree, 0, False))] = np.nan
    states = [
        State.HOLD if hold else _by_code(clear, delay, rules)
        for hold, clear, delay in zip(readings.hold.tolist(), readings.clear.tolist(), delays.tolist(), strict=True)
    ]
    return states, delays


def _by_code(clear: bool, delay: float, rules: Rules) -> State:
    if math.isnan(delay):
        return State.UNCLEAR if clear else State.GARBLED
    return by_delay(delay, rules)


def by_delay(delay: float, rules: Rules) -> State:
    """Live, or Stale: the class of the host's sound that is heard so many seconds after it was spoken."""
    return State.LIVE if -EARLY_SECONDS <= delay <= rules.stale_seconds else State.STALE


def label(windows: Sequence[State], loud: Sequence[bool], rules: Rules) -> list[State]:
    """The class of every slice, from the class of every window and from which slices are loud (five times as many)."""
    labels = [state for state in windows for _ in range(SLICES)]
    for start, end, is_loud in runs(loud):
        if not is_loud and end - start >= rules.quiet_slices:
            labels[start:end] = [State.SILENT] * (end - start)
        elif not rules.coded:
            labels[start:end] = [State.LIVE] * (end - start)
    return _settled(labels)


def _settled(labels: list[State]) -> list[State]:
    """Short unclear stretches take the class of the sound beside them, but not between two different sounds.

    In the others, sound without a code is Garbled where it is long enough, and Unclear where it is not.
    """
    result = list(labels)
    for start, end, unclear in runs(state in _UNREAD for state in labels):
        if not unclear:
            continue
        beside = {*labels[start - 1 : start], *labels[end : end + 1]} - {State.SILENT}
        if end - start <= BRIDGE_SLICES and len(beside) <= 1:
            result[start:end] = [beside.pop() if beside else State.SILENT] * (end - start)
        else:
            result[start:end] = _long_enough(labels[start:end])
    return result


def _long_enough(labels: list[State]) -> list[State]:
    """The same, with Unclear for what is too short to be Garbled."""
    return [
        State.UNCLEAR if end - start < GARBLED_SLICES else state
        for start, end, state in runs(labels)
        for _ in range(end - start)
    ]


def runs(values: Iterable[T]) -> list[tuple[int, int, T]]:
    """Runs of equal values as (start, end, value)."""
    stretches, at = [], 0
    for value, group in groupby(values):
        count = sum(1 for _ in group)
        stretches.append((at, at + count, value))
        at += count
    return stretches
