"""Asking: apply an experiment or ask for a run of one that is there, and find the run that belongs to it."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.experiment import Experiment
from showstopper.api.run import ExperimentRun
from showstopper.cli.kube import lookup, manifest
from showstopper.cli.kube.connection import Connection
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, Kind
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import Conflict, NotFound, ShowstopperError

MANAGER = "showstopper-cli"
POLL_SECONDS = 0.25
# A refusal that stood before the request is the old one until the operator has had time to look again.
SETTLE_SECONDS = 3.0
# An operator that is there looks at a new generation within a second.
OPERATOR_SECONDS = 30.0
ATTEMPTS = 5


class Refused(ShowstopperError):
    """The operator will not run this experiment as it is; nothing was tested."""


class NoOperator(ShowstopperError):
    """Nobody answered the request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a run: the experiment as it was then, and the annotation's value."""

    experiment: Experiment
    run_request: str

    def is_answered_by(self, run: ExperimentRun) -> bool:
        """Whether a run was made for this request (or for a later spec, if somebody changed it meanwhile)."""
        origin = run.spec.experiment
        metadata = self.experiment.metadata
        same = origin.uid == metadata.uid and origin.run_request == self.run_request
        return same and origin.generation >= metadata.generation


async def ask(client: Client, connection: Connection, file_or_name: str) -> Asked:
    """Apply the file, or take the experiment of that name, and make sure that a new run is asked for."""
    if not manifest.is_file(file_or_name):
        name = file_or_name.removeprefix("experiment/").removeprefix("exp/")
        return await _request(client, await lookup.experiment(client, connection.namespace, name))
    read = manifest.read(
        Path(file_or_name), connection.namespace, namespace_given=connection.given_namespace is not None
    )
    metadata = read.experiment["metadata"]
    before = await _standing(client, metadata["namespace"], metadata["name"])
    for kind, body in read.objects:
        applied = await _apply(client, kind, body)
        if kind is EXPERIMENT:
            after = Experiment.parse(applied)
    if after.spec.dry_run or after.spec.suspend or _asks_by_itself(before, after):
        return Asked(after, after.metadata.annotations.get(RUN_REQUESTED, ""))
    return await _request(client, after)


def _asks_by_itself(before: Experiment | None, after: Experiment) -> bool:
    """Whether applying it was a request: it is new, or what is run has changed.

    Of a scheduled experiment, what the operator sees first asks for nothing: only a later change does.
    """
    if after.spec.schedule is not None and (before is None or before.status.last_hash is None):
        return False
    return before is None or requests.wanted(before) != requests.wanted(after)


async def _standing(client: Client, namespace: str, name: str) -> Experiment | None:
    try:
        return Experiment.parse(await client.get(EXPERIMENT, namespace, name))
    except NotFound:
        return None


async def _apply(client: Client, kind: Kind, body: Object) -> Object:
    try:
        return await client.apply(kind, body, manager=MANAGER)
    except NotFound as error:
        if not lookup.is_unknown_kind(error):
            raise
        return await lookup.get(client, kind, body["metadata"]["namespace"], body["metadata"]["name"])


async def _request(client: Client, experiment: Experiment) -> Asked:
    """Give the annotation a value that it never had."""
    namespace, name = experiment.key
    value = f"{to_timestamp(Clock().now())}-{secrets.token_hex(3)}"
    key = RUN_REQUESTED.replace("~", "~0").replace("/", "~1")
    for _ in range(ATTEMPTS):
        version = {"op": "test", "path": "/metadata/resourceVersion", "value": experiment.metadata.resource_version}
        start: list[Object] = [version]
        if not experiment.metadata.annotations:
            start.append({"op": "add", "path": "/metadata/annotations", "value": {}})
        add = {"op": "add", "path": f"/metadata/annotations/{key}", "value": value}
        try:
            return Asked(Experiment.parse(await client.patch(EXPERIMENT, namespace, name, [*start, add])), value)
        except Conflict:  # its status moved meanwhile, most often
            experiment = await lookup.experiment(client, namespace, name)
    raise Conflict(f"Experiment {namespace}/{name} changes all the time: try again", status=409)


async def answer(client: Client, asked: Asked) -> ExperimentRun:
    """Wait for the run that this request gets.

    Raises:
        Refused: the operator says why there will be none.
        NoOperator: nobody looks at it.
    """
    namespace, name = asked.experiment.key
    clock = Clock()
    began = clock.now()
    while True:
        found = await lookup.experiment(client, namespace, name)
        if found.metadata.uid != asked.experiment.metadata.uid:
            raise Refused(f"Experiment {namespace}/{name} was deleted meanwhile")
        for run in reversed(await lookup.runs(client, found)):
            if asked.is_answered_by(run):
                return run
        refuse(asked, found, clock.now() - began)
        await asyncio.sleep(POLL_SECONDS)


def refuse(asked: Asked, found: Experiment, waited: float) -> None:
    """Raise when the experiment's status says that there will be no run."""
    namespace, name = found.key
    status = found.status
    if status.observed_generation < asked.experiment.metadata.generation:
        if waited > OPERATOR_SECONDS:
            raise NoOperator(
                f"no operator has looked at Experiment {namespace}/{name} for {OPERATOR_SECONDS:.0f} s: "
                "look at kubectl get pods -A -l app.kubernetes.io/name=showstopper"
            )
        return
    changed = asked.experiment.status.observed_generation < asked.experiment.metadata.generation
    if not changed and waited < SETTLE_SECONDS:
        return
    stalled, suspended, finished = (
        conditions.is_true(status.conditions, kind)
        for kind in (ConditionType.STALLED, ConditionType.SUSPENDED, ConditionType.FINISHED)
    )
    planned = found.spec.dry_run and conditions.is_true(status.conditions, ConditionType.READY)
    if suspended or planned or (stalled and not finished):
        raise Refused(f"Experiment {namespace}/{name} was not run: {lookup.standing(found)}")
