"""How a benchmark says what it found: a table for people, and one flat object of figures for machines."""

from __future__ import annotations

import json
import math
import os
import statistics
import time
import timeit
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path("build/bench")

_PASSES = 1_000_000
_LOOPS = 9

console = Console(highlight=False, width=150)

Figure = float | int | str | None


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that at least this share (0 to 1) of the values does not exceed: the nearest rank."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds, to a tenth. None stays None."""
    return None if seconds is None else round(seconds * 1000, 1)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table. Numbers with a fraction have three places."""
    grid = Table(title=title, title_justify="left")
    for column in columns:
        grid.add_column(column, justify="right")
    for row in rows:
        grid.add_row(*(cell(value) for value in row))
    console.print(grid)


def cell(value: object) -> str:
    """One value as it stands in a table."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def write(name: str, figures: Mapping[str, Figure], folder: Path = FOLDER) -> Path:
    """Write the figures to build/bench/<name>.json and print them, with the machine's below. Returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    figures = {**figures, **machine()}
    file.write_text(json.dumps(figures, indent=2) + "\n")
    for key, value in figures.items():
        console.print(f"  {key}: {value}")
    console.print(f"written to {file}")
    return file


def machine() -> dict[str, Figure]:
    """How busy this machine is, and how fast: what an empty loop of a million passes takes, as the median of nine.

    A virtual machine may have its processors to three quarters only, without saying so: two figures of one bench can be
    compared where their loops took as long.
    """
    took = timeit.repeat(number=_PASSES, repeat=_LOOPS, timer=time.thread_time)
    load = round(os.getloadavg()[0], 2)
    return {"load_average": load, "million_passes_ms": milliseconds(statistics.median(took))}
