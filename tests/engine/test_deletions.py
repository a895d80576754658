"""Deletions that nobody told: an API server, an operator that has loaded what there is, and no kopf."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.api.schema.base import dump
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN
from showstopper.engine import deletions
from showstopper.engine.operation import Operation
from showstopper.engine.rooms import Images
from showstopper.engine.runs import orphans
from tests.api.build import room
from tests.support import build
from tests.support.api_server import apply

pytestmark = pytest.mark.apiserver
OFTEN = 0.2
# Several times what a listing takes; by default they are a minute apart.
BOUND = 15.0


@pytest.fixture
async def operation(client: Client, namespace: str) -> AsyncIterator[Operation]:
    """An operator that runs, but is told nothing of what people do."""
    made = Operation(
        client,
        Clock(),
        images=Images("audio:1"),
        instance="test",
        agents=namespace,
        namespace=namespace,
        check_deletions_seconds=OFTEN,
    )
    before = asyncio.all_tasks()
    task = asyncio.create_task(made.run())
    yield made
    rest = [task, *(asyncio.all_tasks() - before - {asyncio.current_task()})]
    for each in rest:
        each.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def experiment(server: ApiServer, namespace: str, name: str) -> Experiment:
    """A suspended Experiment, as a person makes it."""
    spec = {
        "roomRef": {"name": "main-stage"},
        "suspend": True,
        "faults": [build.fault()],
        "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
    }
    body = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "Experiment"}
    return Experiment.parse(apply(server, {**body, "metadata": {"name": name, "namespace": namespace}, "spec": spec}))


async def within_bound(holds: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(BOUND):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came: {what}")


async def test_an_experiment_that_was_deleted_unseen_is_forgotten_and_others_stay(
    server: ApiServer, client: Client, namespace: str, operation: Operation
) -> None:
    going, staying = experiment(server, namespace, "going"), experiment(server, namespace, "staying")
    await operation.load()
    assert operation.experiments.find(*going.key) is not None
    await client.delete(EXPERIMENT, *going.key)
    await within_bound(lambda: operation.experiments.find(*going.key) is None, "the deletion")
    assert operation.experiments.find(*staying.key) is not None
    await client.delete(EXPERIMENT, *staying.key)


async def test_a_room_that_was_deleted_unseen_is_forgotten(
    server: ApiServer, client: Client, namespace: str, operation: Operation
) -> None:
    body = room({"metadata.name": "going", "metadata.namespace": namespace})
    key = AudioRoom.parse(apply(server, body)).key
    await operation.load()
    assert operation.rooms.declared(*key) is not None
    await client.delete(AUDIO_ROOM, *key)
    await within_bound(lambda: operation.rooms.declared(*key) is None, "the deletion")


async def test_another_room_of_the_same_name_stays(
    server: ApiServer, client: Client, namespace: str, operation: Operation
) -> None:
    body = room({"metadata.name": "again", "metadata.namespace": namespace})
    old = AudioRoom.parse(apply(server, body))
    await client.delete(AUDIO_ROOM, *old.key)
    new = AudioRoom.parse(apply(server, body))
    operation.room_seen(new, deleted=False)
    operation.room_seen(old, deleted=True)
    declared = operation.rooms.declared(*new.key)
    assert declared is not None
    assert declared.metadata.uid == new.metadata.uid


class Racing(Client):
    """Somebody makes an Experiment when the listing has been made already."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.meanwhile: Callable[[], None] = lambda: None

    async def pages(self, *arguments: Any, **settings: Any) -> AsyncGenerator[Object, None]:
        async for page in super().pages(*arguments, **settings):
            self.meanwhile()
            self.meanwhile = lambda: None  # once, also where a busy server has the listing begun anew
            yield page


async def test_what_becomes_known_during_the_listing_is_not_taken_for_deleted(
    server: ApiServer, namespace: str
) -> None:
    known, gone = [experiment(server, namespace, "early")], list[Experiment]()
    async with await Racing.connect(server.kubeconfig) as client:
        client.meanwhile = lambda: known.append(experiment(server, namespace, "late"))
        await client.delete(EXPERIMENT, *known[0].key)
        await deletions.check(client, EXPERIMENT, lambda: known, gone.append)
    assert [resource.metadata.name for resource in known] == ["early", "late"]
    assert [resource.metadata.name for resource in gone] == ["early"]


async def test_who_cannot_list_takes_nothing_for_deleted(server: ApiServer, client: Client, namespace: str) -> None:
    kept, gone = experiment(server, namespace, "kept"), list[Experiment]()
    async with await Client.connect(server.user("nobody")) as nobody:
        await deletions.check(nobody, EXPERIMENT, lambda: [kept], gone.append)
    assert gone == []


async def test_records_of_an_experiment_that_is_gone_are_bounded(
    client: Client, namespace: str, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "MOST_ORPHANS", 1)
    kind = {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun"}
    for n in range(3):
        metadata = {"name": f"gone-{n}", "namespace": namespace}
        spec = dump(build.run(experiment={"name": "gone"}).spec)
        await client.create(EXPERIMENT_RUN, {**kind, "metadata": metadata, "spec": spec})
        verdict = [{"op": "add", "path": "/status/verdict", "value": "Passed"}]
        await client.patch(EXPERIMENT_RUN, namespace, f"gone-{n}", verdict, subresource="status")
    await operation.load()
    await within_bound(lambda: len(list(operation.runs.all())) == 1, "only the newest record")
    assert [body["metadata"]["name"] for body in await client.list(EXPERIMENT_RUN, namespace)] == ["gone-2"]
