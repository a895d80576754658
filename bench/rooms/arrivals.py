"""Newcomers as they truly fared: who got in, who heard the host, and how long they waited for a sound."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.rooms.room import ANYTHING, DUE, GRID, Call, Range, Room, Stretch


@dataclass(frozen=True)
class Fate:
    """What became of a call, and whether that was told."""

    good: bool
    told: bool


def joined(room: Room, window: Stretch) -> float:
    """Those who were in within five seconds, over those who tried."""
    return _share(list(_joins(room, window)))


def joined_range(room: Room, window: Stretch) -> Range:
    """All that were lost sight of were in, or none."""
    return _range(list(_joins(room, window)))


def heard(room: Room, window: Stretch) -> float:
    """Those who heard the host within five seconds, over those who tried."""
    return _share(list(_hearings(room, window)))


def heard_range(room: Room, window: Stretch) -> Range:
    """All of whom it is not known have heard it, or none."""
    return _range(list(_hearings(room, window)))


def _joins(room: Room, window: Stretch) -> Iterator[Fate]:
    for call in room.calls:
        fate = _fate(call, call.joined, call.joined, None, window)
        if fate is not None:
            yield fate


def _hearings(room: Room, window: Stretch) -> Iterator[Fate]:
    for call in room.calls:
        fate = _fate(call, call.live, call.heard, _host_missed(room, call), window)
        if fate is not None:
            yield fate


def _host_missed(room: Room, call: Call) -> int | None:
    """From when on a newcomer that was in the room waited for a host that was away. None: it did not."""
    if call.joined is None or call.joined >= call.seen:
        return None
    waited = call.seen if call.heard is None else min(call.heard, call.seen)
    pieces = (each for each in room.absences if each.first < waited and each.felt > call.joined)
    return next((max(call.joined, each.first) for each in pieces), None)


def _fate(call: Call, true: int | None, reported: int | None, missed: int | None, window: Stretch) -> Fate | None:
    """The fate of a call, in the window in which it was sealed. One that is not known belongs wherever it may."""
    start, end = window
    due = call.called + DUE
    good = true is not None and true <= due
    if reported is not None and reported <= due and reported < call.seen:
        return Fate(good=True, told=True) if start <= reported < end else None
    sure = call.seen if missed is None else min(call.seen, missed)
    if sure < due and (missed is not None or call.lost is not None):
        return Fate(good, told=False) if sure < end and call.seen >= start else None
    if call.left <= due:
        return Fate(good=False, told=True) if start <= call.left < end else None
    return Fate(good=False, told=True) if start < due <= end else None


def _share(fates: list[Fate]) -> float:
    return sum(fate.good for fate in fates) / len(fates) if fates else math.nan


def _range(fates: list[Fate]) -> Range:
    good = sum(fate.good and fate.told for fate in fates)
    free = sum(not fate.told for fate in fates)
    if len(fates) == free:
        return ANYTHING
    return good / len(fates), (good + free) / len(fates)


def wait(room: Room, window: Stretch) -> float:
    """What nineteen of twenty newcomers did not wait longer for, until the first sound. inf: they heard none."""
    return _slowest([true for true, _, _ in _waits(room, window)])


def wait_range(room: Room, window: Stretch) -> Range:
    """Who was lost sight of, or left without a sound, waited at least until then, and perhaps for ever."""
    waits = list(_waits(room, window))
    if not waits:
        return ANYTHING
    return _slowest([least for _, least, _ in waits]), _slowest([most for _, _, most in waits])


def _slowest(waits: list[float]) -> float:
    return sorted(waits)[math.ceil(0.95 * len(waits)) - 1] if waits else math.nan


def _waits(room: Room, window: Stretch) -> Iterator[tuple[float, float, float]]:
    """For each call that counts in the window: how long it waited, and between which bounds that is told."""
    start, end = window
    for call in room.calls:
        missed = _host_missed(room, call)
        sure = call.seen if missed is None else min(call.seen, missed)
        true = math.inf if call.audio is None else (call.audio - call.called) * GRID
        known = call.audio is not None and call.audio < call.seen and (missed is None or call.audio <= missed)
        if known and call.audio is not None and call.audio < end:
            if call.audio >= start:
                yield true, true, true
        elif call.lost is None and missed is None and call.left < end:
            if call.left >= start:
                yield math.inf, math.inf if call.refused else (call.left - call.called) * GRID, math.inf
        elif sure >= end:
            if call.called + DUE <= end:
                yield true, (end - call.called) * GRID, math.inf
        elif call.seen >= start:
            yield true, (sure - call.called) * GRID if sure >= start else 0.0, math.inf
