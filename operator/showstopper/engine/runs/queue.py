"""Turns: runs that share something go one after another. Pure."""

from collections.abc import Iterable

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs.requests import order
from showstopper.engine.runs.sharing import share


def blocker(run: ExperimentRun, others: Iterable[ExperimentRun]) -> ExperimentRun | None:
    """The unfinished run that has to end before this one may start, or None if it is this one's turn.

    Those that have begun go first, then the oldest. One that has begun waits for nobody, for what it has changed has to
    be put back: two that share something have both begun where an operator that knew less of it has started them.
    """
    if begun(run):
        return None
    rivals = [
        other for other in others if other.metadata.uid != run.metadata.uid and not other.finished and share(run, other)
    ]
    ahead = [other for other in rivals if begun(other) or order(other) < order(run)]
    return min(ahead, key=order, default=None)


def line(run: ExperimentRun, others: Iterable[ExperimentRun]) -> list[ExperimentRun]:
    """The unfinished runs that a new one may have to wait for: those that it shares something with, and those that they
    wait for in turn.
    """
    ahead, rest = [run], [other for other in others if not other.finished]
    for waiting in ahead:  # those that join it have others ahead of them
        ahead += [other for other in rest if share(waiting, other)]
        rest = [other for other in rest if not share(waiting, other)]
    return ahead[1:]


def begun(run: ExperimentRun) -> bool:
    """Whether the room is measured for it already, or its targets were chosen to be hit at once."""
    return bool(run.status.steps or run.spec.targets)
