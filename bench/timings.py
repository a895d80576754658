"""The moments of one run, from what a watch of its record says. Pure. All in unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from showstopper.clock import from_timestamp

ORDER = ("created", "noted", "requested", "answered", "recorded")
"""What happens on the way, in this order: the run exists, the injection is written down before it happens, the delete
call goes out and is answered, and the run's status says so."""


@dataclass
class Timing:
    """One run. `accepted` is when the API's answer to the apply was there."""

    revision: str
    accepted: float = 0.0
    moments: dict[str, float] = field(default_factory=dict)
    deleted: float | None = None
    """When a watch said that the pod is being deleted, or is: the same act seen from outside."""
    pod: str = ""
    verdict: str | None = None
    message: str = ""

    def seen(self, run: Mapping[str, Any], at: float) -> None:
        """Take what the watch said of the run at `at`."""
        status = run.get("status", {})
        self.moments.setdefault("created", at)
        step = next((each for each in status.get("steps", []) if each["name"] == "Injecting"), None)
        if step is not None or run.get("spec", {}).get("targets"):
            self.moments.setdefault("noted", at)
        for target in status.get("targets", []):
            self.pod = target["pod"]
            if target.get("answeredAt"):
                self.moments["requested"] = from_timestamp(target["requestedAt"])
                self.moments["answered"] = from_timestamp(target["answeredAt"])
        if step is not None and step.get("completedAt"):
            self.moments.setdefault("recorded", at)
        if status.get("verdict"):
            self.verdict, self.message = status["verdict"], status.get("message", "")

    @property
    def pod_kill(self) -> float | None:
        """Seconds from the apply's acceptance to the answered delete call."""
        answered = self.moments.get("answered")
        return None if answered is None else answered - self.accepted

    @property
    def status_after(self) -> float | None:
        """Seconds from the answered delete call until the run's status says so."""
        answered, recorded = self.moments.get("answered"), self.moments.get("recorded")
        return None if answered is None or recorded is None else recorded - answered

    def after_apply(self, moment: str) -> float | None:
        """Seconds from the apply's acceptance to a moment of `ORDER`."""
        at = self.moments.get(moment)
        return None if at is None else at - self.accepted
