"""`showstopper doctor`: check whether experiments can run, and how to fix what is missing."""

import asyncio

import typer
from rich.table import Table
from rich.text import Text

from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.kube import checks
from showstopper.cli.kube.checks import Check, State
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output
from showstopper.cli.views.output import FormOption, OutputFormat

_SYMBOLS = {State.OK: ("✓", "green"), State.WARNING: ("!", "yellow"), State.FAILED: ("✗", "bold red")}


def command(context: typer.Context, form: FormOption = OutputFormat.SHORT) -> None:
    """Check everything experiments in this namespace need, and print how to fix what is missing.

    Exit codes: 0 no check failed, 1 a check failed, 4 the cluster does not answer.
    """
    raise typer.Exit(asyncio.run(_doctor(context.obj, form)))


async def _doctor(connection: Connection, form: OutputFormat) -> ExitCode:
    async with connection.open() as client:
        results = [check async for check in checks.run_all(client, connection.namespace)]
    if form.for_programs:
        output.document({"namespace": connection.namespace, "checks": [check.as_data() for check in results]}, form)
    else:
        output.screen().print(draw(results, wide=form is OutputFormat.WIDE))
    return ExitCode.FAILED if any(check.state is State.FAILED for check in results) else ExitCode.PASSED


def draw(checks: list[Check], *, wide: bool = False) -> Table:
    """A row for each check, and its remedy below it. `wide` shows the remedies of checks that are OK, too. Pure."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for column in ("", "what", "how"):
        table.add_column(column, overflow="fold")
    for check in checks:
        symbol, style = _SYMBOLS[check.state]
        table.add_row(Text(symbol, style=style), Text(check.what), Text(check.message))
        if check.remedy and (wide or check.state is not State.OK):
            table.add_row("", "", Text(f"→ {check.remedy}", style="dim"))
    return table
