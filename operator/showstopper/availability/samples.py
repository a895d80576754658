"""Samples: for how much of a window something held that was asked again and again. Pure.

A sample speaks for the time until the next one, if that comes soon enough. Time that no sample speaks for is Unknown:
it widens the bounds of the share, and is never taken for a yes or a no.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from showstopper.availability.measurements import Measurable, Measurement, unmeasured
from showstopper.availability.spans import Window

STALE_SECONDS = 3.0
"""Samples are taken once a second. One that is late by more than two seconds is a gap."""

# So many stretches are kept of what one expectation asks. 16 expectations together stay below 20 KiB of a record.
MOST_STRETCHES = 8
NO_SAMPLE = "nothing could be sampled in this window"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What samples said of [start, end), in seconds. What is neither `held` nor `missed` is Unknown."""

    start: float
    end: float
    held: float
    missed: float
    samples: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    @property
    def pure(self) -> bool:
        """Whether it held all the time, or none of it."""
        return math.isclose(max(self.held, self.missed), self.seconds)


@dataclass(frozen=True, slots=True)
class Samples:
    """All that was sampled of one thing. The newest sample speaks for nothing until the next one comes."""

    stretches: tuple[Stretch, ...] = ()
    newest: tuple[float, bool] | None = field(default=None)

    def add(self, at: float, *, holds: bool) -> "Samples":
        """With one more sample, taken at `at` (Unix seconds). Older ones than the newest say nothing."""
        if self.newest is None:
            return Samples(self.stretches, (at, holds))
        before, held = self.newest
        if at <= before:
            return self
        if at - before > STALE_SECONDS:
            return Samples(self.stretches, (at, holds))
        seconds = at - before
        stretch = Stretch(before, at, seconds if held else 0.0, 0.0 if held else seconds, 1)
        return Samples(_appended(self.stretches, stretch), (at, holds))


def measure(measured: Measurable, stretches: Iterable[Stretch], window: Window, *, why: str = "") -> Measurement:
    """The share of the sampled time of a window in which it held.

    The bounds say what it would be if it had held all of the Unknown time, or none. Of a mixed stretch that only
    partly is in the window nobody knows which part held: the bounds allow for either.

    Args:
        measured: what was sampled, in a unit of shares.
        stretches: of its samples, in order.
        window: that is judged.
        why: what went wrong with the newest sample that failed, for people.
    """
    held = missed = certainly_held = certainly_missed = samples = 0.0
    for stretch in stretches:
        inside = min(stretch.end, window.end) - max(stretch.start, window.start)
        if inside <= 0:
            continue
        outside, part = stretch.seconds - inside, inside / stretch.seconds
        held += stretch.held * part
        missed += stretch.missed * part
        certainly_held += inside if stretch.pure and stretch.held else max(0.0, stretch.held - outside)
        certainly_missed += inside if stretch.pure and stretch.missed else max(0.0, stretch.missed - outside)
        samples += stretch.samples * part
    if held + missed <= 0.0:
        return unmeasured(measured, f"{NO_SAMPLE}: {why}" if why else NO_SAMPLE)
    unknown = window.seconds - held - missed
    gaps = f"{unknown:.1f} s of {window.seconds:.1f} s were not sampled" if unknown > 0.05 else ""
    return Measurement(
        measured,
        value=held / (held + missed),
        samples=math.ceil(samples),
        lower=certainly_held / window.seconds,
        upper=1.0 - certainly_missed / window.seconds,
        reason=f"{gaps}: {why}" if gaps and why else gaps,
    )


def _appended(stretches: tuple[Stretch, ...], newest: Stretch) -> tuple[Stretch, ...]:
    """With one more, which goes on with the last where that says the same. Too many become fewer."""
    if stretches and stretches[-1].end == newest.start and _alike(stretches[-1], newest):
        return (*stretches[:-1], _joined(stretches[-1], newest))
    kept = [*stretches, newest]
    while len(kept) > MOST_STRETCHES:
        # The pair that is shortest together loses least: only which part of it held.
        shortest = min(range(len(kept) - 1), key=lambda index: kept[index + 1].end - kept[index].start)
        kept[shortest : shortest + 2] = [_joined(kept[shortest], kept[shortest + 1])]
    return tuple(kept)


def _alike(first: Stretch, second: Stretch) -> bool:
    return first.pure and second.pure and (first.held > 0) is (second.held > 0)


def _joined(first: Stretch, second: Stretch) -> Stretch:
    return Stretch(
        first.start,
        second.end,
        first.held + second.held,
        first.missed + second.missed,
        first.samples + second.samples,
    )
