"""Gates against a real API server: what they say while images, runs and operators come and go.

No kubelet tells here which images a room runs: the tests say it.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.base import dump
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.clock import to_timestamp
from showstopper.cluster.kinds import RELEASE_GATE
from showstopper.engine.gates.keeping import Gates
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.api.server import apply, with_crds
from tests.engine import build
from tests.engine.gates.build import image
from tests.engine.place import NAME, Place, fresh, operated, until

pytestmark = pytest.mark.apiserver

HOUR = 3600.0


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def stage(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Stage"]:
    async with fresh(server) as found:
        made = Stage(found)
        monkeypatch.setattr(Gates, "_images", lambda *_: made.images)
        yield made


class Stage:
    """A place with a gate in it, and the images that its room runs."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.images: tuple[ComponentImage, ...] = ()
        self.deploy("good")

    def deploy(self, digest: str) -> None:
        self.images = (image(digest), image("store", "store"))
        self.place.operation.gates.poke_all()

    def anew(self) -> "Stage":
        """The same with an operator that remembers nothing."""
        self.place = Place(self.place.client, self.place.server, self.place.namespace, self.place.clock)
        return self

    def apply(self, **spec: Any) -> None:
        named = {"roomRef": {"name": "main-stage"}, "components": ["relay"], "experiments": [{"name": NAME}]}
        metadata = {"name": "night", "namespace": self.place.namespace}
        body = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ReleaseGate", "metadata": metadata}
        apply(self.place.server, {**body, "spec": {**named, **spec}})

    async def passed(self, digest: str, *, ago: float = HOUR) -> None:
        """A run of the experiment as it is now, long over, against that image."""
        experiment, now = await self.place.experiment(), self.place.clock.now()
        origin = {"name": NAME, "uid": "another-life", "hash": requests.wanted(experiment).hash}
        release = [image(digest).model_dump(), image("store", "store").model_dump()]
        run = build.run(f"{NAME}-{digest}", experiment=origin, release=release)
        metadata = {"name": run.metadata.name, "namespace": self.place.namespace}
        kind = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun"}
        apply(self.place.server, {**kind, "metadata": metadata, "spec": dump(run.spec)})
        over = {"verdict": "Passed", "reason": "ExpectationsMet", "finishedAt": to_timestamp(now - ago)}
        patch = f"--patch={json.dumps({'status': over})}"
        words = ("-n", self.place.namespace, "patch", "exprun", run.metadata.name, "--subresource=status")
        self.place.server.kubectl(*words, "--type=merge", patch)

    async def stands(self, wanted: str) -> ReleaseGate:
        """The gate as soon as Ready is so, for its generation."""

        async def asked() -> ReleaseGate | None:
            found = ReleaseGate.parse(await self.place.client.get(RELEASE_GATE, self.place.namespace, "night"))
            ready = find(found.status.conditions, ConditionType.READY)
            current = found.status.observed_generation == found.metadata.generation
            return found if current and ready and f"{ready.status} {ready.reason}" == wanted else None

        return await until(asked, f"the gate is {wanted}")

    async def nothing_runs(self) -> bool:
        return not await self.under_way()

    async def under_way(self) -> list[ExperimentRun]:
        return [run for run in await self.place.runs() if not run.finished]


async def test_it_opens_for_what_passed_and_closes_when_the_image_changes(stage: Stage) -> None:
    stage.place.apply(suspend=True)
    await stage.passed("good")
    stage.apply()
    async with operated(stage.place):
        found = await stage.stands("True Passed")
        assert not is_true(found.status.conditions, ConditionType.RECONCILING)
        assert [one.digest for one in found.status.release] == ["good"]
        assert (found.status.experiments[0].run, found.status.experiments[0].state) == (f"{NAME}-good", "Passed")
        stage.deploy("newer")
        found = await stage.stands("False RunMissing")
        assert is_true(found.status.conditions, ConditionType.STALLED)
        stage.deploy("good")
        await stage.stands("True Passed")


async def test_a_pass_gets_too_old(stage: Stage) -> None:
    stage.place.apply(suspend=True)
    await stage.passed("good", ago=10 * HOUR)
    stage.apply(maxAge="11h")
    async with operated(stage.place):
        await stage.stands("True Passed")
        stage.place.clock.set("2026-06-01T02:00:00Z")
        stage.place.operation.gates.poke_all()
        await stage.stands("False PassExpired")


async def test_a_missing_run_is_asked_for_once_whatever_becomes_of_the_operator(stage: Stage) -> None:
    stage.place.apply(schedule="0 3 * * *")  # it runs when it is asked to, and at three
    stage.apply(requestRuns=True)
    async with operated(stage.place):
        await stage.stands("Unknown WaitingForRuns")
        await until(stage.under_way, "a run")
    asked = (await stage.place.experiment()).metadata.annotations[RUN_REQUESTED]
    assert asked.startswith("gate night ")
    async with operated(stage.anew().place):
        await stage.stands("Unknown WaitingForRuns")
        (run,) = await stage.place.runs()
        assert run.spec.experiment.run_request == asked
        await stage.place.abort()
        await until(stage.nothing_runs, "the run is over")
        assert (await stage.place.experiment()).metadata.annotations[RUN_REQUESTED] == asked
    assert len(await stage.place.runs()) == 1


@pytest.mark.parametrize(
    ("spec", "reason", "says"),
    [
        ({"components": ["edge"]}, "UnknownComponent", 'has no component "edge"; it has: relay, store'),
        ({"experiments": [{"name": "nobody"}]}, "RunMissing", "there is no Experiment nobody"),
    ],
)
async def test_what_cannot_be_is_stalled_and_says_what_to_write(
    stage: Stage, spec: dict[str, Any], reason: str, says: str
) -> None:
    stage.apply(**spec)
    async with operated(stage.place):
        found = await stage.stands(f"False {reason}")
        assert is_true(found.status.conditions, ConditionType.STALLED)
        ready = find(found.status.conditions, ConditionType.READY)
        assert ready is not None
        assert says in ready.message
