"""`showstopper abort`: end a run, or a game day, and see that nothing of it is left."""

import asyncio
from typing import Annotated

import typer

from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, note, problem
from showstopper.cli.interruptible import to_the_end
from showstopper.cli.kube import lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, GAME_DAY, Kind
from showstopper.errors import NotFound, Unavailable

POLL_SECONDS = 0.2


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a run, an experiment, or a game day.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until nothing of it is left.")] = True,
    timeout: Annotated[float | None, typer.Option(help="Wait no longer than so many seconds (exit code 2).")] = 60,
) -> None:
    """End the run that is under way, revert its faults, and wait until nothing is left. A game day ends with its run.

    Exit: 0 it is over and nothing is left, 2 nothing was under way or it was not over in time, 4 something is left.
    """
    to_the_end(_abort(context.obj, name, wait=wait), timeout=timeout)


async def _abort(connection: Connection, name: str, *, wait: bool) -> ExitCode:
    async with connection.open() as client:
        found = await _subject(client, connection.namespace, name)
        kind = GAME_DAY if isinstance(found, GameDay) else EXPERIMENT_RUN
        where = f"{kind.name.lower()}/{found.metadata.name}"
        if found.finished:
            problem(f"nothing to abort: {where} is over: {found.status.verdict}")
            return ExitCode.INCONCLUSIVE
        change: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": found.metadata.uid},
            {"op": "add", "path": "/spec/abort", "value": True},
        ]
        await client.patch(kind, *found.key, change)
        print(f"{where} aborted")
        if not wait:
            return ExitCode.PASSED
        return await _until_over(client, kind, found)


async def _subject(client: Client, namespace: str, name: str) -> ExperimentRun | GameDay:
    try:
        return await lookup.newest_run(client, namespace, name)
    except NotFound as missing:
        try:
            return GameDay.parse(await client.get(GAME_DAY, namespace, name))
        except NotFound:
            raise missing from None


async def _until_over(client: Client, kind: Kind, found: ExperimentRun | GameDay) -> ExitCode:
    while not found.finished:
        await asyncio.sleep(POLL_SECONDS)
        try:
            found = type(found).parse(await client.get(kind, *found.key))
        except Unavailable as error:
            note(f"the API server is away: {error}")
    print(f"{found.status.verdict} ({found.status.reason}): {found.status.message}")
    left = [fault for fault in found.status.faults if not fault.reverted] if isinstance(found, ExperimentRun) else []
    if left:
        problem(f"not seen to be reverted: {', '.join(fault.name for fault in left)}: {left[0].message or ''}")
        return ExitCode.ERROR
    return ExitCode.PASSED
