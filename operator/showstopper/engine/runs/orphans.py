"""Orphans: records whose experiment is there no longer. They outlive it, but not without bound. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from showstopper.api.run import ExperimentRun

MOST_ORPHANS = 50
"""Records that are kept of each room, of all its experiments that are gone. The archive keeps them for longer."""


def by_room(runs: Iterable[ExperimentRun], is_owned: Callable[[ExperimentRun], bool]) -> list[list[ExperimentRun]]:
    """The finished runs that nobody owns, room by room: no `historyLimit` bounds them any more."""
    rooms: dict[tuple[str, str], list[ExperimentRun]] = defaultdict(list)
    for run in runs:
        if run.finished and not is_owned(run):
            rooms[run.metadata.namespace, run.spec.room.name].append(run)
    return list(rooms.values())
