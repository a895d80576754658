"""Plots: the pictures of a report, as SVG that stands in a page: what listeners heard, and figures at their bounds.

States are told apart by pattern and by letter too, so that they are on paper and for the colour-blind.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.path import Path

from showstopper.api.run import ExperimentRun, StepName
from showstopper.availability.density import Density
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp
from showstopper.report import bands, crowds, looks, shapes
from showstopper.report.cells import coarse
from showstopper.report.drawing import INK, Size, styled, svg
from showstopper.report.record import FaultWindow, Record, fault_windows
from showstopper.report.shapes import BAR, LETTER
from showstopper.report.words import short_name

FAULT = "#000000"
BAND = "#00000014"
# The height of a crowd's band, in rows of a listener: so that 1 % of it is still seen.
_BAND = 5.0
_LINES = re.compile(r" (?=of )|(?<=,) ")
_LEGEND: dict[str, Any] = {"handlelength": 1.6, "columnspacing": 1.4, "borderpad": 0.0, "borderaxespad": 0.1}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the picture: its name, and its spans. A fault and a step have bars with words instead, a crowd a band.

    `height` is counted in rows of one listener.
    """

    name: str
    spans: tuple[Span, ...] = ()
    bars: tuple[tuple[float, float, str], ...] = ()
    fault: bool = False
    band: tuple[Density, ...] = ()
    height: float = 1.0


def heard(record: Record, size: Size) -> str:
    """A row per listener with its states over time, newcomers packed into shared rows, faults as bands over all.

    A crowd is a band: how many of it were in each state. Its listeners who missed most have rows, too.
    """
    view, crowd = record.heard, record.crowd
    known = view or crowd
    assert known is not None
    window = known.window
    rows = [*_above(record, window, size), *(_listeners(view, size) if view else ())]
    rows += _crowd(record.run, crowd, size) if crowd else ()
    there = {span.state for row in rows for span in row.spans}
    there |= {state for row in rows for piece in row.band for state in piece.counts}
    handles = [_key(state) for state in State if state in there]
    legend = 0.2 * math.ceil(len(handles) / size.legend)  # inches
    with styled(f"{record.run.metadata.uid}/heard/{size.name}"):
        height = 0.24 * sum(row.height for row in rows) + 0.42 + legend
        figure = Figure(figsize=(size.inches, height))
        left, below = size.names / size.inches, (0.36 + legend) / height
        axes = figure.add_axes((left, below, 0.985 - left, 1 - below - 0.04 / height))
        _draw(axes, rows, fault_windows(record.run), window, size)
        figure.legend(handles=handles, loc="lower left", ncols=size.legend, frameon=False, fontsize=8, **_LEGEND)
        return svg(figure, f"What {_who(record)} heard over time; the table below has it in figures")


def _who(record: Record) -> str:
    fleet = f"{len(record.heard.residents)} listeners" if record.heard else ""
    crowd = f"a crowd of {len(record.crowd.residents)}" if record.crowd else ""
    return " and ".join(each for each in (fleet, crowd) if each)


def _key(state: State) -> Patch:
    """An entry of the legend."""
    look = looks.STATES[state]
    letter = "" if state is State.LIVE else f"{look.character}  "
    return Patch(
        facecolor=look.colour, hatch=look.hatch or None, edgecolor=INK, linewidth=0.3, label=f"{letter}{look.words}"
    )


def _draw(axes: Axes, rows: Sequence[Row], faults: Iterable[FaultWindow], window: Window, size: Size) -> None:
    for fault in faults:
        start, end = fault.start - window.start, fault.end - window.start
        if end > start:
            axes.axvspan(start, end, color=BAND, linewidth=0, zorder=0)
        for edge in {start, end}:
            axes.axvline(edge, color=FAULT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=4)
    second = window.seconds / (size.inches - size.names)  # seconds an inch
    middles = _middles(rows)
    _draw_spans(axes, rows, middles, window.start)
    for middle, row in zip(middles, rows, strict=True):
        _draw_letters(axes, middle, row, window.start, second)
        _draw_bars(axes, middle, row, second)
        if row.band:
            bands.draw(axes, row.band, (middle, row.height - 1 + BAR), window.start, second)
    axes.set_ylim(sum(row.height for row in rows) - 0.5, -0.5)
    axes.set_yticks(middles, [row.name for row in rows])
    axes.set_xlim(0, window.seconds)
    axes.xaxis.set_major_formatter(_clock if window.seconds > 180 else _seconds)
    axes.tick_params(length=2, width=0.6, labelcolor=INK)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _middles(rows: Sequence[Row]) -> list[float]:
    """Where the rows are, counted in rows of one listener from the middle of the first such row."""
    ends = accumulate(row.height for row in rows)
    return [end - row.height / 2 - 0.5 for end, row in zip(ends, rows, strict=True)]


def _draw_spans(axes: Axes, rows: Sequence[Row], middles: Sequence[float], origin: float) -> None:
    """All spans of a state as one shape: a page of a long day stays small."""
    by_state: dict[State, list[Path]] = {}
    for middle, row in zip(middles, rows, strict=True):
        for span in row.spans:
            by_state.setdefault(span.state, []).append(_rectangle(span.start - origin, span.end - origin, middle))
    for state, rectangles in by_state.items():
        shapes.fill(axes, state, rectangles)


def _rectangle(start: float, end: float, row: float) -> Path:
    top, bottom = row - BAR / 2, row + BAR / 2
    return Path([(start, top), (start, bottom), (end, bottom), (end, top), (start, top)], closed=True)


def _draw_letters(axes: Axes, index: float, row: Row, origin: float, second: float) -> None:
    """The letter of each span that has room for it. Live sound needs none."""
    for span in row.spans:
        if span.state is not State.LIVE and span.seconds / second >= LETTER:
            shapes.letter(axes, (span.start + span.end) / 2 - origin, index, span.state)


def _draw_bars(axes: Axes, index: float, row: Row, second: float) -> None:
    for number, (start, end, words) in enumerate(row.bars):
        colour = FAULT if row.fault else ("#E4E4E4", "#CFCFCF")[number % 2]
        if end > start:
            axes.broken_barh([(start, end - start)], (index - BAR / 2, BAR), facecolor=colour, linewidth=0)
        else:
            axes.plot([start], [index], marker="v", markersize=7, color=FAULT, zorder=5)
        if words and (end - start) / second > 0.075 * len(words):
            text = "white" if row.fault else INK
            axes.text((start + end) / 2, index, words, ha="center", va="center", fontsize=7.5, color=text, zorder=5)


def _above(record: Record, window: Window, size: Size) -> Iterator[Row]:
    """The rows above the listeners: the run's steps, and each fault."""
    finished = record.run.status.finished_at
    steps = [step for step in record.run.status.steps if step.name is not StepName.JUDGED]
    ends = [*(step.started_at for step in steps[1:]), finished]
    bars = tuple(
        (from_timestamp(step.started_at) - window.start, from_timestamp(end) - window.start, str(step.name))
        for step, end in zip(steps, ends, strict=False)
        if end is not None
    )
    if bars:
        yield Row("step", bars=bars)
    for fault in fault_windows(record.run):
        words = fault.kind if fault.lifted else f"{fault.kind}, end not known"
        proven = words if fault.proven else f"{words}, not proven"
        bar = (fault.start - window.start, fault.end - window.start, proven)
        yield Row(_short(fault.name, size.letters), bars=(bar,), fault=True)


def _listeners(view: View, size: Size) -> Iterator[Row]:
    for track in view.residents:
        yield Row(short_name(track.listener), coarse(track, view.window, size.pieces))
    for number, lane in enumerate(lanes(view)):
        yield Row("newcomers" if number == 0 else "", lane)


def _crowd(run: ExperimentRun, view: View, size: Size) -> Iterator[Row]:
    crowd = crowds.of(run)
    name = crowds.name(crowd) if crowd is not None else f"crowd of {len(view.residents)}"
    yield Row(_LINES.sub("\n", name), band=crowds.band(view, size.pieces), height=_BAND)
    for track in crowds.worst(view):
        yield Row(short_name(track.listener), coarse(track, view.window, size.pieces))


def lanes(view: View) -> list[tuple[Span, ...]]:
    """The newcomers' visits in as few rows as hold them side by side. The time before they heard the host is Joining.

    What is not known of a visit is not drawn as heard: it has no span.
    """
    inside = {track.listener: track.spans for track in view.arrivals}
    rows: list[list[Span]] = []
    for call in sorted(view.calls, key=lambda call: call.called):
        spans = inside.get(call.listener, ())
        until = spans[0].start if spans else call.seen_until
        waits = Span(call.listener, Kind.ARRIVAL, State.JOINING, call.called, until)
        visit = [part for part in (waits.clipped(view.window.start, view.window.end), *spans) if part is not None]
        if not visit:
            continue
        free = next((row for row in rows if row[-1].end <= visit[0].start), None)
        if free is None:
            rows.append(visit)
        else:
            free.extend(visit)
    return [tuple(row) for row in rows]


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _seconds(value: float, _: object) -> str:
    return f"{value:g} s"


def _clock(value: float, _: object) -> str:
    return f"{int(value) // 60}:{int(value) % 60:02d}"
