"""Follow: show a run until its verdict, as a live picture on a terminal or as lines in a log."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live

from showstopper.api.run import ExperimentRun
from showstopper.availability.timeline import KEEP_SECONDS, Timeline
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.live import terminal
from showstopper.cli.live.log import RunLog
from showstopper.cli.live.snapshot import LiveSnapshot
from showstopper.cli.views import output
from showstopper.clock import Clock, from_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.errors import ShowstopperError, Unavailable

POLL_SECONDS = 0.5
LAST_NEWS_SECONDS = 1.5
"""Feeds report the last second a second later, and the picture should include it."""

OVERDUE_SECONDS = 90.0
"""How long the operator may take to judge after the deadline, or to come back after a restart."""


class Overdue(ShowstopperError):
    """The run is past its deadline and has no verdict."""


async def follow(client: Client, run: ExperimentRun, console: Console) -> ExperimentRun:
    """Show the run until it has a verdict. Returns the judged run.

    Raises:
        NotFound: the run was deleted meanwhile.
        Overdue: it is past its deadline, and no operator judges it.
    """
    if run.finished:
        return run
    crowd = Timeline(KEEP_SECONDS) if run.room.spec.listeners.crowd is not None else None
    feeds = Feeds(client, run.metadata.namespace, run.spec.room.name, Clock(), crowd=crowd)
    listening = asyncio.create_task(feeds.run())
    try:
        show, screen = _picture(console) if output.is_live(console) else _log(console)
        with screen:
            return await _until_verdict(client, run, feeds, show)
    finally:
        listening.cancel()


async def _until_verdict(
    client: Client, run: ExperimentRun, feeds: Feeds, show: Callable[[LiveSnapshot], None]
) -> ExperimentRun:
    while True:
        show(LiveSnapshot(run, feeds.timeline, feeds.now(), feeds.note, feeds.crowd))
        if run.finished:
            return run
        if feeds.now() > from_timestamp(run.spec.deadline) + OVERDUE_SECONDS:
            raise Overdue(
                f"ExperimentRun {run.metadata.namespace}/{run.metadata.name} has no verdict, although its "
                f"deadline was {run.spec.deadline}: is the operator running? "
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
        return run  # the API server does not answer: the picture stays as it is, and the deadline applies


def _picture(console: Console) -> tuple[Callable[[LiveSnapshot], None], AbstractContextManager[object]]:
    live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def show(snapshot: LiveSnapshot) -> None:
        live.update(terminal.draw(snapshot, width=console.width, height=console.height), refresh=True)

    return show, live


def _log(console: Console) -> tuple[Callable[[LiveSnapshot], None], AbstractContextManager[object]]:
    log = RunLog()

    def show(snapshot: LiveSnapshot) -> None:
        for line in log.news(snapshot):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return show, nullcontext()
