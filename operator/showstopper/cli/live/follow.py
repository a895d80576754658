"""Following: show a run until its verdict: as a live picture on a terminal, as lines in a log."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live

from showstopper.api.run import ExperimentRun
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.live import terminal
from showstopper.cli.live.log import Lines
from showstopper.cli.live.snapshot import Moment
from showstopper.clock import Clock, from_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.errors import ShowstopperError, Unavailable

POLL_SECONDS = 0.5
# The feeds tell of the last second a second later; the picture should end with it.
LAST_NEWS_SECONDS = 1.5
# What the operator may take to judge after the deadline, and to come back after a restart.
OVERDUE_SECONDS = 90.0


class Overdue(ShowstopperError):
    """The run is past its deadline and still has no verdict, or the caller's own patience is over."""


async def follow(client: Client, run: ExperimentRun, console: Console) -> ExperimentRun:
    """Show the run until it has a verdict, which is returned.

    Raises:
        NotFound: the run was deleted meanwhile.
        Overdue: nobody judges it.
    """
    if run.finished:
        return run
    feeds = Feeds(client, run.metadata.namespace, run.spec.room.name, Clock())
    listening = asyncio.create_task(feeds.run())
    try:
        show, screen = _live(console) if console.is_terminal else _logged(console)
        with screen:
            return await _until_verdict(client, run, feeds, show)
    finally:
        listening.cancel()


async def _until_verdict(
    client: Client, run: ExperimentRun, feeds: Feeds, show: Callable[[Moment], None]
) -> ExperimentRun:
    while True:
        show(Moment(run, feeds.timeline, feeds.now(), feeds.note))
        if run.finished:
            return run
        if feeds.now() > from_timestamp(run.spec.deadline) + OVERDUE_SECONDS:
            raise Overdue(
                f"ExperimentRun {run.metadata.namespace}/{run.metadata.name} has no verdict, and its deadline was "
                f"{run.spec.deadline}: is the operator running? "
                "kubectl get pods -A -l app.kubernetes.io/name=showstopper"
            )
        await asyncio.sleep(POLL_SECONDS)
        run = await _newer(client, run)
        if run.finished:
            await asyncio.sleep(LAST_NEWS_SECONDS)


async def _newer(client: Client, run: ExperimentRun) -> ExperimentRun:
    try:
        return ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key))
    except Unavailable:
        return run  # the API server is away: the picture stands still, and the deadline counts on


def _live(console: Console) -> tuple[Callable[[Moment], None], AbstractContextManager[object]]:
    live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def show(moment: Moment) -> None:
        live.update(terminal.draw(moment, width=console.width, height=console.height), refresh=True)

    return show, live


def _logged(console: Console) -> tuple[Callable[[Moment], None], AbstractContextManager[object]]:
    lines = Lines()

    def show(moment: Moment) -> None:
        for line in lines.news(moment):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return show, nullcontext()
