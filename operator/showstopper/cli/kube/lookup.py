"""Finding: experiments and runs by the names that people give."""

from showstopper.api.conditions import Condition, ConditionType, find
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, Kind
from showstopper.engine.runs import requests
from showstopper.engine.runs.draft import EXPERIMENT_LABEL
from showstopper.errors import NotFound, SettingsError


async def get(client: Client, kind: Kind, namespace: str, name: str) -> Object:
    """An object of ours.

    Raises:
        NotFound: there is none, or the cluster does not even know its kind; the message says which and what to do.
    """
    if not name or "/" in name:
        raise SettingsError(f'"{name}" is no name: give NAME, and its namespace by -n')
    try:
        return await client.get(kind, namespace, name)
    except NotFound as error:
        if is_unknown_kind(error):
            raise NotFound(
                "this cluster does not know Showstopper's resources: install its chart first "
                "(helm install showstopper charts/showstopper -n showstopper-system --create-namespace)",
                status=404,
            ) from error
        raise NotFound(
            f'there is no {kind.name} "{name}" in namespace {namespace}: kubectl get {kind.plural} -A', status=404
        ) from error


def is_unknown_kind(error: NotFound) -> bool:
    """Whether the cluster does not know the kind at all: its own words, for a version and for a whole group."""
    return "could not find the requested resource" in str(error) or "404 page not found" in str(error)


async def experiment(client: Client, namespace: str, name: str) -> Experiment:
    """The experiment of that name."""
    return Experiment.parse(await get(client, EXPERIMENT, namespace, name))


async def game_day(client: Client, namespace: str, name: str) -> GameDay:
    """The game day of that name."""
    return GameDay.parse(await get(client, GAME_DAY, namespace, name))


async def runs(client: Client, found: Experiment) -> list[ExperimentRun]:
    """The runs of this very experiment, newest last."""
    labels = {EXPERIMENT_LABEL: found.metadata.name}
    bodies = await client.list(EXPERIMENT_RUN, found.metadata.namespace, labels=labels)
    own = [ExperimentRun.parse(body) for body in bodies]
    return sorted((run for run in own if run.spec.experiment.uid == found.metadata.uid), key=requests.order)


async def newest_run(client: Client, namespace: str, name: str) -> ExperimentRun:
    """The run of that name, or the newest run of the experiment of that name.

    Raises:
        NotFound: neither is there, or the experiment has not run.
    """
    try:
        found = await experiment(client, namespace, name)
    except NotFound as missing:
        try:
            return ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, name))
        except NotFound:
            raise missing from None
    newest = requests.newest_of(found, await runs(client, found))
    if newest is None:
        raise NotFound(f"experiment {namespace}/{name} has not run yet: {standing(found)}", status=404)
    return newest


def current(found: Experiment | GameDay) -> Condition | None:
    """What its condition Ready says of its newest generation; None: the operator has not looked at that yet."""
    return (
        find(found.status.conditions, ConditionType.READY)
        if found.status.observed_generation >= found.metadata.generation
        else None
    )


def standing(found: Experiment | GameDay) -> str:
    """Where it stands, in a sentence."""
    ready = current(found)
    if ready is None:
        return "the operator has not looked at it yet"
    return f"{ready.reason}: {ready.message}"
