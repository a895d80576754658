"""`showstopper stop`: throw the stop switch, and wait until everything has ended."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from showstopper.api.game_day import GameDay
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.stop_switch import stop_reason
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube import endings, stop_switches
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.endings import Subject
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, GAME_DAY
from showstopper.engine.runs.undoing import FINALIZER
from showstopper.errors import NotFound, ShowstopperError, Unavailable

POLL_SECONDS = 0.2
PAGE = 100


def command(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Reason, shown on every stopped run.", metavar="TEXT")],
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait until everything has ended.")
    ] = 60,
) -> None:
    """Stop everything: abort every run in the cluster, lift every fault within a second, and start nothing new.

    Nothing starts until `showstopper resume`. This creates the ConfigMap stop-switch in the agents' namespace, which
    is looked for: -n does not matter. The agents watch it themselves, so their faults are lifted without the operator,
    too; those of host and door then end with their lease, and changes of objects wait for the next operator.

    Exit codes: 0 everything has ended, 4 nobody watches a switch, or something has not ended or was not reverted.
    """
    if stop_reason({"data": {"reason": reason}}) is None:
        raise typer.BadParameter("an empty reason stops nothing: write why", param_hint="--reason")
    raise typer.Exit(asyncio.run(_stop(context.obj, reason, timeout)))


async def _stop(connection: Connection, reason: str, timeout: float) -> ExitCode:
    async with connection.open() as client:
        try:
            namespaces = await stop_switches.namespaces(client)
        except NotFound as error:
            raise NotFound(f"nothing was stopped: {error}", status=404) from error
        since = min([await stop_switches.throw(client, namespace, reason) for namespace in namespaces])
        try:
            return await until_ended(client, since, timeout)
        except ShowstopperError as error:
            problem(f"the stop switch is set, but whether everything has ended cannot be seen: {error}")
            return ExitCode.ERROR


async def until_ended(client: Client, since: float, timeout: float) -> ExitCode:
    """Wait until no run and no game day is under way, and print how each of them ended.

    Args:
        client: with the right to list them in all namespaces.
        since: what the switch has ended since then is printed, too. Unix seconds.
        timeout: in seconds.
    """
    clock = asyncio.get_running_loop().time
    give_up = clock() + timeout
    subjects = [subject async for subject in _subjects(client) if _concerns(subject, since)]
    if not subjects:
        print("nothing was under way")
    code = ExitCode.PASSED
    while subjects:
        for subject in filter(_is_over, subjects):
            code = max(code, _say_how_it_ended(subject))
        subjects = [subject for subject in subjects if not _is_over(subject)]
        if subjects and clock() > give_up:
            names = ", ".join(map(endings.title, subjects))
            problem(f"not ended within {timeout:g} s, though the switch is set: {names}: showstopper doctor")
            return ExitCode.ERROR
        if subjects:
            await asyncio.sleep(POLL_SECONDS)
        subjects = [newer for subject in subjects if (newer := await _newer(client, subject)) is not None]
    return code


async def _subjects(client: Client) -> AsyncIterator[Subject]:
    """Every run and every game day of the cluster."""
    async for page in client.pages(EXPERIMENT_RUN, size=PAGE):
        for run in page["items"]:
            yield ExperimentRun.parse(run)
    async for page in client.pages(GAME_DAY, size=PAGE):
        for day in page["items"]:
            yield GameDay.parse(day)


def _concerns(subject: Subject, since: float) -> bool:
    """Whether it is under way, or was until the switch ended it."""
    status = subject.status
    if not _is_over(subject):
        return True
    if not subject.finished:
        return False
    if status.reason != Reason.STOPPED or status.finished_at is None:
        return False
    return from_timestamp(status.finished_at) >= since


def _is_over(subject: Subject) -> bool:
    """A run without a verdict is not, also while it waits, and one whose record may not go yet. A game day without one
    is not once it has begun.
    """
    if isinstance(subject, GameDay):
        return subject.finished or subject.status.started_at is None
    return subject.finished and FINALIZER not in subject.metadata.finalizers


async def _newer(client: Client, subject: Subject) -> Subject | None:
    """The same as it is now, or None if it was deleted."""
    try:
        return type(subject).parse(await client.get(endings.kind_of(subject), *subject.key))
    except NotFound:
        return None
    except Unavailable:
        return subject


def _say_how_it_ended(subject: Subject) -> ExitCode:
    print(f"{endings.title(subject)} ended: {subject.status.verdict} ({subject.status.reason})")
    return endings.say_what_is_left(subject)
