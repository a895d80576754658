"""Turns: runs that share a room, or may share a target pod, go one after another. Pure."""

from collections.abc import Iterable

from showstopper.api.faults.base import Aim
from showstopper.api.run import ExperimentRun
from showstopper.engine.runs.requests import order


def blocker(run: ExperimentRun, others: Iterable[ExperimentRun]) -> ExperimentRun | None:
    """The unfinished run that has to end before this one may start, or None if it is this one's turn."""
    ahead = [
        other
        for other in others
        if other.metadata.uid != run.metadata.uid and not other.finished and share(run, other) and _before(other, run)
    ]
    return min(ahead, key=order, default=None)


def share(run: ExperimentRun, other: ExperimentRun) -> bool:
    """The same room, or targets that some pod could be part of both."""
    if run.metadata.namespace != other.metadata.namespace:
        return False
    if run.spec.room.name == other.spec.room.name:
        return True
    return any(_compatible(mine, theirs) for mine in _selectors(run) for theirs in _selectors(other))


def queued_before(others: Iterable[ExperimentRun], namespace: str) -> list[ExperimentRun]:
    """The unfinished runs of the namespace: what a new run may have to wait for."""
    return [other for other in others if not other.finished and other.metadata.namespace == namespace]


def _before(other: ExperimentRun, run: ExperimentRun) -> bool:
    """Runs that have begun go first, then the oldest."""
    if begun(other) != begun(run):
        return begun(other)
    return order(other) < order(run)


def begun(run: ExperimentRun) -> bool:
    """Whether the room is measured for it already, or its targets were chosen to be hit at once."""
    return bool(run.status.steps or run.spec.targets)


def _selectors(run: ExperimentRun) -> list[dict[str, str]]:
    """Of the components whose pods the run may hit: a drain hits those of all."""
    if any(fault.spec.aims_at is Aim.NODE for fault in run.spec.faults):
        return [component.selector.match_labels for component in run.spec.room.spec.components]
    names = (fault.component for fault in run.spec.faults)
    components = (run.spec.room.spec.component(name) for name in names if name is not None)
    return [component.selector.match_labels for component in components if component is not None]


def _compatible(labels: dict[str, str], other: dict[str, str]) -> bool:
    """Whether a pod can carry both sets of labels."""
    return all(other.get(label, value) == value for label, value in labels.items())
