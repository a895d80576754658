"""`showstopper gameday`: the status of a game day, following it to its verdict, and approving its acts."""

import asyncio
from typing import Annotated

import typer

from showstopper.api.game_day import GameDay
from showstopper.cli.exit_codes import ExitCode, note, of_verdict, problem
from showstopper.cli.interruptible import run_to_end
from showstopper.cli.kube import approval, lookup, performance
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.performance import Performance
from showstopper.cli.live.follow_day import follow_day
from showstopper.cli.views import game_day, output
from showstopper.cli.views.output import FormOption, OutputFormat, TimeoutOption
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import GAME_DAY
from showstopper.errors import Unavailable

group = typer.Typer(add_completion=False, help="Game days: status, watching, and approving acts.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a game day.")]


@group.command()
def status(context: typer.Context, name: NameArgument, form: FormOption = OutputFormat.SHORT) -> None:
    """Print a game day, act by act.

    Exit codes as for run. Without a verdict, or if another performance was asked for and has not begun: 2.
    """
    raise typer.Exit(asyncio.run(_status(context.obj, name, form)))


@group.command()
def watch(
    context: typer.Context, name: NameArgument, form: FormOption = OutputFormat.SHORT, timeout: TimeoutOption = None
) -> None:
    """Print each change of a game day until its verdict, and show the run of each act.

    Exit codes as for run. If another performance was asked for and has not begun, this exits with 2. Ctrl-C only
    stops watching.
    """
    run_to_end(_watch(context.obj, name, form), timeout=timeout)


@group.command()
def approve(
    context: typer.Context,
    name: NameArgument,
    act: Annotated[str, typer.Argument(metavar="ACT", help="Name of the act that awaits approval.")],
    form: Annotated[
        str | None,
        typer.Option("--hash", metavar="HASH", help="Hash of its experiment. Another form is refused."),
    ] = None,
) -> None:
    """Approve an act that awaits it, in your own name.

    This requires the verb approve on gamedays.
    """
    asyncio.run(_approve(context.obj, name, act, form))


async def _status(connection: Connection, name: str, form: OutputFormat) -> ExitCode:
    async with connection.open() as client:
        day = await lookup.game_day(client, connection.namespace, name)
        return await show(client, day, form, performance.why_superseded(day))


async def _watch(connection: Connection, name: str, form: OutputFormat) -> ExitCode:
    screen = output.screen(form)
    async with connection.open() as client:
        present = await lookup.game_day(client, connection.namespace, name)
        if why := performance.why_superseded(present):
            return await show(client, present, form, why)
        day = await follow_day(client, Performance(present), screen)
        screen.print()
        return await show(client, day, form, performance.why_superseded(day))


async def show(client: Client, day: GameDay, form: OutputFormat, superseded: str = "") -> ExitCode:
    """Print a game day, act by act. Returns the exit code of its verdict. `superseded`: why that does not count."""
    if form.for_programs:
        output.document(await client.get(GAME_DAY, *day.key), form)
    else:
        output.screen().print(game_day.draw(day))
    if why := superseded or performance.why_without_verdict(day):
        problem(why)
        return ExitCode.INCONCLUSIVE
    return of_verdict(day.status.verdict or "")


async def _approve(connection: Connection, name: str, act: str, form: str | None) -> None:
    async with connection.open() as client:
        try:
            approver = await approval.approve(client, connection.namespace, name, act, form=form)
        except Unavailable:
            note(f"the API server does not answer; showstopper gameday status {name} shows whether the act is approved")
            raise
    print(f"act {act} of game day {connection.namespace}/{name} was approved by {approver}")
