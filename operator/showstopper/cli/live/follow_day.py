"""Follow a game day: tell each change, and show the run of each act, until the verdict."""

import asyncio

from rich.console import Console

from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cli.kube import lookup
from showstopper.cli.kube.performance import Performance, raise_if_not_taken_up
from showstopper.cli.live.follow import follow
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.errors import NotFound

POLL_SECONDS = 0.5


async def follow_day(client: Client, performance: Performance, console: Console) -> GameDay:
    """Show the performance until it is over. Returns the game day as it is then.

    Raises:
        NotFound: the game day was deleted meanwhile.
        RunRefused: it does not begin before somebody changes something.
        NoOperator: no operator answers.
        Overdue: a run of it is past its deadline, and no operator judges it.
    """
    clock, printed = Clock(), ""
    began = clock.now()
    while True:
        day = await lookup.game_day(client, *performance.day.key)
        stale = day.finished and not performance.begun(day)  # the status is still that of the performance before
        if not stale and (summary := lookup.summary(day)) != printed:
            printed = summary
            console.print(summary, markup=False, highlight=False, soft_wrap=True)
        waited = clock.now() - began
        if performance.is_over(day, waited):
            return day
        raise_if_not_taken_up(performance, day, waited)
        if not await _show_act(client, day, console):
            await asyncio.sleep(POLL_SECONDS)


async def _show_act(client: Client, day: GameDay, console: Console) -> bool:
    """Show the run of the act that is under way until its verdict. Returns whether there was one to be shown."""
    record = next((act for act in day.status.acts if act.name == day.status.act), None)
    if record is None or record.run is None or record.run_uid is None:
        return False
    try:
        run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, day.metadata.namespace, record.run))
        if run.finished:
            return False
        await follow(client, run, console)
    except NotFound:  # somebody deleted its record: the game day tells what follows from that
        return False
    return True
