"""Owners: whoever asked for a run may end it, and whoever follows runs is told when one changes."""

from collections.abc import Callable

from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding

Disowned = Callable[[ExperimentRun], Finding | None]
"""Why a run is wanted no more by one kind of owner. None if it is, or is of another kind."""
Changed = Callable[[ExperimentRun], None]


class RunOwners:
    """The owners of runs and their observers. Made before the runs, so that everything else is made in one line."""

    def __init__(self) -> None:
        self._owners: list[Disowned] = []
        self._observers: list[Changed] = []

    def add_owner(self, disowned: Disowned) -> None:
        """Ask this owner, too, whether a run is still wanted."""
        self._owners.append(disowned)

    def add_observer(self, changed: Changed) -> None:
        """Tell this observer, too, whenever a run's record changes."""
        self._observers.append(changed)

    def disowned(self, run: ExperimentRun) -> Finding | None:
        """Why a run is to end: the first owner's reason, in the order in which they were added."""
        return next((finding for ask in self._owners if (finding := ask(run)) is not None), None)

    def changed(self, run: ExperimentRun) -> None:
        """A run's record has changed."""
        for observer in self._observers:
            observer(run)
