"""A game day in an API server's memory, and an operator that looks at it when it is told to, and may die."""

from datetime import datetime
from typing import Any

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import APPROVE, Act, ActRecord, GameDay
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.verdict import Finding
from showstopper.clock import to_timestamp
from showstopper.engine.days import acts, programme
from showstopper.engine.days.deciding import decide
from showstopper.engine.days.steps import Draft, Situation, Step
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build

EVENING = datetime.fromisoformat("2026-12-01T19:00Z").timestamp()
HOUR, MINUTE = 3600.0, 60.0


def inline(name: str, **more: Any) -> dict[str, Any]:
    """An act with its experiment in it."""
    return {"name": name, "experiment": dump(build.experiment().spec), **more}


def by_name(name: str, **more: Any) -> dict[str, Any]:
    """An act of the Experiment called kill."""
    return {"name": name, "experimentRef": {"name": "kill"}, **more}


class SimulatedGameDay:
    """A game day, what it refers to, and its runs."""

    def __init__(self, *written: dict[str, Any], now: float = EVENING, **spec: Any) -> None:
        self.now = now
        self.day = self._parse({"acts": list(written) or [by_name("one"), inline("two")], **spec}, 1, {}, {})
        self.experiments: dict[str, Experiment] = {"kill": build.experiment(suspend=True)}
        self.rooms = {"main-stage"}
        self.runs: list[ExperimentRun] = []
        self.guarded, self.seen_seconds = True, 1000.0
        self.stopped: Finding | None = None
        self.refusal: Finding | None = None

    @staticmethod
    def _parse(spec: Any, generation: int, annotations: dict[str, str], status: dict[str, Any]) -> GameDay:
        named = {"name": "rehearsal", "namespace": "show", "uid": "day-uid"}
        metadata = {**named, "generation": generation, "annotations": annotations}
        return GameDay.parse({"metadata": metadata, "spec": spec, "status": status})

    def change(self, **spec: Any) -> None:
        """Somebody edits it."""
        body = {**dump(self.day.spec), **spec}
        metadata = self.day.metadata
        status = dump(self.day.status)
        self.day = self._parse(body, metadata.generation + 1, dict(metadata.annotations), status)

    def annotate(self, value: str | None) -> None:
        """Somebody approves, or takes the annotation away."""
        annotations = {} if value is None else {APPROVE: value}
        metadata = self.day.metadata
        self.day = self._parse(dump(self.day.spec), metadata.generation, annotations, dump(self.day.status))

    def request(self, value: str) -> None:
        """Somebody asks for another performance."""
        metadata = self.day.metadata
        annotations = {**metadata.annotations, RUN_REQUESTED: value}
        self.day = self._parse(dump(self.day.spec), metadata.generation, annotations, dump(self.day.status))

    def situation(self) -> Situation:
        experiments = {
            act.name: programme.experiment_of(self.day, act, lambda _, name: self.experiments.get(name))
            for act in self.day.spec.acts
        }
        return Situation(
            day=self.day,
            experiments={name: experiment for name, experiment in experiments.items() if experiment is not None},
            rooms=self.rooms,
            runs={run.metadata.name: run for run in self.runs},
            guarded=self.guarded,
            stopped=self.stopped,
            seen_seconds=self.seen_seconds,
            now=self.now,
        )

    def look(self, seconds: float = 0, *, die: bool = False) -> Step:
        """One pass, so many seconds later. With `die` the operator is killed when it has written the status."""
        self.now += seconds
        step = decide(self.situation())
        self._write(step)
        if step.begin is not None and not die:
            refusal = self.refusal or self._gone(step.begin)
            if refusal is None:
                self._make()
            else:
                draft = Draft.of(self.situation())
                assert draft.current is not None
                self._write(acts.close(draft, draft.current, refusal))
        return step

    def settle(self, seconds: float = 0) -> Step:
        """Pass after pass, until nothing changes any more."""
        self.now += seconds
        for _ in range(50):
            before, runs = self.day.status, len(self.runs)
            step = self.look()
            if self.day.status == before and len(self.runs) == runs:
                return step
        raise AssertionError("it never comes to rest")

    def _write(self, step: Step) -> None:
        self.day = self.day.model_copy(update={"status": step.written(self.day, to_timestamp(self.now))})

    def _gone(self, act: Act) -> Finding | None:
        """The act's Experiment may have been deleted since its run was written down."""
        if programme.experiment_of(self.day, act, lambda _, name: self.experiments.get(name)) is not None:
            return None
        return Finding(Reason.EXPERIMENT_NOT_FOUND, f"the Experiment of act {act.name} was deleted")

    def _make(self) -> None:
        """The act's run, as its name and its origin follow from the record."""
        record = self.current
        act = programme.act_of(self.day, record.name)
        experiment = programme.experiment_of(self.day, act, lambda _, name: self.experiments.get(name))
        assert experiment is not None
        asked = programme.request(self.day, act, self.day.status.performance, experiment, self.runs)
        name = requests.run_name(experiment, asked)
        assert name == record.run, "the run that is made is the one that was written down"
        assert asked.day is not None
        if all(run.metadata.name != name for run in self.runs):
            origin = {"uid": experiment.metadata.uid, "gameDay": dump(asked.day)}
            self.runs.append(build.run(name, experiment=origin))

    def end(self, verdict: str = "Passed", reason: str = "", **status: Any) -> None:
        """The run that is under way ends."""
        for run in self.runs:
            if not run.finished:
                body = {"verdict": verdict, "reason": reason or verdict, "message": "so it is", **status}
                run.status = run.status.model_validate(body)

    @property
    def current(self) -> ActRecord:
        return next(record for record in self.day.status.acts if record.verdict is None)

    def ready(self) -> str:
        """Status and reason of Ready."""
        condition = self.day.status.conditions[0]
        return f"{condition.status} {condition.reason}"

    def verdicts(self) -> list[str | None]:
        return [record.verdict for record in self.day.status.acts]
