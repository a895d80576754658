"""`showstopper run`: request a run, watch it, and exit with its verdict."""

from pathlib import Path
from typing import Annotated

import typer

from showstopper.cli.commands.run_junit import with_junit
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.interruptible import Watched, run_to_end
from showstopper.cli.kube import run_request
from showstopper.cli.kube.connection import Connection
from showstopper.cli.live.follow import follow
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption, TimeoutOption


def command(
    context: typer.Context,
    file_or_name: Annotated[
        str, typer.Argument(metavar="FILE_OR_NAME", help="Manifest file, or name of an experiment.")
    ],
    form: FormOption = Form.SHORT,
    timeout: TimeoutOption = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a JUnit report, whatever the verdict is.")
    ] = None,
) -> None:
    """Run an experiment and watch it.

    A file is applied, with its AudioRooms. If that does not request a run by itself, one is requested. Ctrl-C only
    stops watching.

    Exit codes: 0 Passed, 1 Failed, 2 Inconclusive or refused, 3 Aborted, 4 Error.
    """
    watched = Watched()
    work = _run(context.obj, file_or_name, form, watched)
    run_to_end(work if junit is None else with_junit(junit, file_or_name, watched, work), watched, timeout)


async def _run(connection: Connection, file_or_name: str, form: Form, watched: Watched) -> ExitCode:
    screen = output.screen(form)
    async with connection.open() as client:
        request = await run_request.request_run(client, connection, file_or_name)
        watched.namespace = request.experiment.metadata.namespace
        run = await run_request.await_run(client, request)
        watched.run = run.metadata.name
        if not output.is_live(screen):
            screen.print(f"run {run.metadata.namespace}/{run.metadata.name}", soft_wrap=True)
        run = watched.ended = await follow(client, run, screen)
        screen.print()
        return await output.show_verdict(client, run, form)
