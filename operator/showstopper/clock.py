"""The operator's clock: wall time that no NTP step can move, and its RFC 3339 form."""

import time
from datetime import UTC, datetime


class Clock:
    """Unix seconds: the wall clock read once, then carried on by the monotonic one."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix seconds now."""
        return time.monotonic() + self._offset


def to_timestamp(seconds: float) -> str:
    """RFC 3339 with microseconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_timestamp(text: str) -> float:
    """Unix seconds of an RFC 3339 text, with or without fractions."""
    return datetime.fromisoformat(text).timestamp()
