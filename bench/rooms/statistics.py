"""The quality of the sound as it truly was, from rows of statistics."""

import math

import numpy as np

from bench.rooms.room import ANYTHING, GRID, ROW, Figures, Mask, Range, Room, Rows

PERCENTILE = 0.95


def share(room: Room, part: str, whole: str) -> float:
    """The part over the whole, of all residents in the window."""
    parts, wholes = _sum(room, part), _sum(room, whole)
    return parts / wholes if wholes > 0 else math.nan


def share_range(room: Room, part: str, whole: str, per_second: float) -> Range:
    """What was not told held as much as can come in that time, and all or none of it was of the part."""
    told = _told(room)
    parts, wholes = _sum(room, part, told), _sum(room, whole, told)
    hidden = per_second * _untold_seconds(room, told)
    return (parts / (wholes + hidden), (parts + hidden) / (wholes + hidden)) if wholes > 0 else ANYTHING


def percentile(room: Room, figure: str) -> float:
    """What was not exceeded in 95 % of the time in which there was such a figure."""
    return _ranked(*_known(room, figure))


def percentile_range(room: Room, figure: str) -> Range:
    """What was not told was nothing at all, or without end."""
    told = _told(room)
    values, seconds = _known(room, figure, told)
    if not len(values):
        return ANYTHING
    hidden = _untold_seconds(room, told)
    least, most = (_ranked(np.append(values, each), np.append(seconds, hidden)) for each in (0.0, math.inf))
    return least, most


def _rows(room: Room) -> Rows:
    if room.rows is None:
        raise ValueError("the room was drawn without statistics")
    return room.rows


def _inside(room: Room) -> tuple[Figures, Figures, Figures]:
    """Where each row begins and ends, cut off by the window, in cells, and the part of it that is inside."""
    edges = np.arange(_rows(room).told.shape[1], dtype=np.float64) * ROW
    first, last = np.maximum(edges, room.times.fault), np.minimum(edges + ROW, room.times.end)
    return first, last, np.maximum(0.0, last - first) / ROW


def _told(room: Room) -> Mask:
    """The rows that are told, and in which the host was there."""
    first, last, _ = _inside(room)
    told: Mask = _rows(room).told.copy()
    for absence in room.absences:
        told[:, (first < absence.felt) & (last > absence.first)] = False
    return told


def _sum(room: Room, name: str, told: Mask | None = None) -> float:
    figures: Figures = getattr(_rows(room), name)
    return float((figures * _inside(room)[2] * (1.0 if told is None else told)).sum())


def _untold_seconds(room: Room, told: Mask) -> float:
    return float(((~told) * _inside(room)[2]).sum()) * ROW * GRID


def _known(room: Room, name: str, told: Mask | None = None) -> tuple[Figures, Figures]:
    """The figures in the window, and for how many seconds each of them held."""
    figures: Figures = getattr(_rows(room), name)
    seconds = np.broadcast_to(_inside(room)[2] * ROW * GRID, figures.shape)
    kept = ~np.isnan(figures) & (seconds > 0)
    if told is not None:
        kept &= told
    return figures[kept], seconds[kept]


def _ranked(values: Figures, seconds: Figures) -> float:
    """By nearest rank."""
    if not len(values):
        return math.nan
    order = np.argsort(values)
    passed = np.cumsum(seconds[order])
    return float(values[order][np.searchsorted(passed, PERCENTILE * passed[-1] - 0.001)])
