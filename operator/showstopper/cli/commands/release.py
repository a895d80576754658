"""`showstopper release`: let runs begin again; the same as `showstopper stop --release`."""

import asyncio

import typer

from showstopper.cli.commands.stop import let_go


def command(context: typer.Context) -> None:
    """Take the stop switch back, so that runs may begin again. Those that were stopped have to be asked for anew."""
    asyncio.run(let_go(context.obj))
