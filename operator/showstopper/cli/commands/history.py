"""`showstopper history`: past runs, from the archive."""

import asyncio
import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from showstopper.archive import reading
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views.output import screen
from showstopper.cluster.client import Object

COLUMNS = ("requested", "run", "verdict", "reason", "audible", "dead air", "recovery", "uid")


class HistoryForm(StrEnum):
    """Output formats of the list."""

    TABLE = "table"
    JSON = "json"


def command(
    context: typer.Context,
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="Name of an experiment. Default: all of the namespace.")
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Maximum number of runs.")] = 20,
    before: Annotated[str, typer.Option(metavar="UID", help="Only runs requested before the run with this UID.")] = "",
    form: Annotated[HistoryForm, typer.Option("--output", "-o", help="Output format.")] = HistoryForm.TABLE,
) -> None:
    """List past runs from the archive, newest first, including runs deleted from the cluster."""
    asyncio.run(_history(context.obj, experiment, limit, before, form))


async def _history(connection: Connection, experiment: str, limit: int, before: str, form: HistoryForm) -> None:
    async with connection.open() as client:
        runs = await reading.runs(client, of=connection.namespace, experiment=experiment, limit=limit, before=before)
    if form is HistoryForm.JSON:
        print(json.dumps(runs, indent=2))
    elif runs:
        screen().print(table(runs))
    else:
        whose = f" of experiment {experiment}" if experiment else ""
        screen().print(f"the archive has no runs{whose} in namespace {connection.namespace}")


def table(runs: list[Object]) -> Table:
    """A row for each run. Runs deleted from the cluster are marked."""
    drawn = Table(*COLUMNS, box=None, pad_edge=False)
    for run in runs:
        name = f"{run['name']} (deleted)" if run["goneAt"] else run["name"]
        words = (run["verdict"] or "-", run["reason"], run["audible"], run["deadAir"], run["recovery"], run["uid"])
        # Names and reasons are words, whatever brackets are in them.
        drawn.add_row(run["askedAt"][:19].replace("T", " "), *(Text(word or "") for word in (name, *words)))
    return drawn
