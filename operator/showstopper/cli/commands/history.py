"""`showstopper history`: earlier runs, from the archive."""

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

COLUMNS = ("asked for", "run", "verdict", "reason", "audible", "dead air", "recovery", "uid")


class HistoryForm(StrEnum):
    """What is printed of the runs."""

    TABLE = "table"
    JSON = "json"


def command(
    context: typer.Context,
    experiment: Annotated[str, typer.Argument(help="Name of an experiment; all of the namespace if left out.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    before: Annotated[str, typer.Option(metavar="UID", help="Only runs asked for before the one with that UID.")] = "",
    form: Annotated[HistoryForm, typer.Option("--output", "-o", help="Form of the list.")] = HistoryForm.TABLE,
) -> None:
    """List runs from the archive, newest first, those that are gone from the cluster too."""
    asyncio.run(_history(context.obj, experiment, limit, before, form))


async def _history(connection: Connection, experiment: str, limit: int, before: str, form: HistoryForm) -> None:
    async with connection.open() as client:
        found = await reading.runs(client, of=connection.namespace, experiment=experiment, limit=limit, before=before)
    if form is HistoryForm.JSON:
        print(json.dumps(found, indent=2))
    elif found:
        screen().print(table(found))
    else:
        whose = f"of experiment {experiment} " if experiment else ""
        screen().print(f"no run {whose}in namespace {connection.namespace} is in the archive")


def table(found: list[Object]) -> Table:
    """The runs as people read them; one that is gone from the cluster is marked."""
    drawn = Table(*COLUMNS, box=None, pad_edge=False)
    for run in found:
        name = f"{run['name']} (gone)" if run["goneAt"] else run["name"]
        words = (run["verdict"] or "-", run["reason"], run["audible"], run["deadAir"], run["recovery"], run["uid"])
        # Names and reasons are words, whatever brackets are in them.
        drawn.add_row(run["askedAt"][:19].replace("T", " "), *(Text(word or "") for word in (name, *words)))
    return drawn
