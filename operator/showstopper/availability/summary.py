"""Summary: what was measured, as plain data for a status: texts rounded for people, numbers only for counts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from showstopper.availability import coverage, figures, outages
from showstopper.availability.expectations import Judgement
from showstopper.availability.figures import duration, figure, margin, share
from showstopper.availability.indicators import Recovery, measure_all
from showstopper.availability.indicators.listening import seconds_in
from showstopper.availability.measurements import Measurable, Measurement
from showstopper.availability.outages import Outage
from showstopper.availability.spans import NOISE, UNCERTAIN, State
from showstopper.availability.tracks import View

__all__ = [
    "Row",
    "duration",
    "figure",
    "judgement",
    "measurement",
    "outage",
    "rows",
    "share",
    "shown",
    "window",
    "worst_outages",
]


def window(view: View, recovery: Recovery | None = None) -> dict[str, Any]:
    """All indicators of a window and how much of it is Unknown."""
    return of_measured(coverage.of(view), measure_all(view, recovery))


def of_measured(covered: coverage.Coverage, measurements: Mapping[Measurable, Measurement]) -> dict[str, Any]:
    """The same from what was already computed."""
    return {
        "duration": duration(covered.window.seconds),
        "residents": covered.intended,
        "unknown": share(covered.unknown_share),
        "indicators": [measurement(figure) for figure in measurements.values()],
    }


def measurement(result: Measurement) -> dict[str, Any]:
    """What was measured, with bounds only where the truth is not exactly known. What is empty is left out."""
    unit = result.unit
    fields = {
        "indicator": result.measured.name,
        "value": _text(result, result.value),
        "atLeast": None if result.exact or not result.samples else _text(result, result.lower),
        "atMost": None if result.exact or not result.samples else _text(result, result.upper),
        "samples": result.samples,
        "worstListener": result.worst_listener,
        "worst": None if result.worst_value is None else figure(unit, result.worst_value),
        "reason": result.reason,
    }
    return {key: value for key, value in fields.items() if value not in {None, ""}}


def judgement(judged: Judgement) -> dict[str, Any]:
    """An expectation, what was measured, and what follows."""
    asked, unit = judged.expectation, judged.measurement.unit
    fields = {
        "indicator": asked.measured.name,
        "min": None if asked.minimum is None else figure(unit, asked.minimum),
        "max": None if asked.maximum is None else figure(unit, asked.maximum),
        "outcome": str(judged.outcome),
        "value": shown(judged.measurement),
        "margin": None if judged.margin is None else margin(unit, judged.margin),
        "message": judged.sentence,
    }
    return {key: value for key, value in fields.items() if value is not None}


def shown(result: Measurement) -> str | None:
    """The value, or what it is at least: a room that did not recover was watched not to for some time."""
    if result.value is None and result.samples and NOISE < result.lower < math.inf:
        return figures.at_least(result.unit, result.lower)
    return _text(result, result.value)


def worst_outages(view: View, most: int = 20) -> list[dict[str, Any]]:
    """The outages with the most dead air, worst first."""
    ranked = sorted(outages.of_view(view), key=lambda row: (-row.dead_air, row.start, row.listener))
    return [outage(row, view.window.start) for row in ranked[:most]]


def outage(dead: Outage, origin: float) -> dict[str, Any]:
    """An outage. `after` is its start, counted from `origin`. Media missing stands beside dead air heard."""
    return {
        "listener": dead.listener,
        "after": duration(dead.start - origin),
        "deadAir": duration(dead.dead_air),
        "silence": duration(dead.silence),
        "missing": duration(dead.missing),
        "recovered": dead.recovered,
        "ended": str(dead.ended),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One resident in a window: its state at the end, the share of the known time in which it heard, its outages."""

    listener: str
    state: State
    audible: float | None
    longest_dead_air: float
    outages: int


def rows(view: View) -> tuple[Row, ...]:
    """One row per resident, in the order of their names."""
    table = []
    for track in view.residents:
        known = view.window.seconds - seconds_in(track, *UNCERTAIN)
        dead = [row.dead_air for row in outages.of_track(track)]
        table.append(
            Row(
                listener=track.listener,
                state=track.spans[-1].state if track.spans else State.UNKNOWN,
                audible=min(1.0, seconds_in(track, State.LIVE) / known) if known > 0 else None,
                longest_dead_air=max(dead, default=0.0),
                outages=len(dead),
            )
        )
    return tuple(table)


def _text(result: Measurement, value: float | None) -> str | None:
    return None if value is None or math.isinf(value) else figure(result.unit, value)
