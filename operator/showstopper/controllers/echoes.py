"""Echoes: events that tell nothing but a status, which nobody but this operator writes."""

from collections.abc import Mapping
from typing import Any


class Echoes:
    """What was told last of each object. Parsing an echo costs a millisecond, just when a run needs the loop."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def is_echo(self, event: str | None, body: Mapping[str, Any]) -> bool:
        """Whether spec, labels and annotations are those of the last event of this object, and it still exists."""
        metadata = body["metadata"]
        if event == "DELETED":
            self._told.pop(metadata["uid"], None)
            return False
        asked = hash(
            (
                metadata.get("generation"),
                metadata.get("deletionTimestamp"),
                frozenset(metadata.get("labels", {}).items()),
                frozenset(metadata.get("annotations", {}).items()),
            )
        )
        known, self._told[metadata["uid"]] = self._told.get(metadata["uid"]), asked
        return known == asked
