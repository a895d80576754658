"""An experiment in an API server's memory, and an operator that looks at it when it is told to."""

from datetime import datetime
from typing import Any

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.verdict import Finding
from showstopper.clock import to_timestamp
from showstopper.engine.experiments import deciding, status
from showstopper.engine.experiments.schedule import stamp
from showstopper.engine.experiments.situation import BeginRun, Situation, WriteStatus
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build

MIDNIGHT = datetime.fromisoformat("2026-06-01T00:00Z").timestamp()
HOUR, MINUTE = 3600.0, 60.0
DAILY: dict[str, Any] = {"schedule": "0 3 * * *"}


class SimulatedExperiment:
    """An experiment in an API server's memory, and an operator that looks when it is told to."""

    def __init__(self, now: float = MIDNIGHT, **spec: Any) -> None:
        self.now = now
        self.experiment = build.experiment(**{**DAILY, **spec}, status={"observedGeneration": -1})
        self.runs: list[ExperimentRun] = []
        self.room_known = True
        self.refusal: Finding | None = None

    def change(self, *, generations: int = 1, annotation: str | None = None, **spec: Any) -> None:
        """Somebody edits it."""
        body = dump(self.experiment.spec)
        body.update(spec)
        metadata = dump(self.experiment.metadata)
        metadata["generation"] += generations if spec else 0
        if annotation is not None:
            metadata["annotations"] = {RUN_REQUESTED: annotation}
        spec = {name: value for name, value in body.items() if value is not None}
        self.experiment = build.experiment(metadata=metadata, status=dump(self.experiment.status), **spec)

    def look(self, seconds: float = 0, *, lose: bool = False) -> WriteStatus | None:
        """One pass of the operator, so many seconds later. With `lose` it dies before it has written a status."""
        self.now += seconds
        situation = Situation(self.experiment, tuple(self.runs), self.room_known, 1000, self.now)
        step = deciding.decide(situation)
        if isinstance(step, BeginRun):
            if self.refusal is None:
                self._make(step.request)
                return None if lose else self.look()
            step = step.refused(self.refusal)
        if not lose:
            self.experiment.status = status.status_of(self.experiment, step, to_timestamp(self.now))
        return step

    def _make(self, request: requests.Request) -> None:
        name = requests.run_name(self.experiment, request)
        if any(run.metadata.name == name for run in self.runs):
            return
        origin = {
            "hash": request.hash,
            "runRequest": request.run_request,
            "scheduledAt": request.scheduled_at or None,
            "generation": self.experiment.metadata.generation,
            "askedAt": to_timestamp(self.now + len(self.runs) / 1e6),
        }
        self.runs.append(build.run(name, created=stamp(self.now), experiment=origin))

    def end(self, verdict: str = "Passed") -> None:
        """The run that is under way ends."""
        for run in self.runs:
            if not run.finished:
                run.status.verdict = verdict
                run.status.reason = Reason.EXPECTATIONS_MET if verdict == "Passed" else Reason.EXPECTATION_MISSED

    def ready(self) -> str:
        """Status and reason of Ready."""
        condition = self.experiment.status.conditions[0]
        return f"{condition.status} {condition.reason}"

    def firings(self) -> list[str | None]:
        return [run.spec.experiment.scheduled_at for run in self.runs]
