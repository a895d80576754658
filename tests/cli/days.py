"""A game day as a person applies it, and what an operator writes of it."""

import json
from typing import Any

from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.game_day import APPROVE
from showstopper.api.reasons import Reason
from showstopper.api.schema.base import dump
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.api.build import game_day
from tests.cli.stand_ins import NOW

HELD = {"startedAt": NOW, "until": "2026-01-01T01:00:00.000000Z"}


class Day:
    """A game day, and what an operator writes of it."""

    def __init__(self, server: ApiServer, name: str, *, applied: bool = True) -> None:
        self._server, self.name = server, name
        if applied:
            server.kubectl("apply", "-f", "-", stdin=json.dumps(manifest(name)))

    def body(self) -> dict[str, Any]:
        day: dict[str, Any] = json.loads(self._kubectl("get", "gd", self.name, "-o", "json"))
        return day

    def exists(self) -> bool:
        return bool(self._kubectl("get", "gd", self.name, "--ignore-not-found", "-o", "name"))

    def requested(self) -> str:
        annotations: dict[str, str] = self.body()["metadata"].get("annotations", {})
        return annotations.get(RUN_REQUESTED, "")

    def said(self) -> str | None:
        annotation: str | None = self.body()["metadata"].get("annotations", {}).get(APPROVE)
        return annotation

    def annotate(self, value: str) -> None:
        self._kubectl("annotate", "gd", self.name, f"{APPROVE}={value}")

    def show(self, outlook: Outlook, *acts: dict[str, Any], **status: Any) -> None:
        listed = [dump(condition) for condition in conditions.conditions(outlook, generation=1, now=NOW)]
        records = [*acts, *({"name": name} for name in ("kill", "loss")[len(acts) :])]
        full_status = {"observedGeneration": 1, "conditions": listed, "acts": records, "performance": 1, **status}
        patch = json.dumps([{"op": "add", "path": "/status", "value": full_status}])
        self._kubectl("patch", "gd", self.name, "--subresource=status", "--type=json", f"--patch={patch}")

    def hold(self, **hold: Any) -> None:
        """The second act waits for approval."""
        outlook = conditions.waiting_for_person(Reason.AWAITING_APPROVAL, "act 2 of 2, loss, waits for approval")
        self.show(outlook, passed("kill"), {"name": "loss", "hold": {**HELD, **hold}}, act="loss")

    def approved(self, approver: str) -> None:
        hold = {**HELD, "endedAt": NOW, "approver": approver}
        begun = {"name": "loss", "hold": hold, "run": "loss-1", "startedAt": NOW}
        self.show(conditions.in_progress(Reason.ACT_UNDER_WAY, "act 2 of 2, loss"), passed("kill"), begun, act="loss")

    def judge(self, verdict: str, reason: str, *, run: str = "kill-1", performance: int = 1) -> None:
        build = conditions.succeeded if verdict == "Passed" else conditions.failed
        worst = [{"indicator": "AudibleRatio", "worst": "91.5%", "act": "kill", "measuredIn": 1}]
        told = {"verdict": verdict, "reason": reason, "message": "so it is", "indicators": worst}
        outlook = build(Reason(reason), f"{verdict}: so it is")
        self.show(outlook, {**passed("kill"), "run": run}, **told, performance=performance)

    def _kubectl(self, *words: str) -> str:
        return self._server.kubectl("--namespace=show", *words)


def manifest(name: str) -> dict[str, Any]:
    """The game day as a person writes it."""
    return game_day({"metadata.name": name})


def passed(name: str) -> dict[str, Any]:
    figures = {"audible": "91.5%", "deadAir": "6.06s", "recovery": "7.65s"}
    return {"name": name, "run": f"{name}-1", "verdict": "Passed", "reason": "ExpectationsMet", **figures}
