"""Orphans: which records nobody's historyLimit bounds."""

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs import orphans
from tests.support import build


def run(name: str, experiment: str, *, room: str = "main-stage", over: bool = True) -> ExperimentRun:
    made = build.run(name, experiment={"name": experiment}, status={"verdict": "Passed"} if over else {})
    made.spec = made.spec.model_copy(update={"room": made.spec.room.model_copy(update={"name": room})})
    return made


def test_finished_runs_that_nobody_owns_are_told_room_by_room() -> None:
    runs = [
        run("kept", "there"),
        run("old-1", "gone"),
        run("old-2", "gone-too"),
        run("elsewhere", "gone", room="rehearsal"),
        run("under-way", "gone", over=False),
    ]
    groups = orphans.by_room(runs, lambda each: each.spec.experiment.name == "there")
    assert [[each.metadata.name for each in group] for group in groups] == [["old-1", "old-2"], ["elsewhere"]]
