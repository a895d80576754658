"""`showstopper run`: ask for a run, watch it, and leave with its verdict."""

from pathlib import Path
from typing import Annotated

import typer

from showstopper.cli.commands.run_junit import told
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.interruptible import Watched, to_the_end
from showstopper.cli.kube import run_request
from showstopper.cli.kube.connection import Connection
from showstopper.cli.live.follow import follow
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption


def command(
    context: typer.Context,
    file_or_name: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A manifest, or an experiment's name.")],
    form: FormOption = Form.SHORT,
    timeout: Annotated[float | None, typer.Option(help="Give up after so many seconds (exit code 2).")] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a JUnit report, whatever the run ends with.")
    ] = None,
) -> None:
    """Run an experiment and watch it. Exit: 0 Passed, 1 Failed, 2 Inconclusive or refused, 3 Aborted, 4 Error.

    A file is applied (its AudioRooms, too); if that asks for no run by itself, one is asked for. Ctrl-C only stops
    watching.
    """
    watched = Watched()
    work = _run(context.obj, file_or_name, form, watched)
    to_the_end(work if junit is None else told(junit, file_or_name, watched, work), watched, timeout)


async def _run(connection: Connection, file_or_name: str, form: Form, watched: Watched) -> ExitCode:
    screen = output.screen(form)
    async with connection.open() as client:
        asked = await run_request.ask(client, connection, file_or_name)
        watched.namespace = asked.experiment.metadata.namespace
        run = await run_request.answer(client, asked)
        watched.run = run.metadata.name
        if not screen.is_terminal:
            screen.print(f"run {run.metadata.namespace}/{run.metadata.name}", soft_wrap=True)
        run = watched.ended = await follow(client, run, screen)
        screen.print()
        return await output.show_verdict(client, run, form)
