"""Gates against a real API server: what they say while images, runs and operators come and go.

No kubelet tells here which images a room runs: the tests say it.
"""

import json
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.clock import to_timestamp
from showstopper.cluster.client import Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, RELEASE_GATE, Kind
from showstopper.engine.gates.keeping import Gates
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import RUN_REQUESTED
from showstopper.errors import NotFound
from tests.support import build
from tests.support.api_server import apply
from tests.support.gate_build import image
from tests.support.operator_harness import NAME, OperatorHarness, at_work, until

pytestmark = pytest.mark.apiserver

HOUR = 3600.0


@pytest.fixture
async def gate(operator: OperatorHarness, monkeypatch: pytest.MonkeyPatch) -> "GateHarness":
    made = GateHarness(operator)
    monkeypatch.setattr(Gates, "_deployed", lambda *_: DeployedReleases(made.images))
    return made


class GateHarness:
    """An operator with a gate in its namespace, and the images that its room runs."""

    def __init__(self, operator: OperatorHarness) -> None:
        self.operator = operator
        self.images: tuple[ComponentImage, ...] = ()
        self.deploy("good")

    def deploy(self, digest: str) -> None:
        self.images = (image(digest), image("store", "store"))
        self.operator.operation.gates.enqueue_all()

    def anew(self) -> "GateHarness":
        """The same with an operator that remembers nothing."""
        self.operator = self.operator.anew()
        return self

    def apply(self, **spec: Any) -> None:
        named = {"roomRef": {"name": "main-stage"}, "components": ["relay"], "experiments": [{"name": NAME}]}
        metadata = {"name": "night", "namespace": self.operator.namespace}
        body = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ReleaseGate", "metadata": metadata}
        apply(self.operator.server, {**body, "spec": {**named, **spec}})

    async def passed(self, digest: str, *, ago: float = HOUR) -> None:
        """A run of the experiment as it is now, long over, against that image."""
        experiment, now = await self.operator.experiment(), self.operator.clock.now()
        origin = {"name": NAME, "uid": "another-life", "hash": requests.wanted(experiment).hash}
        release = [image(digest).model_dump(), image("store", "store").model_dump()]
        room = await self.operator.room()
        snapshot = {"name": room.metadata.name, "uid": room.metadata.uid, "spec": dump(room.spec)}
        run = build.run(f"{NAME}-{digest}", experiment=origin, room=snapshot, release=release)
        metadata = {"name": run.metadata.name, "namespace": self.operator.namespace}
        kind = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun"}
        apply(self.operator.server, {**kind, "metadata": metadata, "spec": dump(run.spec)})
        over = {"verdict": "Passed", "reason": "ExpectationsMet", "finishedAt": to_timestamp(now - ago)}
        patch = f"--patch={json.dumps({'status': over})}"
        words = ("-n", self.operator.namespace, "patch", "exprun", run.metadata.name, "--subresource=status")
        self.operator.server.kubectl(*words, "--type=merge", patch)

    async def stands(self, wanted: str) -> ReleaseGate:
        """The gate as soon as Ready is so, for its generation."""

        async def asked() -> ReleaseGate | None:
            release_gate = ReleaseGate.parse(
                await self.operator.client.get(RELEASE_GATE, self.operator.namespace, "night")
            )
            ready = find(release_gate.status.conditions, ConditionType.READY)
            current = release_gate.status.observed_generation == release_gate.metadata.generation
            return release_gate if current and ready and f"{ready.status} {ready.reason}" == wanted else None

        return await until(asked, f"the gate is {wanted}")

    async def nothing_runs(self) -> bool:
        return not await self.under_way()

    async def under_way(self) -> list[ExperimentRun]:
        return [run for run in await self.operator.runs() if not run.finished]


async def test_it_opens_for_what_passed_and_closes_when_the_image_changes(gate: GateHarness) -> None:
    gate.operator.apply(suspend=True)
    await gate.passed("good")
    gate.apply()
    async with at_work(gate.operator):
        release_gate = await gate.stands("True Passed")
        assert not is_true(release_gate.status.conditions, ConditionType.RECONCILING)
        assert [image.digest for image in release_gate.status.release] == ["good"]
        assert (release_gate.status.experiments[0].run, release_gate.status.experiments[0].state) == (
            f"{NAME}-good",
            "Passed",
        )
        gate.deploy("newer")
        release_gate = await gate.stands("False RunMissing")
        assert is_true(release_gate.status.conditions, ConditionType.STALLED)
        assert release_gate.status.expires_at is None
        gate.deploy("good")
        await gate.stands("True Passed")


async def test_a_pass_gets_too_old(gate: GateHarness) -> None:
    gate.operator.apply(suspend=True)
    await gate.passed("good", ago=10 * HOUR)
    gate.apply(maxAge="11h")
    async with at_work(gate.operator):
        await gate.stands("True Passed")
        gate.operator.clock.set("2026-06-01T02:00:00Z")
        gate.operator.operation.gates.enqueue_all()
        await gate.stands("False PassExpired")


async def test_a_missing_run_is_asked_for_once_whatever_becomes_of_the_operator(gate: GateHarness) -> None:
    gate.operator.apply(schedule="0 3 * * *")  # it runs when it is asked to, and at three
    gate.apply(requestRuns=True)
    async with at_work(gate.operator):
        await gate.stands("Unknown WaitingForRuns")
        await until(gate.under_way, "a run")
    asked = (await gate.operator.experiment()).metadata.annotations[RUN_REQUESTED]
    assert asked.startswith("gate night ")
    async with at_work(gate.anew().operator):
        await gate.stands("Unknown WaitingForRuns")
        (run,) = await gate.operator.runs()
        assert run.spec.experiment.run_request == asked
        await gate.operator.abort()
        await until(gate.nothing_runs, "the run is over")
        assert (await gate.operator.experiment()).metadata.annotations[RUN_REQUESTED] == asked
    assert len(await gate.operator.runs()) == 1


async def test_a_run_that_was_asked_for_and_deleted_is_not_waited_for(gate: GateHarness) -> None:
    gate.operator.apply()
    gate.apply(requestRuns=True)
    async with at_work(gate.operator):
        await gate.stands("Unknown WaitingForRuns")

        async def answered() -> bool:
            return bool((await gate.operator.experiment()).status.last_handled_run_request)

        await until(gate.under_way, "the run of its creation, which goes first")
        await gate.operator.abort()
        await until(answered, "the run that was asked for")
        for run in await gate.under_way():
            await gate.operator.client.delete(EXPERIMENT_RUN, *run.key)
        release_gate = await gate.stands("False RunMissing")
        assert "the run that this gate asked for did not count" in (release_gate.status.message or "")


async def test_a_gate_that_does_not_find_an_experiment_asks_the_others_and_looks_again(
    gate: GateHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was deleted, and nobody has told that yet."""
    gate.operator.apply("deleted", schedule="0 3 * * *")
    gate.operator.apply(schedule="0 3 * * *")
    get, missing = gate.operator.client.get, True

    async def answer(kind: Kind, namespace: str, name: str) -> Object:
        if missing and name == "deleted":
            raise NotFound('experiments "deleted" not found', status=404)
        return await get(kind, namespace, name)

    monkeypatch.setattr(gate.operator.client, "get", answer)
    gate.apply(requestRuns=True, experiments=[{"name": "deleted"}, {"name": NAME}])
    async with at_work(gate.operator):
        await until(gate.under_way, "a run of the other one")
        missing = False

        async def asked() -> bool:
            return {run.spec.experiment.name for run in await gate.under_way()} == {"deleted", NAME}

        await until(asked, "a run of both")


@pytest.mark.parametrize(
    ("spec", "reason", "says"),
    [
        ({"components": ["edge"]}, "UnknownComponent", 'has no component "edge"; it has: relay, store'),
        ({"experiments": [{"name": "nobody"}]}, "RunMissing", "there is no Experiment nobody"),
    ],
)
async def test_what_cannot_be_is_stalled_and_says_what_to_write(
    gate: GateHarness, spec: dict[str, Any], reason: str, says: str
) -> None:
    gate.apply(**spec)
    async with at_work(gate.operator):
        release_gate = await gate.stands(f"False {reason}")
        assert is_true(release_gate.status.conditions, ConditionType.STALLED)
        ready = find(release_gate.status.conditions, ConditionType.READY)
        assert ready is not None
        assert says in ready.message
