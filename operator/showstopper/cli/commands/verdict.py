"""`showstopper verdict`: the verdict on an experiment, or of a run."""

import asyncio

import typer

from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube import lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output
from showstopper.cli.views.output import FormOption, NameArgument, OutputFormat


def command(context: typer.Context, name: NameArgument, form: FormOption = OutputFormat.SHORT) -> None:
    """Print the verdict of a run, or on an experiment in its current form.

    Exit codes as for run. A verdict on an earlier form of the experiment does not count, nor does that of an older run
    where the newest one was deleted: this exits with 2.
    """
    raise typer.Exit(asyncio.run(_verdict(context.obj, name, form)))


async def _verdict(connection: Connection, name: str, form: OutputFormat) -> ExitCode:
    async with connection.open() as client:
        run = await lookup.newest_run(client, connection.namespace, name)
        if not run.finished:
            problem(f"run {run.metadata.name} has no verdict yet: showstopper watch {run.metadata.name}")
            return ExitCode.INCONCLUSIVE
        if why := await lookup.why_outdated(client, name, run):
            problem(why)
            return ExitCode.INCONCLUSIVE
        return await output.show_verdict(client, run, form)
