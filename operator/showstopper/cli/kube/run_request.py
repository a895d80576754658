"""Run requests: apply an experiment or request a run of an existing one, and wait for the run that answers."""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from showstopper.api.conditions import ConditionType, is_true
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cli.kube import lookup
from showstopper.cli.kube.manifest import Manifest
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT, Kind
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import Conflict, NotFound, ShowstopperError

MANAGER = "showstopper-cli"
POLL_SECONDS = 0.25
SETTLE_SECONDS = 3.0
"""A refusal from before the request counts only after the operator has had time to reconcile again."""

# A running operator observes a new generation within a second.
OPERATOR_SECONDS = 30.0
ATTEMPTS = 5

Asked = TypeVar("Asked", Experiment, GameDay)


class RunRefused(ShowstopperError):
    """The operator refuses to run this experiment. Nothing was tested."""


class NoOperator(ShowstopperError):
    """No operator answered the request."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A request for a run.

    Attributes:
        experiment: as it was when the run was requested.
        annotation: the value of its annotation run-requested. Empty: the change of the spec is the request.
    """

    experiment: Experiment
    annotation: str

    def is_answered_by(self, run: ExperimentRun) -> bool:
        """Whether a run was created for this request, or for a later spec if somebody changed it meanwhile."""
        origin = run.spec.experiment
        metadata = self.experiment.metadata
        same = origin.uid == metadata.uid and origin.run_request == self.annotation
        return same and origin.generation >= metadata.generation

    def replaced(self, experiment: Experiment) -> "RunRequest | None":
        """The request that somebody else has made since. None: this is still the one that is asked for."""
        later = requests.wanted(experiment).run_request
        return replace(self, annotation=later) if later != self.annotation else None


async def request_run(client: Client, subject: Manifest | Experiment) -> RunRequest:
    """Apply the file, or take the experiment, and request a run unless applying did.

    Raises:
        RunRefused: the experiment is suspended. Nothing is requested: it would run as soon as it is resumed.
    """
    if isinstance(subject, Experiment):
        _refuse_suspended(subject)
        return RunRequest(*await annotate(client, EXPERIMENT, subject))
    metadata = subject.experiment["metadata"]
    before = await lookup.existing(client, EXPERIMENT, Experiment, metadata["namespace"], metadata["name"])
    for kind, body in subject.objects:
        applied = await apply(client, kind, body)
        if kind is EXPERIMENT:
            after = Experiment.parse(applied)
    _refuse_suspended(after)
    if after.spec.dry_run or _requests_run(before, after):
        return RunRequest(after, requests.wanted(after).run_request)
    return RunRequest(*await annotate(client, EXPERIMENT, after))


def _refuse_suspended(experiment: Experiment) -> None:
    """A suspended experiment may have runs, of game days and from before. None of them is the one that is asked for."""
    if experiment.spec.suspend:
        namespace, name = experiment.key
        raise RunRefused(
            f"Experiment {namespace}/{name} was not run: it is suspended: set spec.suspend to false, or let a game day "
            "run it"
        )


def _requests_run(before: Experiment | None, after: Experiment) -> bool:
    """Whether applying it was a request: it is new, or what it runs has changed.

    A new experiment with a schedule requests nothing. Only a later change does.
    """
    if after.spec.schedule is not None and (before is None or before.status.last_hash is None):
        return False
    return before is None or requests.wanted(before) != requests.wanted(after)


async def apply(client: Client, kind: Kind, body: Object) -> Object:
    """Apply an object. Returns it as it is then."""
    try:
        return await client.apply(kind, body, manager=MANAGER)
    except NotFound as error:
        if not lookup.is_unknown_kind(error):
            raise
        return await lookup.get(client, kind, body["metadata"]["namespace"], body["metadata"]["name"])


async def annotate(client: Client, kind: Kind, asked: Asked) -> tuple[Asked, str]:
    """Request a run by giving the annotation a value that it never had. Returns what was asked, and that value."""
    namespace, name = asked.key
    value = f"{to_timestamp(Clock().now())}-{secrets.token_hex(3)}"
    key = RUN_REQUESTED.replace("~", "~0").replace("/", "~1")
    for _ in range(ATTEMPTS):
        version = {"op": "test", "path": "/metadata/resourceVersion", "value": asked.metadata.resource_version}
        start: list[Object] = [version]
        if not asked.metadata.annotations:
            start.append({"op": "add", "path": "/metadata/annotations", "value": {}})
        add = {"op": "add", "path": f"/metadata/annotations/{key}", "value": value}
        try:
            annotated = await client.patch(kind, namespace, name, [*start, add])
        except Conflict:  # most often its status was written meanwhile
            asked = type(asked).parse(await lookup.get(client, kind, namespace, name))
        else:
            return type(asked).parse(annotated), value
    raise Conflict(f"{kind.name} {namespace}/{name} keeps changing: try again", status=409)


async def await_run(client: Client, request: RunRequest) -> ExperimentRun:
    """Wait for the run that answers the request.

    While a run of the experiment waits for its turn no other is made, and of what is requested meanwhile the last
    counts. So a run that was made for a later request answers this one, too.

    Raises:
        RunRefused: the operator says why there will be none, or the request was taken back.
        NoOperator: no operator answers.
    """
    namespace, name = request.experiment.key
    clock = Clock()
    began = clock.now()
    earlier: set[str] | None = None
    replaced_at: float | None = None
    while True:
        experiment = await lookup.experiment(client, namespace, name)
        if experiment.metadata.uid != request.experiment.metadata.uid:
            raise RunRefused(f"Experiment {namespace}/{name} was deleted meanwhile")
        runs = await lookup.runs(client, experiment)
        if earlier is None:
            earlier = {run.metadata.uid for run in runs}
        later = request.replaced(experiment)
        for run in reversed(runs):
            is_new = run.metadata.uid not in earlier
            if request.is_answered_by(run) or (is_new and later is not None and later.is_answered_by(run)):
                return run
        raise_if_refused(request, experiment, clock.now() - began)
        replaced_at = None if later is None else clock.now() if replaced_at is None else replaced_at
        if replaced_at is not None and clock.now() - replaced_at > SETTLE_SECONDS and _rests(experiment, runs):
            raise RunRefused(
                f"Experiment {namespace}/{name} was not run: its annotation {RUN_REQUESTED} was changed or removed "
                "before that; request another run"
            )
        await asyncio.sleep(POLL_SECONDS)


def _rests(experiment: Experiment, runs: Iterable[ExperimentRun]) -> bool:
    """Whether no run is under way, waits, or is about to be made."""
    return not is_true(experiment.status.conditions, ConditionType.RECONCILING) and all(run.finished for run in runs)


def raise_if_refused(request: RunRequest, experiment: Experiment, waited: float) -> None:
    """Raise if the experiment's status says that there will be no run.

    Args:
        request: the run that is waited for.
        experiment: as it is now.
        waited: for how many seconds.

    Raises:
        RunRefused: the operator says why there will be none.
        NoOperator: no operator has observed the experiment.
    """
    namespace, name = experiment.key
    status = experiment.status
    if status.observed_generation < request.experiment.metadata.generation:
        if waited > OPERATOR_SECONDS:
            raise NoOperator(
                f"no operator has observed Experiment {namespace}/{name} for {OPERATOR_SECONDS:.0f} s: "
                "check kubectl get pods -A -l app.kubernetes.io/name=showstopper"
            )
        return
    changed = request.experiment.status.observed_generation < request.experiment.metadata.generation
    if not changed and waited < SETTLE_SECONDS:
        return
    stalled, suspended, finished = (
        is_true(status.conditions, kind)
        for kind in (ConditionType.STALLED, ConditionType.SUSPENDED, ConditionType.FINISHED)
    )
    planned = experiment.spec.dry_run and is_true(status.conditions, ConditionType.READY)
    if suspended or planned or (stalled and not finished):
        raise RunRefused(f"Experiment {namespace}/{name} was not run: {lookup.summary(experiment)}")
