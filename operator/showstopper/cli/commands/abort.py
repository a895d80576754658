"""`showstopper abort`: end a run or a game day, and wait until its faults are reverted."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import ActRecord, GameDay
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, note, problem
from showstopper.cli.interruptible import run_to_end
from showstopper.cli.kube import endings, lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.endings import Subject
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import ClusterError, NotFound, Unavailable

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

    An experiment stands for all its runs that are not over, and for a run that was requested and waits for these: the
    request is taken back. A game day is aborted with its current run.

    Exit codes: 0 aborted and reverted, 2 nothing to abort or not over in time, 4 a fault was not reverted.
    """
    run_to_end(_abort(context.obj, name, wait=wait), timeout=timeout)


async def _abort(connection: Connection, name: str, *, wait: bool) -> ExitCode:
    async with connection.open() as client:
        experiment, runs = await _experiment(client, connection.namespace, name)
        named: Sequence[Subject] = runs or [await lookup.run_or_game_day(client, connection.namespace, name)]
        under_way: list[Subject] = [subject for subject in named if not subject.finished]
        if not under_way:
            problem(f"nothing to abort: {_title(named[-1])} is over: {named[-1].status.verdict}")
            return ExitCode.INCONCLUSIVE
        if experiment is not None and await _take_back(client, experiment, runs):
            under_way = [run for run in await lookup.runs(client, experiment) if not run.finished]  # it may be made
        for subject in under_way:
            await _end(client, subject)
        if not wait:
            return ExitCode.PASSED
        return max([await _await_end(client, subject) for subject in under_way], default=ExitCode.PASSED)


async def _experiment(client: Client, namespace: str, name: str) -> tuple[Experiment | None, Sequence[ExperimentRun]]:
    """The experiment of that name, and its runs, oldest first: while the newest waits, the one before is injecting."""
    try:
        experiment = await lookup.experiment(client, namespace, name)
    except NotFound:
        return None, ()
    return experiment, await lookup.runs(client, experiment)


async def _take_back(client: Client, experiment: Experiment, runs: Sequence[ExperimentRun]) -> bool:
    """Take back a request that has no run yet: it would get one as soon as the run that waits is over.

    Returns whether there was one.
    """
    answered = requests.answered(experiment, runs)
    if requests.wanted(experiment).run_request in {"", answered.run_request if answered is not None else ""}:
        return False
    path = f"/metadata/annotations/{RUN_REQUESTED.replace('/', '~1')}"
    change: list[Object] = [
        {"op": "test", "path": path, "value": experiment.metadata.annotations[RUN_REQUESTED]},
        {"op": "remove", "path": path},
    ]
    try:
        await client.patch(EXPERIMENT, *experiment.key, change)
    except ClusterError as error:  # what runs is ended in any case
        title = f"experiment/{experiment.metadata.name}"
        note(f"{title} has asked for another run, which follows: it could not be taken back: {error}")
    return True


def _title(subject: Subject) -> str:
    return f"{endings.kind_of(subject).name.lower()}/{subject.metadata.name}"


async def _end(client: Client, subject: Subject) -> None:
    change: list[Object] = [
        {"op": "test", "path": "/metadata/uid", "value": subject.metadata.uid},
        {"op": "add", "path": "/spec/abort", "value": True},
    ]
    try:
        await client.patch(endings.kind_of(subject), *subject.key, change)
    except NotFound:  # deleting it has ended it. The others have to end, too
        note(f"{_title(subject)} was deleted meanwhile")
    else:
        print(f"{_title(subject)} aborted")


async def _await_end(client: Client, subject: Subject) -> ExitCode:
    subject = await _until_finished(client, subject)
    print(f"{subject.status.verdict} ({subject.status.reason}): {subject.status.message}")
    if isinstance(subject, GameDay):
        return max([await _await_act(client, subject, act) for act in subject.status.acts], default=ExitCode.PASSED)
    return endings.say_what_is_left(subject)


async def _await_act(client: Client, day: GameDay, act: ActRecord) -> ExitCode:
    """The same for the run of an act: a game day knows nothing of what its runs have left."""
    if act.run is None:
        return ExitCode.PASSED
    try:
        run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, day.metadata.namespace, act.run))
        return endings.say_what_is_left(await _until_finished(client, run))
    except NotFound:
        if act.reason != Reason.RUN_DELETED:  # it was judged, and cleared away since
            return ExitCode.PASSED
        problem(f"not known to be reverted: the faults of act {act.name}: {act.message}")
        return ExitCode.ERROR


async def _until_finished(client: Client, subject: Subject) -> Subject:
    while not subject.finished:
        await asyncio.sleep(POLL_SECONDS)
        try:
            subject = type(subject).parse(await client.get(endings.kind_of(subject), *subject.key))
        except Unavailable as error:
            note(f"the API server does not answer: {error}")
    return subject
