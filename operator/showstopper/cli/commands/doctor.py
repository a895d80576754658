"""`showstopper doctor`: whether experiments can run here, and what to do where they cannot."""

import asyncio

import typer
from rich.table import Table
from rich.text import Text

from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.kube import checks
from showstopper.cli.kube.checks import Check, State
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption

_LOOKS = {State.WELL: ("✓", "green"), State.LIMITED: ("!", "yellow"), State.WRONG: ("✗", "bold red")}


def command(context: typer.Context, form: FormOption = Form.SHORT) -> None:
    """Look at all that experiments in this namespace need, and say the remedy for whatever is missing.

    Exit: 0 nothing is wrong, 1 something is, 4 the cluster cannot be asked.
    """
    raise typer.Exit(asyncio.run(_doctor(context.obj, form)))


async def _doctor(connection: Connection, form: Form) -> ExitCode:
    async with connection.open() as client:
        results = [check async for check in checks.all_of(client, connection.namespace)]
    if form.for_programs:
        output.document({"namespace": connection.namespace, "checks": [check.as_data() for check in results]}, form)
    else:
        output.screen().print(draw(results, wide=form is Form.WIDE))
    return ExitCode.FAILED if any(check.state is State.WRONG for check in results) else ExitCode.PASSED


def draw(checks: list[Check], *, wide: bool = False) -> Table:
    """A row for each; what is well is told in short, unless it is to be `wide`. Pure."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for column in ("", "what", "how"):
        table.add_column(column, overflow="fold")
    for check in checks:
        symbol, style = _LOOKS[check.state]
        table.add_row(Text(symbol, style=style), Text(check.what), Text(check.message))
        if check.remedy and (wide or check.state is not State.WELL):
            table.add_row("", "", Text(f"→ {check.remedy}", style="dim"))
    return table
