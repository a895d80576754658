"""Lookup: experiments, runs and game days by name."""

import re
from typing import TypeVar

from showstopper.api.conditions import Condition, ConditionType, find, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import NAME_PATTERN, WRITE_A_NAME
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, Kind
from showstopper.engine.runs import requests
from showstopper.engine.runs.draft import EXPERIMENT_LABEL
from showstopper.errors import NotFound, NotRunYet, RunDeleted, SettingsError

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
        RunDeleted: its newest run was deleted. An older one says nothing of what was asked for last.
    """
    try:
        owner = await experiment(client, namespace, name)
    except NotFound as missing:
        try:
            return ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, name))
        except NotFound:
            raise missing from None
    newest, remembered = requests.current(owner, await runs(client, owner)), owner.status.run
    if newest is not None:
        return newest
    if remembered is None:
        raise NotRunYet(f"experiment {namespace}/{name} has not run yet: {summary(owner)}", status=404)
    raise RunDeleted(
        f"run {remembered.name}, the newest of experiment {namespace}/{name}, was deleted: {summary(owner)}",
        run=remembered.name,
    )


async def why_outdated(client: Client, name: str, newest: ExperimentRun) -> str:
    """Why the verdict of its newest run is not one on the experiment's current form. Empty if it is.

    `name`: that the run was looked up by. Of a run that was named itself, nothing is outdated.
    """
    namespace = newest.metadata.namespace
    owner = await existing(client, EXPERIMENT, Experiment, namespace, name) if newest.metadata.name != name else None
    if owner is None:
        return ""
    status, metadata = owner.status, owner.metadata
    answered = metadata.annotations.get(requests.RUN_REQUESTED, "") in {"", status.last_handled_run_request}
    finished = is_true(status.conditions, ConditionType.FINISHED) and not owner.spec.dry_run
    if answered and finished and status.observed_generation >= metadata.generation:
        return ""
    return f"experiment {namespace}/{name} has no verdict in its current form: {summary(owner)}"


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
