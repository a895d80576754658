"""`showstopper gameday`: where a game day stands, to its end, and letting a held act begin."""

import asyncio
from typing import Annotated

import typer

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.game_day import GameDay
from showstopper.cli.exit_codes import ExitCode, note, of_verdict, problem
from showstopper.cli.interruptible import to_the_end
from showstopper.cli.kube import approval, lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import game_day, output
from showstopper.cli.views.output import Form, FormOption
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import GAME_DAY
from showstopper.errors import Unavailable

POLL_SECONDS = 0.5

group = typer.Typer(add_completion=False, help="Game days: where one stands, and letting a held act begin.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a game day.")]


@group.command()
def status(context: typer.Context, name: NameArgument, form: FormOption = Form.SHORT) -> None:
    """Print a game day, act by act. Exit codes as for run; 2 while there is no verdict."""
    raise typer.Exit(asyncio.run(_status(context.obj, name, form)))


@group.command()
def watch(
    context: typer.Context,
    name: NameArgument,
    form: FormOption = Form.SHORT,
    timeout: Annotated[float | None, typer.Option(help="Give up after so many seconds (exit code 2).")] = None,
) -> None:
    """Tell what happens on a game day until its verdict. Exit codes as for run. Ctrl-C only stops watching."""
    to_the_end(_watch(context.obj, name, form), timeout=timeout)


@group.command()
def approve(
    context: typer.Context,
    name: NameArgument,
    act: Annotated[str, typer.Argument(metavar="ACT", help="Name of the act that waits for approval.")],
) -> None:
    """Let a held act begin, in your own name. It takes the verb approve on gamedays."""
    asyncio.run(_approve(context.obj, name, act))


async def _status(connection: Connection, name: str, form: Form) -> ExitCode:
    async with connection.open() as client:
        return await _told(client, await lookup.game_day(client, connection.namespace, name), form)


async def _watch(connection: Connection, name: str, form: Form) -> ExitCode:
    screen, said = output.screen(form), ""
    async with connection.open() as client:
        while True:
            day = await lookup.game_day(client, connection.namespace, name)
            if (now := lookup.standing(day)) != said:
                said = now
                screen.print(now, markup=False, highlight=False, soft_wrap=True)
            if _is_over(day):
                screen.print()
                return await _told(client, day, form)
            await asyncio.sleep(POLL_SECONDS)


def _is_over(day: GameDay) -> bool:
    """Whether nothing more comes of it by itself."""
    return lookup.current(day) is not None and conditions.is_true(
        day.status.conditions, ConditionType.STALLED
    ) | conditions.is_true(day.status.conditions, ConditionType.FINISHED)


async def _told(client: Client, day: GameDay, form: Form) -> ExitCode:
    if form.for_programs:
        output.document(await client.get(GAME_DAY, *day.key), form)
    else:
        output.screen().print(game_day.draw(day))
    if day.status.verdict is not None and lookup.current(day) is not None:
        return of_verdict(day.status.verdict)
    problem(f"there is no verdict on game day {day.metadata.name} as it is now: {lookup.standing(day)}")
    return ExitCode.INCONCLUSIVE


async def _approve(connection: Connection, name: str, act: str) -> None:
    async with connection.open() as client:
        try:
            approver = await approval.approve(client, connection.namespace, name, act)
        except Unavailable:
            note(f"the API server went away: showstopper gameday status {name} tells whether the approval came")
            raise
    print(f"act {act} of game day {connection.namespace}/{name} was approved by {approver}")
