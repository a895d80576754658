"""`showstopper abort`: end a run or a game day, and wait until its faults are reverted."""

import asyncio
from typing import Annotated

import typer

from showstopper.cli.exit_codes import ExitCode, note, problem
from showstopper.cli.interruptible import run_to_end
from showstopper.cli.kube import endings, lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.endings import Subject
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import Kind
from showstopper.errors import Unavailable

POLL_SECONDS = 0.2


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a run, an experiment or a game day.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all faults are reverted.")] = True,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Timeout in seconds; exits with 2 when it expires.")
    ] = 60,
) -> None:
    """Abort a run or a game day, and wait until its faults are reverted.

    An experiment stands for its current run. A game day is aborted with its current run.

    Exit codes: 0 aborted and reverted, 2 nothing to abort or not over in time, 4 a fault was not reverted.
    """
    run_to_end(_abort(context.obj, name, wait=wait), timeout=timeout)


async def _abort(connection: Connection, name: str, *, wait: bool) -> ExitCode:
    async with connection.open() as client:
        subject = await lookup.run_or_game_day(client, connection.namespace, name)
        kind = endings.kind_of(subject)
        title = f"{kind.name.lower()}/{subject.metadata.name}"
        if subject.finished:
            problem(f"nothing to abort: {title} is over: {subject.status.verdict}")
            return ExitCode.INCONCLUSIVE
        change: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": subject.metadata.uid},
            {"op": "add", "path": "/spec/abort", "value": True},
        ]
        await client.patch(kind, *subject.key, change)
        print(f"{title} aborted")
        if not wait:
            return ExitCode.PASSED
        return await _await_end(client, kind, subject)


async def _await_end(client: Client, kind: Kind, subject: Subject) -> ExitCode:
    while not subject.finished:
        await asyncio.sleep(POLL_SECONDS)
        try:
            subject = type(subject).parse(await client.get(kind, *subject.key))
        except Unavailable as error:
            note(f"the API server does not answer: {error}")
    print(f"{subject.status.verdict} ({subject.status.reason}): {subject.status.message}")
    return endings.say_what_is_left(subject)
