"""`showstopper history`: past runs, from the archive."""

import asyncio
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from showstopper.archive import reading
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views.output import screen
from showstopper.cluster.client import Object

UNBOUNDED = 10_000
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
        console = screen()
        drawn = table(runs)
        unbounded = console.options.update(max_width=UNBOUNDED)
        if Measurement.get(console, unbounded, drawn).maximum <= console.width:
            console.print(drawn)
        else:
            for line in lines(runs):
                console.print(line, soft_wrap=True)
    else:
        whose = f" of experiment {experiment}" if experiment else ""
        screen().print(f"the archive has no runs{whose} in namespace {connection.namespace}")


def table(runs: list[Object]) -> Table:
    """A row for each run. Runs deleted from the cluster are marked."""
    drawn = Table(*COLUMNS, box=None, pad_edge=False)
    for run in runs:
        # Names and reasons are words, whatever brackets are in them.
        drawn.add_row(*map(Text, _words(run)))
    return drawn


def lines(runs: list[Object]) -> Iterator[Text]:
    """The same for a narrow terminal: two lines for each run, so that no name and no UID is cut off."""
    for run in runs:
        requested, name, verdict, reason, *figures, uid = _words(run)
        measured = (f"{title} {figure}" for title, figure in zip(COLUMNS[4:7], figures, strict=True) if figure)
        yield Text(", ".join((f"{requested} {verdict}" + (f" ({reason})" if reason else ""), *measured)))
        yield Text(f"    {name}  {uid}")


def _words(run: Object) -> tuple[str, ...]:
    """What the columns say of a run."""
    name = f"{run['name']} (deleted)" if run["goneAt"] else run["name"]
    words = (name, run["verdict"] or "-", run["reason"], run["audible"], run["deadAir"], run["recovery"], run["uid"])
    return run["askedAt"][:19].replace("T", " "), *(word or "" for word in words)
