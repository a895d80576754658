"""Lookup: experiments, runs and game days by name."""

import re
from typing import TypeVar

from showstopper.api.conditions import Condition, ConditionType, find
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import NAME_PATTERN, WRITE_A_NAME
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, Kind
from showstopper.engine.runs import requests
from showstopper.engine.runs.draft import EXPERIMENT_LABEL
from showstopper.errors import NotFound, NotRunYet, SettingsError

T = TypeVar("T", Experiment, GameDay)


async def get(client: Client, kind: Kind, namespace: str, name: str) -> Object:
    """An object of one of our kinds.

    Raises:
        SettingsError: this cannot be a name.
        NotFound: there is no such object, or the cluster does not have the kind. The message says which.
    """
    if "/" in name:
        raise SettingsError(f'invalid name "{name[:100]}": pass the name alone, and the namespace with -n')
    if not re.fullmatch(NAME_PATTERN, name):
        raise SettingsError(f'invalid name "{name[:100]}": {WRITE_A_NAME}')
    try:
        return await client.get(kind, namespace, name)
    except NotFound as error:
        if is_unknown_kind(error):
            raise NotFound(
                "this cluster does not have Showstopper's resources: install its Helm chart first (from a checkout: "
                "helm install showstopper charts/showstopper -n showstopper-system --create-namespace)",
                status=404,
            ) from error
        raise NotFound(
            f'there is no {kind.name} "{name}" in namespace {namespace}: kubectl get {kind.resource} -A', status=404
        ) from error


async def existing(client: Client, kind: Kind, model: type[T], namespace: str, name: str) -> T | None:
    """The object, or None if there is none of that name."""
    try:
        return model.parse(await client.get(kind, namespace, name))
    except NotFound:
        return None


def is_unknown_kind(error: NotFound) -> bool:
    """Whether the cluster does not have the kind at all, by what API servers say of a version and of a group."""
    return "could not find the requested resource" in str(error) or "404 page not found" in str(error)


async def experiment(client: Client, namespace: str, name: str) -> Experiment:
    """The experiment of that name."""
    return Experiment.parse(await get(client, EXPERIMENT, namespace, name))


async def game_day(client: Client, namespace: str, name: str) -> GameDay:
    """The game day of that name."""
    return GameDay.parse(await get(client, GAME_DAY, namespace, name))


async def runs(client: Client, experiment: Experiment) -> list[ExperimentRun]:
    """The runs of this very experiment (by UID), newest last."""
    labels = {EXPERIMENT_LABEL: experiment.metadata.name}
    bodies = await client.list(EXPERIMENT_RUN, experiment.metadata.namespace, labels=labels)
    parsed = [ExperimentRun.parse(body) for body in bodies]
    own = [run for run in parsed if run.spec.experiment.uid == experiment.metadata.uid]
    return sorted(own, key=requests.order)


async def newest_run(client: Client, namespace: str, name: str) -> ExperimentRun:
    """The newest run of the experiment of that name, or else the run of that name.

    Raises:
        NotFound: there is neither.
        NotRunYet: the experiment has no run.
    """
    try:
        owner = await experiment(client, namespace, name)
    except NotFound as missing:
        try:
            return ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, name))
        except NotFound:
            raise missing from None
    newest = requests.newest_of(owner, await runs(client, owner))
    if newest is None:
        raise NotRunYet(f"experiment {namespace}/{name} has not run yet: {summary(owner)}", status=404)
    return newest


async def run_or_game_day(client: Client, namespace: str, name: str) -> ExperimentRun | GameDay:
    """The run that `newest_run` returns, or else the game day of that name.

    Raises:
        NotFound: there is neither.
    """
    try:
        return await newest_run(client, namespace, name)
    except NotFound as missing:
        try:
            return GameDay.parse(await client.get(GAME_DAY, namespace, name))
        except NotFound:
            raise missing from None


def ready_condition(subject: Experiment | GameDay) -> Condition | None:
    """The condition Ready of the newest generation. None: the operator has not observed that generation yet."""
    if subject.status.observed_generation < subject.metadata.generation:
        return None
    return find(subject.status.conditions, ConditionType.READY)


def summary(subject: Experiment | GameDay) -> str:
    """Reason and message of the condition Ready."""
    ready = ready_condition(subject)
    if ready is None:
        return "the operator has not observed it yet"
    return f"{ready.reason}: {ready.message}"
