"""Verdicts: the five outcomes of a run."""

from enum import StrEnum


class Verdict(StrEnum):
    """Outcome of a run. Only Passed opens a release gate."""

    PASSED = "Passed"
    """All expectations were met."""
    FAILED = "Failed"
    """An expectation was missed."""
    INCONCLUSIVE = "Inconclusive"
    """The room or the measurement allows no verdict."""
    ABORTED = "Aborted"
    """The run was ended early, by a person, by abortIf, or by the stop switch."""
    ERROR = "Error"
    """Showstopper itself failed."""

    @property
    def exit_code(self) -> int:
        """Exit code of the command line: 0 for Passed only."""
        return tuple(Verdict).index(self)


UNDECIDED = frozenset({Verdict.INCONCLUSIVE, Verdict.ERROR})
"""They say nothing of a release: the room, the measurement, or we ourselves allowed no verdict."""
