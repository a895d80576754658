"""Snapshots against a real API server: memory proposes, and what a plan rests on is read afresh."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.experiment import Fault
from showstopper.api.room import AudioRoom
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import NAMESPACE, POD
from showstopper.engine.planning.plan import Plan
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images, Rooms
from tests.api.server import with_crds
from tests.engine import build, cluster

pytestmark = pytest.mark.apiserver

FAULTS = [Fault.model_validate(build.fault(minReady=1))]


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    async with await Client.connect(server.kubeconfig) as found:
        yield found


@pytest.fixture
async def snapshots(client: Client, request: pytest.FixtureRequest) -> AsyncIterator[Snapshots]:
    """For a namespace named after the test, with two ready pods; it is followed, and known."""
    place = place_of(request)
    await cluster.namespace(client, place)
    for name in ("a", "b"):
        await cluster.pod(client, place, name)
    found = Snapshots(client, Clock(), Rooms(client, Clock(), images=Images("audio", "Never")))
    found.follow([place])
    async with asyncio.timeout(60):
        while len(found.remembered(place)) < 2:
            await asyncio.sleep(0.01)
    yield found
    found.follow([])


def place_of(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("_", "-")[:60]


@pytest.fixture
def room(request: pytest.FixtureRequest) -> AudioRoom:
    found = build.room()
    found.metadata.namespace = place_of(request)
    return found


async def proposed(snapshots: Snapshots, room: AudioRoom) -> Plan:
    made, _ = await snapshots.plan(room, FAULTS, seed=1)
    assert [len(planned.targets) for planned in made.faults] == [1]
    return made


async def reason(snapshots: Snapshots, made: Plan, room: AudioRoom) -> str | None:
    found = await snapshots.confirm(made, room)
    return found.reason if found else None


def target(made: Plan) -> str:
    return made.faults[0].targets[0].name


def other(made: Plan) -> str:
    return "b" if target(made) == "a" else "a"


async def test_what_still_holds_is_confirmed(snapshots: Snapshots, room: AudioRoom) -> None:
    assert await reason(snapshots, await proposed(snapshots, room), room) is None


async def test_a_label_that_was_taken_away_forbids(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await cluster.forbid(client, room.metadata.namespace)
    assert await reason(snapshots, made, room) == "NamespaceNotAllowed"
    made, _ = await snapshots.plan(room, FAULTS, seed=1)
    assert made.snapshot.namespace_labels.get("showstopper.dev/chaos") is None


async def test_another_pod_that_is_no_longer_ready_forbids(
    snapshots: Snapshots, room: AudioRoom, client: Client
) -> None:
    made = await proposed(snapshots, room)
    await cluster.set_ready(client, room.metadata.namespace, other(made), ready=False)
    assert await reason(snapshots, made, room) == "MinReadyBroken"


async def test_a_third_pod_may_take_its_place(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await cluster.set_ready(client, room.metadata.namespace, other(made), ready=False)
    await cluster.pod(client, room.metadata.namespace, "c")
    assert await reason(snapshots, made, room) is None


async def test_a_target_that_went_is_none(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await client.delete(POD, room.metadata.namespace, target(made), grace_seconds=0)
    await cluster.pod(client, room.metadata.namespace, target(made))
    assert await reason(snapshots, made, room) == "NoTargets"


async def test_a_refusal_never_comes_from_memory(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    await cluster.forbid(client, room.metadata.namespace)
    await snapshots.look(room, FAULTS)
    await client.patch(
        NAMESPACE,
        "",
        room.metadata.namespace,
        [{"op": "add", "path": "/metadata/labels/showstopper.dev~1chaos", "value": "allowed"}],
    )
    assert await reason(snapshots, await proposed(snapshots, room), room) is None


async def test_a_pod_of_the_release_before_that_still_ends_is_on_its_way(
    snapshots: Snapshots, room: AudioRoom, client: Client
) -> None:
    """Nobody ends it here, for there is no kubelet: it goes on serving for as long as its grace period lasts."""
    place = room.metadata.namespace
    run = build.run()
    run.metadata.namespace = place
    for name, digest in (("a", "sha256:1"), ("b", "sha256:2")):
        await cluster.set_ready(client, place, name, ready=True, digest=digest)
    assert (await snapshots.deployed(run)).unsettled == (
        "pods of one component run different images, or have not started yet"
    )
    await client.delete(POD, place, "a", grace_seconds=30)
    found = await snapshots.deployed(run)
    assert [image.digest for image in found.images] == ["sha256:2"]
    assert found.moving == "pod a, which runs livekit:1 sha256:1, has not ended yet"
    await client.delete(POD, place, "a", grace_seconds=0)
    assert (await snapshots.deployed(run)).unsettled is None
