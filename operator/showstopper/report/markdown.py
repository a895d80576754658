"""Markdown: a report for a pull request or a job's summary. All values stay text. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from showstopper.availability import density
from showstopper.availability.density import Density
from showstopper.availability.spans import State, Window
from showstopper.availability.tracks import Track, View
from showstopper.report import cells, crowds, looks, tables
from showstopper.report.record import Day, Record, fault_windows
from showstopper.report.words import short_name

MOST_ROWS = 12
STRIP_CELLS = 80
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$])")
"""CommonMark, section 2.4: a backslash makes them text. Those that mean something at the begin of a line only are left:
no line begins with a value."""

# GitHub Flavored Markdown, section 6.9, and GitHub's "Autolinked references and URLs": addresses, numbers of issues and
# hashes of commits become links by themselves, also behind a backslash. A word joiner behind the group prevents that.
_LINKED = re.compile(
    r"(:(?=//)|\bwww(?=\.)|#(?=\d)|\bGH-(?=\d)|(?<![\w-])[0-9a-f](?=[0-9a-f]{6,39}(?![\w-])))", re.IGNORECASE
)
_BREAKS = re.compile(r"\s+")


def of_run(record: Record) -> str:
    """The document of one run."""
    return _environment().get_template("run.md.j2").render(report=_run(record, level=2))


def of_day(day: Day) -> str:
    """The document of a game day."""
    runs = [_run(act.record, level=3, name=act.name) for act in day.acts if act.record is not None]
    look = looks.of_verdict(day.verdict)
    return _environment().get_template("day.md.j2").render(day=day, look=look, acts=tables.acts(day), runs=runs)


def escaped(value: Any) -> str:
    """A text as one line of Markdown that says the same: no markup, no table cell, no link, no mention of anybody."""
    if isinstance(value, Markup):
        return value
    line = _BREAKS.sub(" ", str(value)).strip()
    return _SPECIAL.sub(r"\\\1", _LINKED.sub("\\1\u2060", line)).replace("@", "@\u2060")


def strips(record: Record) -> list[Markup]:
    """A line for each resident, a character for each piece of the run, with the faults above. Empty if unknown.

    A crowd has one line, and one for each of those who missed most.
    """
    drawn = [*_fleet(record.heard), *_crowd(record.crowd)]
    if not drawn:
        return []
    width = max(len(name) for name, _ in [*drawn, ("fault", "")])
    lines = [f"{name:<{width}}  {letters}" for name, letters in [("fault", _fault_line(record)), *drawn]]
    # They stand in a code block, where nothing but its own fence has a meaning.
    return [Markup(line.replace("`", "'").replace("\n", " ")) for line in lines]  # noqa: S704 - see above


def legend(record: Record) -> str:
    """What the characters mean, for those that are there."""
    there = {span.state for track in record.heard.residents for span in track.spans} if record.heard else set()
    if record.crowd is not None:
        there |= {piece.shown for piece in _pieces(record.crowd)}
        there |= {span.state for track in crowds.worst(record.crowd) for span in track.spans}
    shown = [looks.STATES[state] for state in State if state in there]
    return ", ".join(f"{look.character} {look.words}" for look in shown)


def _fleet(view: View | None) -> Iterator[tuple[str, str]]:
    if view is None:
        return
    for track in view.residents:
        yield short_name(track.listener), _track(track, view.window)


def _crowd(view: View | None) -> Iterator[tuple[str, str]]:
    """What stands for all of a crowd in each piece, and who of it missed most."""
    if view is None:
        return
    yield "crowd", _letters(piece.shown for piece in _pieces(view))
    for track in crowds.worst(view):
        yield short_name(track.listener), _track(track, view.window)


def _pieces(view: View) -> tuple[Density, ...]:
    length = view.window.seconds / STRIP_CELLS
    edges = [view.window.start + index * length for index in range(STRIP_CELLS + 1)]
    return density.means(density.steps(view), edges)


def _track(track: Track, window: Window) -> str:
    return _letters(cells.cells(track, window, STRIP_CELLS))


def _letters(states: Iterable[State | None]) -> str:
    return "".join(" " if state is None else looks.STATES[state].character for state in states)


def _fault_line(record: Record) -> str:
    known = record.heard or record.crowd
    assert known is not None
    window = known.window
    line = [" "] * STRIP_CELLS
    for fault in fault_windows(record.run):
        first, last = (
            int((edge - window.start) / max(window.seconds, 1e-9) * STRIP_CELLS) for edge in (fault.start, fault.end)
        )
        for index in range(max(0, first), min(STRIP_CELLS, last + 1)):
            line[index] = "▼"
    return "".join(line).rstrip()


def _run(record: Record, *, level: int, name: str = "") -> dict[str, Any]:
    run = record.run
    return {
        "hashes": Markup("#" * level),  # noqa: S704 - a heading of ours
        "run": run,
        "name": name or run.spec.experiment.name,
        "look": looks.of_verdict(run.status.verdict),
        "expectations": tables.expectations(run),
        "details": [
            tables.faults(run),
            tables.targets(run).shortened(MOST_ROWS),
            *tables.storms(run),
            tables.outages(run).shortened(MOST_ROWS),
            *(table.shortened(MOST_ROWS) for table in tables.of_crowd(run)),
            tables.steps(run),
            tables.versions(record),
        ],
        "note": record.note if record.heard is None else "",
        "crowd": tables.crowd(record),
        "strips": strips(record),
        "legend": legend(record),
    }


def _environment() -> Environment:
    """Every value is escaped on its way out: nobody has to think of it."""
    return Environment(
        loader=PackageLoader("showstopper.report"),
        finalize=escaped,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - that is for HTML: here `finalize` makes every value plain text
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
