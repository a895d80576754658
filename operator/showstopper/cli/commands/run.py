"""`showstopper run`: request a run or the performance of a game day, watch it, and exit with its verdict."""

from pathlib import Path
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.cli.commands import game_day
from showstopper.cli.commands.run_junit import with_junit
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.interruptible import WatchedObject, run_to_end
from showstopper.cli.kube import performance, records, run_request, subjects
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.manifest import Manifest
from showstopper.cli.live.follow import follow
from showstopper.cli.live.follow_day import follow_day
from showstopper.cli.views import output
from showstopper.cli.views.output import FormOption, OutputFormat, TimeoutOption
from showstopper.cluster.client import Client


def command(
    context: typer.Context,
    file_or_name: Annotated[
        str,
        typer.Argument(metavar="FILE_OR_NAME", help="Manifest file, or name of an experiment or a game day."),
    ],
    form: FormOption = OutputFormat.SHORT,
    timeout: TimeoutOption = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a JUnit report, whatever the verdict is.")
    ] = None,
) -> None:
    """Run an experiment or perform a game day, and watch it.

    A file is applied, with its AudioRooms. If that does not request a run or a performance by itself, one is requested.
    Ctrl-C only stops watching.

    Exit codes: 0 Passed, 1 Failed, 2 Inconclusive or refused, 3 Aborted, 4 Error.
    """
    watched = WatchedObject()
    work = _run(context.obj, file_or_name, form, watched)
    run_to_end(work if junit is None else with_junit(junit, file_or_name, watched, work), watched, timeout)


async def _run(connection: Connection, file_or_name: str, form: OutputFormat, watched: WatchedObject) -> ExitCode:
    async with connection.open() as client:
        subject = await subjects.find(client, connection, file_or_name)
        if isinstance(subject, GameDay) or (isinstance(subject, Manifest) and subject.game_day is not None):
            return await _perform(client, subject, form, watched)
        return await _run_once(client, subject, form, watched)


async def _run_once(
    client: Client, subject: Manifest | Experiment, form: OutputFormat, watched: WatchedObject
) -> ExitCode:
    screen = output.screen(form)
    request = await run_request.request_run(client, subject)
    watched.namespace = request.experiment.metadata.namespace
    run = await run_request.await_run(client, request)
    watched.run = run.metadata.name
    if not output.is_live(screen):
        screen.print(f"run {run.metadata.namespace}/{run.metadata.name}", soft_wrap=True)
    run = watched.ended = await follow(client, run, screen)
    screen.print()
    return await output.show_verdict(client, run, form)


async def _perform(client: Client, subject: Manifest | GameDay, form: OutputFormat, watched: WatchedObject) -> ExitCode:
    screen = output.screen(form)
    requested = await performance.request(client, subject)
    watched.namespace, watched.day = requested.day.key
    day = await follow_day(client, requested, screen)
    if day.finished:
        watched.ended = await records.of_game_day(client, day, spans=False)
    screen.print()
    return await game_day.show(client, day, form)
