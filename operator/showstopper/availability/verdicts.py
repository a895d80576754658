"""Verdicts: the five ways in which a run ends."""

from enum import StrEnum


class Verdict(StrEnum):
    """How a run ended. Everything but Passed keeps a release from going out."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"  # the room or the measurement does not allow a verdict
    ABORTED = "Aborted"
    ERROR = "Error"  # our own failure

    @property
    def exit_code(self) -> int:
        """What the command line exits with: 0 for Passed only."""
        return tuple(Verdict).index(self)
