"""Endings: what the command line exits with, and how it says what went wrong."""

import sys
from enum import IntEnum

from showstopper.api.verdicts import Verdict


class ExitCode(IntEnum):
    """Exit codes. 0 to 4 are the verdicts in their order; nothing else ends with 0."""

    PASSED = 0
    FAILED = 1
    INCONCLUSIVE = 2  # also: refused, not run yet, or waited too long: nothing is known
    ABORTED = 3
    ERROR = 4  # also: no cluster, not allowed, no such file
    USAGE = 64  # sysexits.h, EX_USAGE: never to be taken for a verdict
    INTERRUPTED = 130  # 128 + SIGINT: only watching has ended


def of_verdict(verdict: str) -> ExitCode:
    """The exit code of a verdict; one that we do not know is an error."""
    try:
        return ExitCode(Verdict(verdict).exit_code)
    except ValueError:
        return ExitCode.ERROR


def problem(message: str) -> None:
    """Say on stderr, in one line, what went wrong and what to do."""
    note(f"error: {message}")


def note(message: str) -> None:
    """Say something on stderr in one line."""
    print(" ".join(message.split()), file=sys.stderr)
