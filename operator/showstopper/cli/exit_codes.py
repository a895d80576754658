"""Exit codes, and messages on stderr."""

import sys
from enum import IntEnum

from showstopper.api.verdicts import Verdict


class ExitCode(IntEnum):
    """Exit codes. 0 to 4 are the verdicts in their order. A command without a verdict never exits with 0."""

    PASSED = 0
    FAILED = 1
    INCONCLUSIVE = 2  # also: refused, not run yet, or timed out: no verdict is possible
    ABORTED = 3
    ERROR = 4  # also: no cluster, forbidden, no such file
    USAGE = 64  # sysexits.h, EX_USAGE: never taken for a verdict
    INTERRUPTED = 130  # 128 + SIGINT: only watching has stopped


def of_verdict(verdict: str) -> ExitCode:
    """The exit code of a verdict. An unknown verdict is an error."""
    try:
        return ExitCode(Verdict(verdict).exit_code)
    except ValueError:
        return ExitCode.ERROR


def problem(message: str) -> None:
    """Print on stderr, in one line, what went wrong and what to do."""
    note(f"error: {message}")


def note(message: str) -> None:
    """Print a message on stderr, in one line."""
    print(" ".join(message.split()), file=sys.stderr)
