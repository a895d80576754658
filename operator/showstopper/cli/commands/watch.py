"""`showstopper watch`: the live picture of a run."""

import asyncio
import time

import typer

from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.interruptible import WatchedObject, run_to_end
from showstopper.cli.kube import lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.live.follow import follow
from showstopper.cli.views import output
from showstopper.cli.views.output import FormOption, NameArgument, OutputFormat
from showstopper.cluster.client import Client

MIRROR_SECONDS = 5.0
"""How long an experiment's status may take to show the verdict of its run: a tenth of that, unless all is busy."""
POLL_SECONDS = 0.25


def command(context: typer.Context, name: NameArgument, form: FormOption = OutputFormat.SHORT) -> None:
    """Watch a run, or the newest run of an experiment, until its verdict.

    Exit codes as for run. A verdict on an earlier form of the experiment does not count: this exits with 2. Ctrl-C only
    stops watching.
    """
    watched = WatchedObject()
    run_to_end(_watch(context.obj, name, form, watched), watched)


async def _watch(connection: Connection, name: str, form: OutputFormat, watched: WatchedObject) -> ExitCode:
    screen = output.screen(form)
    async with connection.open() as client:
        run = await lookup.newest_run(client, connection.namespace, name)
        watched.namespace, watched.run = run.key
        if run.finished and (why := await lookup.why_outdated(client, name, run)):
            problem(why)
            return ExitCode.INCONCLUSIVE
        followed = await follow(client, run, screen)
        screen.print()
        code = await output.show_verdict(client, followed, form)
        if why := await _why_outdated(client, name, followed):
            problem(why)
            return ExitCode.INCONCLUSIVE
        return code


async def _why_outdated(client: Client, name: str, run: ExperimentRun) -> str:
    """The same of a run that has ended just now. The experiment's status follows that a moment later."""
    give_up = time.monotonic() + MIRROR_SECONDS
    while (why := await lookup.why_outdated(client, name, run)) and time.monotonic() < give_up:
        await asyncio.sleep(POLL_SECONDS)
    return why
