"""`showstopper verdict`: what came of it."""

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
    """Print the verdict on an experiment as it is now, or of a run. Exit codes as for run.

    A verdict on an earlier form of the experiment is none: it says so, and ends with 2.
    """
    raise typer.Exit(asyncio.run(_verdict(context.obj, name, form)))


async def _verdict(connection: Connection, name: str, form: Form) -> ExitCode:
    async with connection.open() as client:
        run = await lookup.newest_run(client, connection.namespace, name)
        if not run.finished:
            problem(f"run {run.metadata.name} has no verdict yet: showstopper watch {run.metadata.name}")
            return ExitCode.INCONCLUSIVE
        if run.metadata.name != name and (news := await _newer_request(client, connection.namespace, name)):
            problem(news)
            return ExitCode.INCONCLUSIVE
        return await output.show_verdict(client, run, form)


async def _newer_request(client: Client, namespace: str, name: str) -> str:
    """Why the newest verdict is not on what the experiment is now; empty if it is."""
    try:
        found = await lookup.experiment(client, namespace, name)
    except NotFound:
        return ""
    status, metadata = found.status, found.metadata
    answered = metadata.annotations.get(RUN_REQUESTED, "") in {"", status.last_handled_run_request}
    over = conditions.is_true(status.conditions, ConditionType.FINISHED) and not found.spec.dry_run
    if answered and over and status.observed_generation >= metadata.generation:
        return ""
    return f"there is no verdict on experiment {namespace}/{name} as it is now: {lookup.standing(found)}"
