"""Streams: standard output and standard error whose reader may leave, so that a command ends with its own exit code."""

import io
import sys
from typing import Any, TextIO

from showstopper.errors import SettingsError


class _Drain(io.FileIO):
    """A file descriptor. What cannot be written is dropped: `showstopper verdict NAME | head -1` ends with the verdict.

    Attributes:
        failure: why something could not be written, other than that nobody reads it.
    """

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, or drop it."""
        try:
            return super().write(data)
        except BrokenPipeError:
            pass
        except OSError as error:
            self.failure = error
        return memoryview(data).nbytes


def outlive_readers() -> None:
    """Replace standard output and standard error by streams that outlive their readers.

    Lines are written when they are complete, also into a pipe: whoever reads a command that waits sees how far it is.
    """
    sys.stdout, sys.stderr = _outliving(sys.stdout), _outliving(sys.stderr)


def finish() -> None:
    """Write what is still buffered for standard output.

    Raises:
        SettingsError: not all of it could be written, for instance because the disk is full.
    """
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Drain) and raw.failure is not None:
        raise SettingsError(f"cannot write to standard output: {raw.failure.strerror}") from raw.failure


def _outliving(stream: TextIO) -> TextIO:
    stream.flush()
    buffer = io.BufferedWriter(_Drain(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=True)
