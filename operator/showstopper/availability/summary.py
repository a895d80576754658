"""Summary: what was measured, as plain data for a status: texts rounded for people, numbers only for counts."""

import math
from dataclasses import dataclass
from typing import Any

from showstopper.availability import coverage, outages
from showstopper.availability.expectations import Judgement
from showstopper.availability.figures import duration, figure, margin, share
from showstopper.availability.indicators import Indicator, Measurement, Recovery, measure_all
from showstopper.availability.listening import seconds_in
from showstopper.availability.outages import Outage
from showstopper.availability.spans import State
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
    "window",
    "worst_outages",
]


def window(view: View, recovery: Recovery | None = None) -> dict[str, Any]:
    """All indicators of a window and how much of it is Unknown."""
    return of_measured(coverage.of(view), measure_all(view, recovery))


def of_measured(covered: coverage.Coverage, measured: dict[Indicator, Measurement]) -> dict[str, Any]:
    """The same from what was already computed."""
    return {
        "duration": duration(covered.window.seconds),
        "residents": covered.intended,
        "unknown": share(covered.unknown_share),
        "indicators": [measurement(one) for one in measured.values()],
    }


def measurement(measured: Measurement) -> dict[str, Any]:
    """An indicator's figure; bounds only where the truth is not exactly known, what is empty is left out."""
    unit = measured.unit
    found = {
        "indicator": str(measured.indicator),
        "value": _text(measured, measured.value),
        "atLeast": None if measured.exact or not measured.samples else _text(measured, measured.lower),
        "atMost": None if measured.exact or not measured.samples else _text(measured, measured.upper),
        "samples": measured.samples,
        "worstListener": measured.worst_listener,
        "worst": None if measured.worst_value is None else figure(unit, measured.worst_value),
        "reason": measured.reason,
    }
    return {key: value for key, value in found.items() if value not in {None, ""}}


def judgement(judged: Judgement) -> dict[str, Any]:
    """An expectation, what was measured, and what follows."""
    asked, unit = judged.expectation, judged.measurement.unit
    found = {
        "indicator": str(asked.indicator),
        "min": None if asked.minimum is None else figure(unit, asked.minimum),
        "max": None if asked.maximum is None else figure(unit, asked.maximum),
        "outcome": str(judged.outcome),
        "value": _text(judged.measurement, judged.measurement.value),
        "margin": None if judged.margin is None else margin(unit, judged.margin),
        "message": judged.sentence,
    }
    return {key: value for key, value in found.items() if value is not None}


def worst_outages(view: View, most: int = 20) -> list[dict[str, Any]]:
    """The outages with the most dead air, worst first."""
    ranked = sorted(outages.of_view(view), key=lambda found: (-found.dead_air, found.start, found.listener))
    return [outage(found, view.window.start) for found in ranked[:most]]


def outage(found: Outage, origin: float) -> dict[str, Any]:
    """An outage; `after` is its start, counted from `origin`. Media missing stands beside dead air heard."""
    return {
        "listener": found.listener,
        "after": duration(found.start - origin),
        "deadAir": duration(found.dead_air),
        "silence": duration(found.silence),
        "missing": duration(found.missing),
        "recovered": found.recovered,
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
    found = []
    for track in view.residents:
        known = view.window.seconds - seconds_in(track, State.UNKNOWN)
        dead = [one.dead_air for one in outages.of_track(track)]
        found.append(
            Row(
                listener=track.listener,
                state=track.spans[-1].state if track.spans else State.UNKNOWN,
                audible=min(1.0, seconds_in(track, State.LIVE) / known) if known > 0 else None,
                longest_dead_air=max(dead, default=0.0),
                outages=len(dead),
            )
        )
    return tuple(found)


def _text(measured: Measurement, value: float | None) -> str | None:
    return None if value is None or math.isinf(value) else figure(measured.unit, value)
