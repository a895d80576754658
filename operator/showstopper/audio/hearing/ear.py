"""An ear hears one track: frames in as they arrive, classed stretches of sound out a little later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from showstopper.audio.clock import SampleClock
from showstopper.audio.hearing import reading
from showstopper.audio.hearing.classify import SILENT_DBFS, Rules, classify, label, runs
from showstopper.availability.spans import State

QUANTUM = np.float32(1 / 32768)
"""One step of a 16-bit sample."""


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """[start, end) on the monotonic clock in one class: Live, Hold, Stale, Silent, Garbled, or Unclear.

    Garbled is sound that is not the host's, unless the player made it up. Unclear is sound that says nothing clear.
    `delay` is the mean mouth-to-ear delay, if there was a code. `quiet` marks a pause of speech.
    """

    state: State
    start: float
    end: float
    delay: float | None = None
    quiet: bool = False


class Ear:
    """Gives out each slice once, when nothing that may still come can change its class."""

    def __init__(self, rules: Rules, wall: Callable[[float], float]) -> None:
        """`wall` turns a monotonic time into wall-clock time."""
        self.clock = SampleClock(reading.RATE)
        self.heard_until: float | None = None
        self._rules = rules
        self._wall = wall
        self._frames: list[NDArray[np.int16]] = []
        self._received = 0
        self._first = 0  # the window, counted from the beginning of the stream, that the kept arrays begin with
        self._given = 0  # slices given out, counted likewise
        self._loud = np.zeros(0, bool)
        self._readings = reading.Readings(np.zeros(0), np.zeros(0, bool), np.zeros(0, bool))

    def listen(self, frame: NDArray[np.int16], at: float) -> None:
        """Take a frame of samples at 8 kHz that arrived at monotonic time `at`."""
        self._frames.append(frame)
        self._received += len(frame)
        self.clock.arrived(self._received, at)

    def heard(self, *, ended: bool = False) -> list[HeardSpan]:
        """The stretches since the last call. With `ended`, up to the last whole window that was heard."""
        self._read()
        known = self._first + len(self._readings.clear)
        until = max(self._given, (known - (0 if ended else self._rules.margin)) * reading.SLICES)
        if until == self._given:
            return []
        stretches = self._classed(until)
        self.heard_until = stretches[-1].end
        self._given = until
        self._forget()
        return stretches

    def _read(self) -> None:
        """Read the whole windows among the frames that have arrived."""
        if sum(map(len, self._frames)) < reading.WINDOW:
            return
        samples = np.concatenate(self._frames)
        whole = len(samples) // reading.WINDOW * reading.WINDOW
        self._frames = [samples[whole:]]
        sound = samples[:whole].astype(np.float32) * QUANTUM
        self._loud = np.append(self._loud, reading.levels(sound.reshape(-1, reading.SLICE)) >= SILENT_DBFS)
        if self._rules.coded:
            self._readings = self._readings.joined(reading.read(sound.reshape(-1, reading.WINDOW)))
        else:
            self._readings = self._readings.joined(reading.unread(whole // reading.WINDOW))

    def _classed(self, until: int) -> list[HeardSpan]:
        """The stretches from the last slice given out up to slice `until`."""
        middles = (self._first + np.arange(len(self._readings.clear)) + 0.5) * reading.WINDOW
        began = self.clock.time_of(0)
        walls = middles / reading.RATE + self._wall(began)
        states, delays = classify(self._readings, walls, self._rules)
        offset = self._first * reading.SLICES
        labels = label(states, self._loud.tolist(), self._rules)
        chosen = slice(self._given - offset, until - offset)
        quiet = ~self._loud[chosen] & (not self._rules.coded)
        marks = list(zip(labels[chosen], quiet.tolist(), strict=True))
        by_slice = np.repeat(delays, reading.SLICES)[chosen]
        stretches = []
        for start, end, (state, is_quiet) in runs(marks):
            times = [began + (self._given + at) * reading.SLICE / reading.RATE for at in (start, end)]
            delay = _mean(by_slice[start:end]) if state in (State.LIVE, State.STALE) else None
            stretches.append(HeardSpan(state, times[0], times[1], delay, is_quiet and state is State.LIVE))
        return self._joined(stretches)

    def _joined(self, stretches: list[HeardSpan]) -> list[HeardSpan]:
        """The same without overlap or hole to what was given out before: the clock moves a little as it settles."""
        until = self.heard_until
        if until is None:
            return stretches
        later = [stretch for stretch in stretches if stretch.end > until] or stretches[-1:]
        first = later[0]
        later[0] = HeardSpan(first.state, until, max(first.end, until), first.delay, first.quiet)
        return later

    def _forget(self) -> None:
        """Drop the windows that no later class can depend on."""
        spare = self._given // reading.SLICES - self._rules.margin - self._first
        if spare > 0:
            self._first += spare
            self._loud = self._loud[spare * reading.SLICES :]
            self._readings = self._readings.after(spare)


def _mean(delays: NDArray[np.float64]) -> float | None:
    known = delays[~np.isnan(delays)]
    return float(known.mean()) if len(known) else None
