"""The pictures of docs/faults.md: what each listener heard in a run of a row, as reports draw it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.doses import Row
from showstopper.api.run import ExperimentRun
from showstopper.cli.kube import records
from showstopper.cli.kube.connection import Connection
from showstopper.report import plots
from showstopper.report.drawing import WIDE
from showstopper.report.record import Record
from tests.support.staged_room import Object, Show

FOLDER = Path("docs/faults")


def path(row: Row) -> Path:
    """Where the picture of a row is, from the project's root."""
    return FOLDER / f"{row.name}.svg"


def draw(show: Show, row: Row, run: Object) -> None:
    """Ask the listeners what they heard, and write the picture."""
    record = asyncio.run(_record(show, ExperimentRun.parse(run)))
    FOLDER.mkdir(exist_ok=True)
    path(row).write_text(alone(plots.heard(record, WIDE)) + "\n")


def alone(svg: str) -> str:
    """A picture as a file of its own: on white, wherever it is looked at."""
    return svg.replace("<svg ", '<svg style="background: #ffffff" ', 1)


async def _record(show: Show, run: ExperimentRun) -> Record:
    async with Connection(kubeconfig=show.cluster.kubeconfig).open() as client:
        return await records.of_run(client, run)
