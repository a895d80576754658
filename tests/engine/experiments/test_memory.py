"""What an experiment remembers of its verdicts on releases, and what is the same release."""

import json

from showstopper.api.experiment import Experiment, ReleaseVerdict
from showstopper.api.schema.base import dump
from showstopper.engine.experiments import memory
from showstopper.engine.rooms import releases
from tests.support import build
from tests.support.gate_build import HOUR, NOW, image, run

ROOM = build.room()


def remembering(*verdicts: ReleaseVerdict) -> Experiment:
    made = build.experiment()
    made.status.verdicts = list(verdicts)
    return made


def recalled(experiment: Experiment, digest: str, template: str = "", *, templates: bool = True) -> str | None:
    deployed = image(digest).model_copy(update={"template": template})
    release = releases.of([deployed, image("store", "store")], with_templates=templates)
    known = memory.recall(experiment, ROOM, release, ["relay"])
    return known.verdict if known is not None else None


def test_the_newest_verdict_on_each_release_is_kept() -> None:
    runs = [
        run("kill-1", "one", "Failed", finished=NOW - 3 * HOUR),
        run("kill-2", "two", "Passed", finished=NOW - 2 * HOUR),
        run("kill-3", "one", "Passed", finished=NOW - HOUR),
        run("kill-4", "one", "Inconclusive", finished=NOW),
        run("kill-5", "one", None),
    ]
    kept = memory.remember([], runs)
    assert [(each.run, each.verdict) for each in kept] == [("kill-2", "Passed"), ("kill-3", "Passed")]
    assert memory.remember(kept, []) == kept, "its runs were deleted"
    again = memory.remember(kept, [*runs, run("kill-6", "two", "Failed", finished=NOW + 1)])
    assert [each.run for each in again] == ["kill-3", "kill-6"]


def test_only_the_last_releases_are_kept_and_they_take_little_room() -> None:
    runs = [run(f"kill-{n}", f"digest-{n}", "Failed", finished=NOW + n) for n in range(30)]
    kept = memory.remember([], runs)
    assert [each.run for each in kept] == [f"kill-{n}" for n in range(14, 30)]
    assert len(json.dumps([dump(each) for each in kept])) < 16 * 1024


def test_it_is_recalled_for_the_same_release_room_and_experiment_alone() -> None:
    known = remembering(*memory.remember([], [run("kill-1", "good", "Failed")]))
    assert recalled(known, "good") == "Failed"
    assert recalled(known, "other") is None
    known.spec = known.spec.model_copy(update={"revision": "2"})
    assert recalled(known, "good") is None
    known = remembering(*memory.remember([], [run("kill-1", "good", "Failed")]))
    changed = build.room(listeners={"count": 7, "perPod": 2})
    assert memory.recall(known, changed, releases.of([image("good")]), ["relay"]) is None


def test_another_template_is_another_release_unless_images_alone_count() -> None:
    known = remembering(*memory.remember([], [run("kill-1", "good", "Failed", template="t1")]))
    assert recalled(known, "good", "t1") == "Failed"
    assert recalled(known, "good", "t2") is None
    assert recalled(known, "good", "t2", templates=False) == "Failed"


def test_a_failure_that_came_before_the_templates_were_known_counts_by_its_images_and_a_pass_does_not() -> None:
    for verdict, expected in (("Aborted", "Aborted"), ("Passed", None)):
        known = remembering(*memory.remember([], [run("kill-1", "good", verdict)]))
        assert recalled(known, "good", "t1") == expected
