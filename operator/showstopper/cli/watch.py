"""`showstopper watch`: the picture of a run that goes on."""

import typer

from showstopper.cli import finding, output
from showstopper.cli.connection import Connection
from showstopper.cli.endings import Ending
from showstopper.cli.following import follow
from showstopper.cli.output import Form, FormOption, NameArgument
from showstopper.cli.watching import Watched, to_the_end


def command(context: typer.Context, name: NameArgument, form: FormOption = Form.SHORT) -> None:
    """Watch a run, or the newest run of an experiment, until its verdict. Exit codes as for run."""
    watched = Watched()
    to_the_end(_watch(context.obj, name, form, watched), watched)


async def _watch(connection: Connection, name: str, form: Form, watched: Watched) -> Ending:
    screen = output.screen(form)
    async with connection.open() as client:
        run = await finding.newest_run(client, connection.namespace, name)
        watched.namespace, watched.run = run.key
        run = await follow(client, run, screen)
        screen.print()
        return await output.verdict(client, run, form)
