"""Aggregates: how rows of statistics become one figure for all residents, and what Unknown time may hide."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from showstopper.availability.measurements import Measurable, Measurement, unmeasured
from showstopper.availability.spans import ROUNDING_SECONDS
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import Track, View


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted for a share: a part, and what it is a part of, which comes at most `per_second` times."""

    part: Callable[[Statistics], float]
    whole: Callable[[Statistics], float]
    per_second: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a row, and between which bounds the truth lies."""

    value: float
    lower: float
    upper: float


def unknown_seconds(track: Track, view: View) -> float:
    """For how much of the window a resident has no statistics."""
    unknown = view.window.seconds - sum(row.seconds for row in track.statistics)
    return unknown if unknown > ROUNDING_SECONDS * (1 + len(track.statistics)) else 0.0


def share(measured: Measurable, view: View, count: Count, nothing: str) -> Measurement:
    """The part over the whole, both summed over all residents. `nothing` is why there is no figure, if the whole is 0.

    Unknown time may have held as much as comes in that time, and all or none of it may have been of the part.
    """
    hidden = count.per_second * sum(unknown_seconds(track, view) for track in view.residents)
    shares: list[tuple[float, str]] = []
    parts = wholes = 0.0
    for track in view.residents:
        whole = sum(map(count.whole, track.statistics))
        if whole <= 0:
            continue
        part = min(whole, max(0.0, sum(map(count.part, track.statistics))))
        shares.append((part / whole, track.listener))
        parts, wholes = parts + part, wholes + whole
    if not shares:
        return unmeasured(measured, nothing)
    worst = max(shares)
    return Measurement(
        measured,
        value=parts / wholes,
        samples=len(shares),
        lower=parts / (wholes + hidden),
        upper=(parts + hidden) / (wholes + hidden),
        worst_listener=worst[1] if worst[0] > 0 else "",
        worst_value=worst[0] if worst[0] > 0 else None,
    )


def percentile(
    measured: Measurable, view: View, figure_of: Callable[[Statistics], Figure | None], quantile: float, nothing: str
) -> Measurement:
    """The figure that is not exceeded in that part of the residents' time, by nearest rank.

    Time in rows without the figure is left out. `nothing` is why there is no figure, if no row has one. In Unknown time
    it may have been anything from 0 on.
    """
    hidden = sum(unknown_seconds(track, view) for track in view.residents)
    known: list[tuple[Figure, float]] = []
    worst: list[tuple[float, str]] = []
    for track in view.residents:
        own = [(figure, row.seconds) for row in track.statistics if (figure := figure_of(row)) is not None]
        if own:
            worst.append((ranked(((figure.value, seconds) for figure, seconds in own), quantile), track.listener))
        known += own
    if not known:
        return unmeasured(measured, nothing)
    lowers = [(0.0, hidden), *((figure.lower, seconds) for figure, seconds in known)]
    uppers = [*((figure.upper, seconds) for figure, seconds in known), (math.inf, hidden)]
    worst_value, worst_listener = max(worst)
    return Measurement(
        measured,
        value=ranked(((figure.value, seconds) for figure, seconds in known), quantile),
        samples=len(worst),
        lower=ranked(lowers, quantile),
        upper=ranked(uppers, quantile),
        worst_listener=worst_listener,
        worst_value=worst_value,
    )


def ranked(figures: Iterable[tuple[float, float]], quantile: float) -> float:
    """Of figures that each held for some seconds, the least one that was not exceeded for that part of all seconds."""
    ordered = sorted(entry for entry in figures if entry[1] > 0)
    wanted = quantile * sum(seconds for _, seconds in ordered) - ROUNDING_SECONDS
    passed = 0.0
    for value, seconds in ordered:
        passed += seconds
        if passed >= wanted:
            return value
    return ordered[-1][0]
