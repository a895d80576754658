"""Snapshots against a real API server: memory proposes, and what a plan rests on is read afresh."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.experiment import Fault
from showstopper.api.room import AudioRoom
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import NAMESPACE, POD
from showstopper.engine.planning.plan import Plan
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.rooms import Images, Rooms
from tests.support import build, stored_objects

pytestmark = pytest.mark.apiserver

FAULTS = [Fault.model_validate(build.fault(minReady=1))]
PARTITION = [
    Fault.model_validate(
        {
            "name": "cut",
            "target": {"component": "relay"},
            "partition": {"peers": [{"component": "store"}]},
            "duration": "5s",
        }
    )
]


@pytest.fixture
async def snapshots(client: Client, namespace: str, relays: None) -> AsyncIterator[Snapshots]:
    """They follow the namespace with its two relays, and know them."""
    made = Snapshots(client, Clock(), Rooms(client, Clock(), images=Images("audio", "Never")))
    made.follow([namespace])
    async with asyncio.timeout(60):
        while len(made.remembered(namespace)) < 2:
            await asyncio.sleep(0.01)
    yield made
    made.follow([])


@pytest.fixture
def room(namespace: str) -> AudioRoom:
    made = build.room()
    made.metadata.namespace = namespace
    return made


async def proposed(snapshots: Snapshots, room: AudioRoom) -> Plan:
    made, _ = await snapshots.plan(room, FAULTS, seed=1)
    assert [len(planned.targets) for planned in made.faults] == [1]
    return made


async def reason(snapshots: Snapshots, made: Plan, room: AudioRoom) -> str | None:
    finding = await snapshots.confirm(made, room)
    return finding.reason if finding else None


def target(made: Plan) -> str:
    return made.faults[0].targets[0].name


def other(made: Plan) -> str:
    return "b" if target(made) == "a" else "a"


async def test_what_still_holds_is_confirmed(snapshots: Snapshots, room: AudioRoom) -> None:
    assert await reason(snapshots, await proposed(snapshots, room), room) is None


async def test_a_label_that_was_taken_away_forbids(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await stored_objects.forbid(client, room.metadata.namespace)
    assert await reason(snapshots, made, room) == "NamespaceNotAllowed"
    made, _ = await snapshots.plan(room, FAULTS, seed=1)
    assert made.snapshot.namespace_labels.get("showstopper.dev/chaos") is None


async def test_another_pod_that_is_no_longer_ready_forbids(
    snapshots: Snapshots, room: AudioRoom, client: Client
) -> None:
    made = await proposed(snapshots, room)
    await stored_objects.set_ready(client, room.metadata.namespace, other(made), ready=False)
    assert await reason(snapshots, made, room) == "MinReadyBroken"


async def test_a_third_pod_may_take_its_place(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await stored_objects.set_ready(client, room.metadata.namespace, other(made), ready=False)
    await stored_objects.pod(client, room.metadata.namespace, "c")
    assert await reason(snapshots, made, room) is None


async def test_a_target_that_went_is_none(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made = await proposed(snapshots, room)
    await client.delete(POD, room.metadata.namespace, target(made), grace_seconds=0)
    await stored_objects.pod(client, room.metadata.namespace, target(made))
    assert await reason(snapshots, made, room) == "NoTargets"


async def test_a_refusal_never_comes_from_memory(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    await stored_objects.forbid(client, room.metadata.namespace)
    await snapshots.look(room, FAULTS)
    await client.patch(
        NAMESPACE,
        "",
        room.metadata.namespace,
        [{"op": "add", "path": "/metadata/labels/showstopper.dev~1chaos", "value": "allowed"}],
    )
    assert await reason(snapshots, await proposed(snapshots, room), room) is None


async def test_a_component_without_addresses_is_no_peer(snapshots: Snapshots, room: AudioRoom, client: Client) -> None:
    made, _ = await snapshots.plan(room, PARTITION, seed=1)
    assert await reason(snapshots, made, room) == "NoPeers"
    await stored_objects.pod(client, room.metadata.namespace, "store", labels={"app": "store"})
    assert await reason(snapshots, made, room) is None


async def test_without_agents_the_operator_may_not_ask_for_peers(
    snapshots: Snapshots, room: AudioRoom, server: ApiServer
) -> None:
    made, _ = await snapshots.plan(room, PARTITION, seed=1)
    async with await Client.connect(server.user("without-agents")) as stranger:
        alone = Snapshots(stranger, Clock(), Rooms(stranger, Clock(), images=Images("audio", "Never")))
        finding = await alone.objection(made, room)
    assert finding is not None
    assert (finding.reason, finding.verdict) == ("AgentDisabled", "Error")
    assert "install the chart with agent.enabled=true" in finding.message


async def test_a_pod_of_the_release_before_that_still_ends_is_on_its_way(
    snapshots: Snapshots, room: AudioRoom, client: Client
) -> None:
    """Nobody ends it here, for there is no kubelet: it goes on serving for as long as its grace period lasts."""
    place = room.metadata.namespace
    run = build.run()
    run.metadata.namespace = place
    for name, digest in (("a", "sha256:1"), ("b", "sha256:2")):
        await stored_objects.set_ready(client, place, name, ready=True, digest=digest)
    assert (await snapshots.deployed(run)).unsettled == (
        "pods of one component run different images, or have not started yet"
    )
    await client.delete(POD, place, "a", grace_seconds=30)
    deployed = await snapshots.deployed(run)
    assert [image.digest for image in deployed.images] == ["sha256:2"]
    assert deployed.draining is not None
    assert deployed.draining.startswith("pod a, which runs livekit:1 sha256:1, has not ended yet: it does by ")
    assert deployed.draining.endswith(f"kubectl -n {place} delete pod a --grace-period=1 ends it now")
    await client.delete(POD, place, "a", grace_seconds=0)
    assert (await snapshots.deployed(run)).unsettled is None
