"""How a command of ours ends: a failure that has a sentence for a person is that sentence, not a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dev.cluster import errors

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended: 128 and the number of SIGINT."""


def run(command: Callable[[], int | None]) -> int:
    """The command's exit code, 0 if it names none. What is missing or failed is one line, and 1."""
    try:
        return command() or 0
    except errors.ClusterError as error:
        return _end(f"error: {error}", 1)
    except KeyboardInterrupt:
        return _end("interrupted; `make cluster-down` removes what runs", INTERRUPTED)


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code
