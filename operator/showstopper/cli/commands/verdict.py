"""`showstopper verdict`: the verdict on an experiment, or of a run."""

import asyncio

import typer

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube import lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption, NameArgument
from showstopper.cluster.client import Client
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import NotFound


def command(context: typer.Context, name: NameArgument, form: FormOption = Form.SHORT) -> None:
    """Print the verdict of a run, or on an experiment in its current form.

    Exit codes as for run. A verdict on an earlier form of the experiment does not count: this exits with 2.
    """
    raise typer.Exit(asyncio.run(_verdict(context.obj, name, form)))


async def _verdict(connection: Connection, name: str, form: Form) -> ExitCode:
    async with connection.open() as client:
        run = await lookup.newest_run(client, connection.namespace, name)
        if not run.finished:
            problem(f"run {run.metadata.name} has no verdict yet: showstopper watch {run.metadata.name}")
            return ExitCode.INCONCLUSIVE
        if run.metadata.name != name and (why := await _why_outdated(client, connection.namespace, name)):
            problem(why)
            return ExitCode.INCONCLUSIVE
        return await output.show_verdict(client, run, form)


async def _why_outdated(client: Client, namespace: str, name: str) -> str:
    """Why the newest verdict is not on the experiment's current form. Empty if it is."""
    try:
        experiment = await lookup.experiment(client, namespace, name)
    except NotFound:
        return ""
    status, metadata = experiment.status, experiment.metadata
    answered = metadata.annotations.get(RUN_REQUESTED, "") in {"", status.last_handled_run_request}
    finished = conditions.is_true(status.conditions, ConditionType.FINISHED) and not experiment.spec.dry_run
    if answered and finished and status.observed_generation >= metadata.generation:
        return ""
    return f"experiment {namespace}/{name} has no verdict in its current form: {lookup.summary(experiment)}"
