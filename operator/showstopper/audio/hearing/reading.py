"""What 100 ms of sound say: the time on the code's hands, the hold loop's triad, and how loud.

All seconds of the cycle are tried at once: the finest hand gives the fraction of a second, and the second whose
predicted pitches hold most of the window's energy wins. That is steadier than picking each hand's peak by itself: of
windows after 16 kbps Opus, 2.3 % were read wrong by their peaks, and none this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from showstopper.audio.timecode import CYCLE_SECONDS, HANDS, HOLD_PITCHES, Samples

RATE = 8000
"""Samples per second at which sound is read."""

SLICE = RATE // 50
"""Samples of a slice: 20 ms, the grain of an edge."""

SLICES = 5
"""Slices of a window."""

WINDOW = SLICE * SLICES
"""Samples of a window: 100 ms, the grain of a reading."""

CLEAR_SHARE = 0.4
"""Of the window's energy, what must lie on the four hands. White noise reaches 0.15. Of live windows after 16 kbps Opus
and 5 % loss, 95 of 100 have more."""

CLEAR_HAND = 0.02
"""Of the window's energy, what must lie on each hand."""

CLEAR_MARGIN = 0.05
"""By how much (of the energy) the winning second must beat every other one but its neighbours."""

CLEAR_SHARPNESS = 0.6
"""How sharp the finest hand must be when its sweep is undone, against what stands still in its band: below one, because
of what the player freezes to conceal a loss."""

HOLD_SHARE = 0.6
"""Of the window's energy, what must lie on the hold loop's triad."""

HOLD_PITCH = 0.05
"""Of the window's energy, what must lie on each pitch of the triad."""

_BINS = 2048
_HERTZ = RATE / _BINS
_LOBE = 3
_FINE = HANDS[-1]
_BAND = slice(int(_FINE.low / _HERTZ) - 2, int(_FINE.high / _HERTZ) + 3)
_STEPS = 64
"""Fractions of a second for which the pitches of all seconds are tabled: at most 1.2 Hz off, a third of a bin."""

_SHAPE = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
_MIDDLE = (np.arange(WINDOW) - (WINDOW - 1) / 2) / RATE
_UNBEND = (_SHAPE * np.exp(-1j * np.pi * _FINE.slope * _MIDDLE**2)).astype(np.complex64)
"""Undoes the finest hand's sweep within a window, which smears it over 70 Hz: after it, the hand is one sharp line."""


def _table() -> NDArray[np.intp]:
    """The spectrum bin of each coarse hand (last axis) at each second (middle) and fraction of a second (first)."""
    seconds = np.arange(_STEPS + 1)[:, None] / _STEPS + np.arange(CYCLE_SECONDS)
    bins = [np.rint((hand.low + hand.slope * (seconds % hand.period)) / _HERTZ) for hand in HANDS[:-1]]
    return np.stack(bins, axis=-1).astype(np.intp)


_TABLE = _table()
_TRIAD = np.rint(np.array(HOLD_PITCHES) / _HERTZ).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Readings:
    """What each of n windows says. Every field is an array of n."""

    seconds: NDArray[np.float64]
    """The time on the hands in the middle of the window, in seconds modulo the cycle. Valid where `clear`."""
    clear: NDArray[np.bool_]
    """Whether the window is a time code beyond doubt."""
    hold: NDArray[np.bool_]
    """Whether the window is the hold loop."""

    def joined(self, later: Readings) -> Readings:
        """These windows and those after them."""
        return Readings(
            np.append(self.seconds, later.seconds), np.append(self.clear, later.clear), np.append(self.hold, later.hold)
        )

    def after(self, count: int) -> Readings:
        """All but the first `count` windows."""
        return Readings(self.seconds[count:], self.clear[count:], self.hold[count:])


def levels(slices: Samples) -> NDArray[np.float64]:
    """The loudness of each row in dBFS (root mean square, a full-scale square wave is 0)."""
    power = np.mean(np.square(slices, dtype=np.float64), axis=-1)
    return np.asarray(10 * np.log10(power + 1e-12), dtype=np.float64)


def unread(count: int) -> Readings:
    """Readings of `count` windows that nobody looked at."""
    return Readings(np.zeros(count), np.zeros(count, bool), np.zeros(count, bool))


def read(windows: Samples) -> Readings:
    """What the windows say: an array of n rows of 100 ms at 8 kHz, samples in -1..1."""
    rows = np.arange(len(windows))
    power = np.square(np.abs(np.fft.rfft(windows * _SHAPE, _BINS)))
    total = power.sum(axis=1) + 1e-9
    power /= total[:, None]
    summed = _summed(power)
    unbent = np.square(np.abs(np.fft.fft(windows * _UNBEND, _BINS)[:, _BAND])) / total[:, None]
    fraction, fine = _finest(unbent)
    bins = _TABLE[np.rint(fraction * _STEPS).astype(np.intp)]
    shares = _around(summed, rows[:, None, None], bins)
    score = shares.sum(axis=2)
    second = score.argmax(axis=1)
    best = score[rows, second]
    for near in (-1, 0, 1):
        score[rows, (second + near) % CYCLE_SECONDS] = 0
    hands = np.column_stack((shares[rows, second], fine))
    clear = (hands.sum(axis=1) > CLEAR_SHARE) & (hands.min(axis=1) > CLEAR_HAND)
    clear &= best - score.max(axis=1) > CLEAR_MARGIN
    # A hand that moves is more than twice as sharp unbent, and a note that stands still half as sharp.
    clear &= unbent.max(axis=1) > CLEAR_SHARPNESS * power[:, _BAND].max(axis=1)
    triad = _around(summed, rows[:, None], np.broadcast_to(_TRIAD, (len(rows), len(_TRIAD))))
    hold = (triad.sum(axis=1) > HOLD_SHARE) & (triad.min(axis=1) > HOLD_PITCH)
    return Readings(seconds=(second + fraction) % CYCLE_SECONDS, clear=clear & ~hold, hold=hold)


def _finest(unbent: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The fraction of a second on the finest hand, and its share of the energy, from its unbent spectra."""
    rows = np.arange(len(unbent))
    peak = np.clip(unbent.argmax(axis=1), 1, unbent.shape[1] - 2)
    # A parabola through the logarithms of the three bins at the peak gives the pitch between them.
    left, top, right = (np.log(unbent[rows, peak + offset] + 1e-12) for offset in (-1, 0, 1))
    pitch = (_BAND.start + peak + (left - right) / (2 * (left - 2 * top + right) - 1e-12)) * _HERTZ
    share = _around(_summed(unbent), rows, np.clip(peak, _LOBE, unbent.shape[1] - 1 - _LOBE))
    return ((pitch - _FINE.low) / _FINE.slope) % 1.0, share


def _summed(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Running sums along each row, beginning with zero: differences of two are sums over a stretch of bins."""
    sums = np.zeros((len(power), power.shape[1] + 1))
    np.cumsum(power, axis=1, out=sums[:, 1:])
    return sums


def _around(summed: NDArray[np.float64], rows: NDArray[np.intp], bins: NDArray[np.intp]) -> NDArray[np.float64]:
    """The energy within a main lobe around each bin."""
    return np.asarray(summed[rows, bins + _LOBE + 1] - summed[rows, bins - _LOBE], dtype=np.float64)
