"""What the program of a task says: JSON lines on its standard output, which never hold it up."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

STANDARD_OUTPUT = 1
MOST_BYTES = 4096
"""A writable pipe has room for so much, in one piece (pipe(7), PIPE_BUF). Termination messages are cut there, too."""


def tell(event: Mapping[str, Any], descriptor: int = STANDARD_OUTPUT) -> None:
    """Write one line, if there is room for it. Without room it is left out.

    Whoever reads may be gone, or slow. Neither may keep a task from its end.
    """
    line = json.dumps(event).encode() + b"\n"
    _, writable, _ = select.select((), (descriptor,), (), 0)
    if writable and len(line) <= MOST_BYTES:
        with suppress(OSError):  # nobody reads any more: the task's own bounds say when it ends, not the reader
            os.write(descriptor, line)


def leave(event: Mapping[str, Any], file: Path) -> None:
    """Leave the line in a file, such as a container's termination message. Raises OSError."""
    file.write_text(json.dumps(event) + "\n")
