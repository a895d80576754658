"""The table in docs/faults.md: what listeners heard under each fault, written from what was measured. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path("docs/faults.md")
BEGIN = "<!-- begin: written by `make fault-table`, from real runs -->"
END = "<!-- end -->"
COLUMNS = ("audible", "arrivals", "dead_air", "recovery", "lost", "concealed")
_HEADS = (
    "fault",
    "dose",
    "lasts",
    "AudibleRatio",
    "ArrivalAudible",
    "LongestDeadAir",
    "RecoveryTime",
    "packets lost",
    "concealed",
    "evidence",
    "runs",
    "measured",
)
_UNITS = {"audible": " %", "arrivals": " %", "dead_air": " s", "recovery": " s", "lost": " %", "concealed": " %"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a row. Shares in percent, times in seconds. None means not known, which is never a zero.

    `lost` and `concealed` are the SDK's own figures, over all residents, while the fault lasted. `recovery_at_least` is
    known of a room that had not recovered when the run ended. `at` is the day, and the commit.
    """

    verdict: str
    audible: float | None
    arrivals: float | None
    dead_air: float | None
    recovery: float | None
    lost: float | None
    concealed: float | None
    at: str
    recovery_at_least: float | None = None


def figures_of(run: Mapping[str, Any], at: str, *, lost: float | None, concealed: float | None) -> Measured:
    """What a run's record says, with the shares that were counted beside it (0 to 1). `at`: when, at which commit."""
    status = run["status"]
    judged = [window for window in status.get("windows", ()) if window["name"] == "Judged"]
    indicators = {entry["indicator"]: entry for window in judged for entry in window["indicators"]}

    def figure(name: str, what: str = "value") -> float | None:
        text = indicators.get(name, {}).get(what)
        return None if text is None else float(text.rstrip("%s"))

    return Measured(
        verdict=f"{status['verdict']} {status['reason']}",
        audible=figure("AudibleRatio"),
        arrivals=figure("ArrivalAudible"),
        dead_air=figure("LongestDeadAir"),
        recovery=figure("RecoveryTime"),
        lost=None if lost is None else round(100 * lost, 2),
        concealed=None if concealed is None else round(100 * concealed, 2),
        at=at,
        recovery_at_least=figure("RecoveryTime", "atLeast"),
    )


def line(fault: str, dose: str, lasts: str, runs: Sequence[Measured], *, ends_flow: bool = False) -> str:
    """One row: medians, with the range where runs differ. `ends_flow`: nothing comes of which some could be lost."""
    cells = [_cell_of(name, runs, ends_flow=ends_flow) for name in COLUMNS]
    return f"| {' | '.join([fault, dose, lasts, *cells, _evidence(runs), str(len(runs)), runs[-1].at])} |"


def lines_of(page: str) -> Mapping[tuple[str, str], str]:
    """The rows that the page has, by fault and dose, as they are."""
    rows = [row for row in _between(page)[1].splitlines() if row.startswith("|")][2:]  # below the head
    cells = {row: [cell.strip() for cell in row.split("|")] for row in rows}
    return {(fault, dose): row for row, (_, fault, dose, *_) in cells.items()}


def table(lines: Sequence[str], footing: str) -> str:
    """The table with its head, and what was measured with what."""
    head = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    return "\n".join([*head, *lines, "", footing])


def shown(pictures: Mapping[str, Path]) -> str:
    """The pictures, each with its title. Their paths are from the project's root."""
    head = "### Pictures\nWhat listeners heard in the last of these runs, from its baseline to the end of its recovery."
    return "\n\n".join([head, *(f"![{title}]({path.relative_to(PAGE.parent)})" for title, path in pictures.items())])


def replaced(page: str, written: str) -> str:
    """The page with other content between its marks.

    Raises:
        ValueError: it has no such marks.
    """
    before, _, after = _between(page)
    return f"{before}{BEGIN}\n{written}\n{END}{after}"


def _between(page: str) -> tuple[str, str, str]:
    """What is before the marks, between them, and after."""
    before, begin, rest = page.partition(BEGIN)
    written, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no place for the table: a line {BEGIN}, and a line {END} behind it")
    return before, written.strip(), after


def _evidence(runs: Sequence[Measured]) -> str:
    """Whether the figures are those of the fault. If not, why runs allowed no verdict."""
    reasons = [run.verdict.split()[1] for run in runs if not run.verdict.startswith(("Passed", "Failed"))]
    return ", ".join(f"`{reason}`" for reason in dict.fromkeys(reasons)) or "proven"


def _cell_of(name: str, runs: Sequence[Measured], *, ends_flow: bool) -> str:
    if name == "lost" and ends_flow:
        return "-"
    return _recovery(runs) if name == "recovery" else _cell(name, [getattr(run, name) for run in runs])


def _recovery(runs: Sequence[Measured]) -> str:
    """A room that had not recovered when its run ended took longer than any that had: medians must not leave it out."""
    known = sorted(run.recovery for run in runs if run.recovery is not None)
    if len(known) == len(runs):
        return _cell("recovery", known)
    bounds = [run.recovery_at_least for run in runs if run.recovery is None and run.recovery_at_least is not None]
    more = f"at least {min(bounds):g} s" if bounds else "not known"
    middle = (len(runs) - 1) // 2
    if middle < len(known):
        return f"{known[middle]:g} s ({known[0]:g} to {more})"
    return f"{more} (from {known[0]:g} s)" if known else more


def _cell(name: str, values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "not known"
    middle = f"{statistics.median_low(known):g}{_UNITS[name]}"
    spread = f" ({min(known):g} to {max(known):g})" if min(known) != max(known) else ""
    return middle + spread
