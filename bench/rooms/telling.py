"""Telling: what listeners and host say of a room, as the operator reads it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.rooms.room import GRID, ROW, Call, Room, spans_of
from showstopper.availability.feed import Arrival, Feed
from showstopper.availability.hosts import Absence, HostFeed, HostLog
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.statistics import Statistics
from showstopper.availability.timeline import Timeline

EPOCH = 1_790_000_000.0
STATES = (State.LIVE, State.NO_MEDIA, State.OFFLINE, State.SILENT, State.UNKNOWN)
LIVE, NO_MEDIA, OFFLINE, SILENT, UNTOLD = range(len(STATES))
STEPPED = 30.0
"""The operator's own clock was put right by so much between two answers."""


@dataclass
class _Boot:
    """What one process tells."""

    pod: str
    id: str
    spans: list[Span] = field(default_factory=list)
    rows: list[Statistics] = field(default_factory=list)
    visits: list[Arrival] = field(default_factory=list)


def timeline(room: Room, *, halves: bool = False) -> Timeline:
    """All that listeners tell. `halves`: in two answers each, between which the operator's clock was put right."""
    told = Timeline()
    told.held = True
    known = room.times.known
    for boot, end in _boots(room):
        if halves:
            told.add(_answer(boot, max(1, min(end, known // 2)), offset=EPOCH - STEPPED))
        told.add(_answer(boot, end, offset=EPOCH))
    return told


def absences(room: Room) -> list[Absence]:
    """When the host was away, by what its processes say."""
    log = HostLog()
    window = Window(EPOCH, EPOCH + room.times.known * GRID)
    until = room.times.known * GRID
    stalls = tuple((each.first * GRID, each.last * GRID) for each in room.absences if each.stall)
    gone = next((each for each in room.absences if not each.stall), None)
    log.add(_host("host", until if gone is None else gone.first * GRID, -60.0, -55.0, stalls))
    if gone is not None:
        first, last = gone.first * GRID, gone.last * GRID
        log.add(_host("host-again", until, (first + last) / 2, last, ()))
    return log.absences(window)


def _host(boot: str, clock: float, started: float, speaks: float, stalls: tuple[tuple[float, float], ...]) -> HostFeed:
    return HostFeed(boot, EPOCH, 0.0, clock, EPOCH + clock, started, speaks, stalls)


def _boots(room: Room) -> Iterator[tuple[_Boot, int]]:
    """All processes of listeners, each with the end of what it tells. One that began later comes later."""
    pod_of = {index: number for number, pod in enumerate(room.pods) for index in pod}
    first = [_Boot(f"pod-{number}", f"{number}") for number in range(len(room.pods))]
    again: dict[int, _Boot] = {}
    for index, state, start, end in spans_of(_codes(room)):
        if state == UNTOLD:
            continue
        later = room.later.get(index)
        boot = first[pod_of[index]]
        if later is not None and start >= later[1]:
            boot = again.setdefault(pod_of[index], _Boot(boot.pod, f"{boot.id}-again"))
        boot.spans.append(_span(index, STATES[state], start, end))
    ends = dict.fromkeys(range(len(first)), room.times.known)
    for index, (died, began, back) in room.later.items():
        number = pod_of[index]
        ends[number] = died
        joining = again.setdefault(number, _Boot(first[number].pod, f"{number}-again"))
        joining.spans.append(_span(index, State.JOINING, began, back))
    _count(room, pod_of, first, again)
    for number, boot in enumerate(first):
        yield boot, ends[number]
        if number in again:
            yield again[number], room.times.known
    yield from _newcomers(room)


def _codes(room: Room) -> NDArray[np.int8]:
    codes = np.zeros(room.deaf.shape, dtype=np.int8)
    codes[room.silent] = SILENT
    codes[room.deaf] = NO_MEDIA
    codes[room.offline] = OFFLINE
    codes[room.untold] = UNTOLD
    return codes


def _span(index: int, state: State, first: int, last: int) -> Span:
    return Span(f"r{index}", Kind.RESIDENT, state, first * GRID, last * GRID)


def _count(room: Room, pod_of: dict[int, int], first: list[_Boot], again: dict[int, _Boot]) -> None:
    """The rows of statistics that are told."""
    rows = room.rows
    if rows is None:
        return
    for index, number in np.argwhere(rows.told).tolist():
        later = room.later.get(index)
        pod = pod_of[index]
        boot = again[pod] if later is not None and number * ROW >= later[2] else first[pod]
        jitter, delay = float(rows.jitter[index, number]), float(rows.delay[index, number])
        boot.rows.append(
            Statistics(
                f"r{index}",
                number * ROW * GRID,
                (number + 1) * ROW * GRID,
                received=float(rows.expected[index, number] - rows.lost[index, number]),
                lost=float(rows.lost[index, number]),
                concealed=float(rows.concealed[index, number]),
                samples=float(rows.samples[index, number]),
                jitter=None if math.isnan(jitter) else jitter,
                delay=None if math.isnan(delay) else delay,
            )
        )


def _newcomers(room: Room) -> Iterator[tuple[_Boot, int]]:
    """The processes of newcomers: one that died, and the one after it."""
    died = next((call.lost for call in room.calls if call.lost is not None), None)
    boot, known = _Boot("calls", "calls"), room.times.known
    for call in room.calls:
        if died is not None and call.called >= died:
            yield boot, died
            boot, died = _Boot("calls", "calls-again"), None
        _visit(boot, room, call)
    yield boot, known if died is None else died


def _visit(boot: _Boot, room: Room, call: Call) -> None:
    """One newcomer's spans, and the record of its visit if that is over and its process lived to tell."""
    known = room.times.known
    audio = call.heard if any(each.first <= (call.audio or 0) < each.felt for each in room.absences) else call.audio
    name = f"a{call.called}"
    for state, first, last in _heard(room, call, audio):
        if first < min(last, known):
            boot.spans.append(Span(name, Kind.ARRIVAL, state, first * GRID, min(last, known) * GRID))
    if call.lost is None and call.left <= known:
        joined, sound, live, left = (_seconds(each) for each in (call.joined, audio, call.heard, call.left))
        error = "refused" if call.refused else ""
        boot.visits.append(
            Arrival(name, call.called * GRID, joined, sound, live, left, error, call.left * GRID, call.left * GRID)
        )


def _seconds(cell: int | None) -> float | None:
    return None if cell is None else cell * GRID


def _heard(room: Room, call: Call, audio: int | None) -> Iterator[tuple[State, int, int]]:
    """What a newcomer heard, until its process ended or it left."""
    seen = call.seen
    joined, sound, live = (seen if each is None else min(each, seen) for each in (call.joined, audio, call.heard))
    yield State.JOINING, call.called, joined
    yield State.NO_MEDIA, joined, sound
    yield State.HOLD, sound, live
    missed, state = call.deaf, State.NO_MEDIA
    for absence in room.absences:
        if live < absence.first < seen:
            missed, state = (absence.first, (absence.last + absence.felt) // 2), State.SILENT
    first, last = (seen, seen) if missed is None else (min(missed[0], seen), min(missed[1], seen))
    yield State.LIVE, live, first
    yield state, first, last
    yield State.LIVE, last, seen


def _answer(boot: _Boot, end: int, *, offset: float) -> Feed:
    """What a process answers at that instant of its clock."""
    clock = end * GRID
    over = {visit.listener for visit in boot.visits if visit.left is not None and visit.left <= clock}
    spans = sorted((span for span in boot.spans if span.start < clock), key=lambda span: (span.listener, span.start))
    closed = tuple(span for span in spans if span.end < clock or span.listener in over)
    going_on = (span for span in spans if span.end >= clock and span.listener not in over)
    return Feed(
        boot=boot.id,
        room="room",
        pod=boot.pod,
        offset=offset,
        uncertainty=0.0,
        clock=clock,
        wall=EPOCH + clock,
        lag=0.0,
        next=len(closed),
        lost=0,
        spans=closed,
        open=tuple(part for span in going_on if (part := span.clipped(span.start, clock)) is not None),
        listeners=(),
        arrivals=tuple(visit for visit in boot.visits if visit.listener in over),
        statistics=tuple(row for row in boot.rows if row.end <= clock),
    )
