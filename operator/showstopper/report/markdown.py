"""Markdown: a report for a pull request or a job's summary. All values stay text. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from showstopper.availability.spans import State
from showstopper.report import cells, looks, tables
from showstopper.report.record import Day, Record, fault_windows
from showstopper.report.words import short_name

MOST_ROWS = 12
STRIP_CELLS = 80
# CommonMark, section 2.4: a backslash makes them text. Those that mean something at the begin of a line only are left:
# no line begins with a value.
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$])")
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
    """A line for each resident, a character for each piece of the run, with the faults above. Empty if unknown."""
    heard = record.heard
    if heard is None:
        return []
    names = [short_name(track.listener) for track in heard.residents]
    width = max((len(name) for name in [*names, "fault"]), default=0)
    lines = [f"{'fault':<{width}}  {_fault_line(record)}"]
    for name, track in zip(names, heard.residents, strict=True):
        lines.append(f"{name:<{width}}  {_letters(cells.cells(track, heard.window, STRIP_CELLS))}")
    # They stand in a code block, where nothing but its own fence has a meaning.
    return [Markup(line.replace("`", "'").replace("\n", " ")) for line in lines]  # noqa: S704 - see above


def legend(record: Record) -> str:
    """What the characters mean, for those that are there."""
    there = {span.state for track in record.heard.residents for span in track.spans} if record.heard else set()
    shown = [looks.STATES[state] for state in State if state in there]
    return ", ".join(f"{look.character} {look.words}" for look in shown)


def _letters(states: Iterable[State | None]) -> str:
    return "".join(" " if state is None else looks.STATES[state].character for state in states)


def _fault_line(record: Record) -> str:
    assert record.heard is not None
    window = record.heard.window
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
            tables.outages(run).shortened(MOST_ROWS),
            tables.steps(run),
            tables.versions(record),
        ],
        "note": record.note,
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
