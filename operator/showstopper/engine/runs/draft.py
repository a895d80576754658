"""Drafts: the run that a request asks for, before it is created. Pure."""

from collections.abc import Iterable
from datetime import timedelta

from showstopper.api.experiment import Experiment, longest
from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.api.run import ExperimentRun, ExperimentRunSpec, Origin, ReleaseImage, RoomSnapshot
from showstopper.api.schema.base import API_VERSION, GROUP, Metadata, dump
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.cluster.client import Object
from showstopper.cluster.listeners import ROOM_LABEL
from showstopper.engine.planning import plan
from showstopper.engine.planning.plan import Plan
from showstopper.engine.runs import queue, undoing
from showstopper.engine.runs.requests import Request, run_name

EXPERIMENT_LABEL = f"{GROUP}/experiment"
EXPERIMENT_UID_LABEL = f"{GROUP}/experiment-uid"
GAME_DAY_LABEL = f"{GROUP}/game-day"
ACT_LABEL = f"{GROUP}/act"
MARGIN = timedelta(minutes=2)
"""What a run may take beyond its baseline and recovery before it is ended."""


def draft(
    experiment: Experiment,
    request: Request,
    room: AudioRoom,
    release: Iterable[ComponentImage],
    made: Plan,
    *,
    now: float,
    others: Iterable[ExperimentRun],
) -> ExperimentRun:
    """The run, with a snapshot of all that it depends on. `others`: all runs, for it may have to wait for some."""
    metadata, spec = experiment.metadata, experiment.spec
    allowed = spec.timing.deadline or spec.timing.baseline + longest(spec.faults) + spec.timing.recovery + MARGIN
    asked = ExperimentRunSpec(
        experiment=Origin(
            name=metadata.name,
            uid=metadata.uid,
            generation=metadata.generation,
            hash=request.hash,
            revision=spec.revision,
            run_request=request.run_request,
            scheduled_at=request.scheduled_at or None,
            released=request.released,
            asked_at=to_timestamp(now),
            game_day=request.day,
        ),
        room=RoomSnapshot(name=room.metadata.name, uid=room.metadata.uid, spec=room.spec),
        release=tuple(ReleaseImage.of(image) for image in release),
        timing=spec.timing,
        faults=spec.faults,
        expect=spec.expect,
        abort_if=spec.abort_if,
        seed=made.seed,
        deadline=to_timestamp(now + allowed.total_seconds()),
    )
    labels = {
        EXPERIMENT_LABEL: metadata.name,
        EXPERIMENT_UID_LABEL: metadata.uid,
        ROOM_LABEL: room.metadata.name,
        "app.kubernetes.io/managed-by": "showstopper",
    }
    if request.day is not None:
        labels |= {GAME_DAY_LABEL: request.day.name, ACT_LABEL: request.day.act}
    named = Metadata(name=run_name(experiment, request), namespace=metadata.namespace, labels=labels)
    return _with_time_to_queue(ExperimentRun(metadata=named, spec=asked), others)


def _with_time_to_queue(run: ExperimentRun, others: Iterable[ExperimentRun]) -> ExperimentRun:
    """The same run, which has the time of those before it on top of its own."""
    ahead = sum((_length(other) for other in queue.line(run, others)), timedelta())
    deadline = to_timestamp(from_timestamp(run.spec.deadline) + ahead.total_seconds())
    return ExperimentRun(metadata=run.metadata, spec=run.spec.model_copy(update={"deadline": deadline}))


def with_targets(run: ExperimentRun, made: Plan) -> ExperimentRun:
    """The same run, created with what it hits: that is the note before the effect."""
    spec = run.spec.model_copy(update={"targets": plan.chosen(made)})
    return ExperimentRun(metadata=run.metadata, spec=spec)


def body_of(run: ExperimentRun) -> Object:
    """A run as it is created."""
    metadata: Object = {
        "name": run.metadata.name,
        "namespace": run.metadata.namespace,
        "labels": run.metadata.labels,
        "finalizers": [undoing.FINALIZER] if undoing.is_needed(run.spec.faults) else [],
    }
    return {"apiVersion": API_VERSION, "kind": ExperimentRun.kind, "metadata": metadata, "spec": dump(run.spec)}


def _length(run: ExperimentRun) -> timedelta:
    """How long a run may still hold the room, at the most that is expected of it."""
    timing = run.spec.timing
    return timing.baseline + longest(run.spec.faults) + timing.recovery + timedelta(seconds=60)
