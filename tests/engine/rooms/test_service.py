"""Rooms against a real API server: what is applied, and what the status says of what is heard.

Nothing runs pods here: the tests store them, and a small HTTP server on loopback answers at their addresses.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.api.room import AudioRoom
from showstopper.availability.spans import Kind, Span, State
from showstopper.clock import Clock
from showstopper.cluster import kinds
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, DEPLOYMENT, POD, ROLE_BINDING, SERVICE_ACCOUNT, STATEFUL_SET
from showstopper.cluster.listeners import LISTENER
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.engine.rooms import LiveRoom, Rooms, component_pods, release
from showstopper.engine.rooms.fleet import keeper, manifests, names
from showstopper.engine.rooms.fleet.keeper import Keeper
from showstopper.errors import Conflict, NotFound
from tests.availability.build import document, sample_json
from tests.engine.rooms.build import IMAGES, room
from tests.engine.rooms.listening.test_collector import listener_pods
from tests.engine.rooms.storing import make_pod, make_room

pytestmark = pytest.mark.apiserver

PATIENCE = 60.0


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait for what holds, with a generous deadline; takes functions that return it or a coroutine of it."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                result = holds()
                if asyncio.iscoroutine(result):
                    result = await result
                if result:
                    return result
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never came: {what}")


async def reason(client: Client, here: AudioRoom) -> str:
    """Ready and its reason, as the API has it."""
    status = AudioRoom.parse(await client.get(AUDIO_ROOM, *here.key)).status
    ready = find(status.conditions, ConditionType.READY)
    return f"{ready.status} {ready.reason}" if ready else ""


class Stage:
    """What the listeners of a test hear."""

    def __init__(self) -> None:
        self.state = State.LIVE
        self.since = time.monotonic() - 100.0
        self.relay = "127.0.0.9"

    def change(self, state: State) -> None:
        self.state, self.since = state, time.monotonic()

    def listener(self, here: AudioRoom, pod: str) -> Callable[[int], dict[str, Any]]:
        """The answers of a pod."""
        residents = [name for name in names.residents(here) if name.startswith(f"{pod}/")]

        def answer(_: int) -> dict[str, Any]:
            now = time.monotonic()
            still = [Span(name, Kind.RESIDENT, self.state, self.since, now) for name in residents]
            samples = [sample_json(name, now, relay={"address": self.relay, "port": 7882}) for name in residents]
            feed = document([], still, pod=pod, boot=f"boot-of-{pod}", clock=now, listeners=samples)
            return {**feed, "room": here.metadata.name}

        return answer


@asynccontextmanager
async def live(client: Client, here: AudioRoom, stage: Stage) -> AsyncIterator[tuple[Rooms, LiveRoom]]:
    """The service with that room, its listener pods stored and answering, as the watch of rooms would keep it."""
    version = manifests.version(manifests.manifests(here, IMAGES)[0])
    pods = sorted(names.pods(here))
    async with listener_pods(**{pod: stage.listener(here, pod) for pod in pods}) as (served, there):
        for pod in there:
            await make_pod(client, pod.name, names.selector(here, LISTENER), pod.address or "", version)
        rooms = Rooms(client, Clock(), images=IMAGES, port=served.port)

        def hand_over(change: Change[AudioRoom]) -> None:
            rooms.on_delete(*here.key) if change.type is ChangeType.DELETED else rooms.on_change(change.value)

        named = {"metadata.name": here.metadata.name}
        mirror = Mirror(client, AUDIO_ROOM, "show", fields=named, keep=AudioRoom.parse, on_change=hand_over)
        rooms.pod_cache.follow([here.metadata.namespace])
        tasks = [asyncio.create_task(rooms.run()), asyncio.create_task(mirror.run())]
        try:
            yield rooms, await until(lambda: rooms.find(*here.key), "the live room")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            rooms.pod_cache.follow([])
            for pod in there:
                await client.delete(POD, "show", pod.name, grace_seconds=0)


async def test_a_room_goes_from_its_fleet_to_ready_through_an_outage_and_an_experiment(client: Client) -> None:
    here, stage = await make_room(client), Stage()
    await make_pod(client, "relay-1", {"app.kubernetes.io/component": "relay"}, stage.relay)
    async with live(client, here, stage) as (rooms, live_room):
        await until(lambda: _is(client, here, "True Live"), "Live")
        written = AudioRoom.parse(await client.get(AUDIO_ROOM, *here.key)).status
        assert written.observed_generation == here.metadata.generation
        assert (written.listeners.intended, written.listeners.live) == (6, 6)
        assert live_room.ready
        assert live_room.reporting_since is not None
        assert live_room.serving(Clock().now()) == {(stage.relay, 7882): 6}
        assert await live_room.until_known(live_room.reporting_since, PATIENCE)

        fleet_set = await client.get(STATEFUL_SET, "show", names.listeners(here))
        assert fleet_set["spec"]["replicas"] == 2
        assert fleet_set["metadata"]["ownerReferences"][0]["uid"] == here.metadata.uid
        assert (await client.get(DEPLOYMENT, "show", names.host(here)))["spec"]["replicas"] == 1

        stage.change(State.HOLD)
        await until(lambda: _is(client, here, "False NotLive"), "the outage in the status")
        stage.change(State.LIVE)
        await until(lambda: _is(client, here, "True Live"), "the recovery in the status")

        live_room.under_experiment = "kill-1"
        await until(lambda: _is(client, here, "True UnderExperiment"), "the experiment in the status")
        stage.change(State.NO_MEDIA)
        await until(lambda: not live_room.ready, "the outage that the experiment made")
        assert await reason(client, here) == "True UnderExperiment"
        live_room.under_experiment = None
        await until(lambda: _is(client, here, "False NotLive"), "the outage, no longer excused")

        await client.delete(AUDIO_ROOM, *here.key)
        await until(lambda: rooms.find(*here.key) is None, "the end of the live room")
    await client.delete(POD, "show", "relay-1", grace_seconds=0)


async def _is(client: Client, here: AudioRoom, wanted: str) -> bool:
    return await reason(client, here) == wanted


async def test_figures_say_who_serves_and_which_release(client: Client) -> None:
    here, stage = await make_room(client, listeners={"count": 1, "perPod": 1}), Stage()
    await make_pod(client, "relay-1", {"app.kubernetes.io/component": "relay"}, stage.relay)
    async with live(client, here, stage):

        async def figures() -> Any:
            status = AudioRoom.parse(await client.get(AUDIO_ROOM, *here.key)).status
            return status if status.serving and status.release and status.audible else None

        status = await until(figures, "the figures")
        assert status.serving == ["relay-1"]
        assert status.audible == "100%"
        assert [(image.component, image.digest[:8]) for image in status.release] == [("relay", "sha256:1")]
    await client.delete(POD, "show", "relay-1", grace_seconds=0)


async def test_a_changed_room_changes_its_fleet_and_says_so_of_the_new_generation(client: Client) -> None:
    here, stage = await make_room(client), Stage()
    async with live(client, here, stage) as (_, live_room):
        await until(lambda: _is(client, here, "True Live"), "Live")
        change = [{"op": "replace", "path": "/spec/listeners/perPod", "value": 2}]
        changed = AudioRoom.parse(await client.patch(AUDIO_ROOM, *here.key, change))
        # The pods that are there are from before the change, and nothing replaces them here.
        await until(lambda: _is(client, here, "Unknown Starting"), "the new start")
        written = AudioRoom.parse(await client.get(AUDIO_ROOM, *here.key)).status
        assert written.observed_generation == changed.metadata.generation == 2
        assert len(live_room.pods) == 3

        async def grown() -> bool:
            return bool((await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"] == 3)

        await until(grown, "the third pod")


async def test_a_fleet_that_a_run_holds_changes_when_the_run_is_over(client: Client) -> None:
    here, stage = await make_room(client), Stage()

    async def replicas() -> int:
        return int((await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"])

    async with live(client, here, stage) as (rooms, live_room):
        await until(lambda: _is(client, here, "True Live"), "Live")
        live_room.under_experiment = "kill-1"
        rooms.hold("kill-1", here)
        change = [{"op": "replace", "path": "/spec/listeners/count", "value": 3}]
        await client.patch(AUDIO_ROOM, *here.key, change)
        await until(lambda: _is(client, here, "Unknown UnderExperiment"), "the change that waits")
        assert (len(live_room.residents), await replicas()) == (6, 2)
        rooms.release("kill-1", here)

        async def smaller() -> bool:
            return await replicas() == 1

        await until(smaller, "the change")
        assert len(live_room.residents) == 3


async def test_a_fleet_leaves_a_relay_that_drains_and_comes_back_when_it_has_ended(client: Client) -> None:
    here, stage = await make_room(client), Stage()
    labels = {"app.kubernetes.io/component": "relay"}
    await make_pod(client, "relay-old", labels, stage.relay, node="node1")

    async def replicas() -> tuple[int, int]:
        fleet = await client.get(STATEFUL_SET, "show", names.listeners(here))
        host = await client.get(DEPLOYMENT, "show", names.host(here))
        return fleet["spec"]["replicas"], host["spec"]["replicas"]

    async def has(wanted: tuple[int, int]) -> bool:
        return await replicas() == wanted

    async with live(client, here, stage):
        await until(lambda: _is(client, here, "True Live"), "Live")
        await client.delete(POD, "show", "relay-old", grace_seconds=18_000)  # nobody ends it here
        await until(lambda: has((0, 0)), "the leaving of the fleet")
        await until(lambda: _is(client, here, "Unknown Draining"), "the reason in the status")
        await client.delete(POD, "show", "relay-old", grace_seconds=0)
        await until(lambda: has((2, 1)), "the fleet")
        await until(lambda: _is(client, here, "True Live"), "Live again")


async def test_a_run_that_takes_hold_of_a_fleet_that_is_away_has_it_back(client: Client) -> None:
    here = await make_room(client)
    keep = Keeper(client, IMAGES)
    await keep.keep(here, away=True)
    await keep.keep(here, held=True)
    assert (await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"] == 2


async def test_a_held_fleet_of_another_image_is_left_alone_and_made_where_it_is_missing(client: Client) -> None:
    """An operator of a new version carries the run on that it found."""
    here = await make_room(client)
    await Keeper(client, IMAGES).keep(here)
    await client.delete(DEPLOYMENT, "show", names.host(here))
    newer = Keeper(client, replace(IMAGES, audio="audio:2"))
    await newer.keep(here, held=True)

    async def image(kind: kinds.Kind, name: str) -> str:
        body = await client.get(kind, "show", name)
        return str(body["spec"]["template"]["spec"]["containers"][0]["image"])

    assert await image(STATEFUL_SET, names.listeners(here)) == IMAGES.audio
    assert await image(DEPLOYMENT, names.host(here)) == "audio:2"
    await newer.keep(here)
    assert await image(STATEFUL_SET, names.listeners(here)) == "audio:2"


async def test_a_host_may_do_what_the_chart_lets_hosts_do_in_the_namespace_of_its_room(client: Client) -> None:
    here = await make_room(client)
    await Keeper(client, IMAGES).keep(here)
    binding = await client.get(ROLE_BINDING, "show", names.host(here))
    assert binding["roleRef"]["name"] == manifests.HOST_ROLE
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": names.host(here), "namespace": "show"}]
    assert await client.get(SERVICE_ACCOUNT, "show", names.host(here))


async def test_a_room_with_a_speaker_of_its_own_loses_its_host(client: Client) -> None:
    here = await make_room(client)
    keep = Keeper(client, IMAGES)
    await keep.keep(here)
    await keep.keep(here.model_copy(update={"spec": room(program={"host": "External"}).spec}))
    for kind in (DEPLOYMENT, ROLE_BINDING, SERVICE_ACCOUNT):
        with pytest.raises(NotFound):
            await client.get(kind, "show", names.host(here))


async def test_a_room_has_its_crowd_until_it_wants_none(client: Client) -> None:
    here = await make_room(client)
    wanted = room(listeners={"count": 6, "perPod": 3, "crowd": {"count": 2500}}).spec
    keep = Keeper(client, IMAGES)
    await keep.keep(here.model_copy(update={"spec": wanted}))
    assert (await client.get(STATEFUL_SET, "show", names.crowd(here)))["spec"]["replicas"] == 3
    await keep.keep(here, held=True)
    assert (await client.get(STATEFUL_SET, "show", names.crowd(here)))["spec"]["replicas"] == 3
    await keep.keep(here)
    with pytest.raises(NotFound):
        await client.get(STATEFUL_SET, "show", names.crowd(here))
    assert (await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"] == 2


async def test_somebody_elses_workload_of_the_crowds_name_is_left_alone(client: Client) -> None:
    here = await make_room(client)
    crowded = here.model_copy(update={"spec": room(listeners={"count": 6, "crowd": {"count": 1}}).spec})
    other = manifests.manifests(crowded, IMAGES)[-1]
    del other["metadata"]["ownerReferences"]
    await client.create(STATEFUL_SET, other)
    await Keeper(client, IMAGES).keep(here)
    assert await client.get(STATEFUL_SET, "show", names.crowd(here))


async def test_keeping_a_fleet_that_is_as_it_should_be_writes_nothing(client: Client) -> None:
    here = await make_room(client)
    keep = Keeper(client, IMAGES)
    await keep.keep(here)
    before = await client.get(STATEFUL_SET, "show", names.listeners(here))
    await keep.keep(here)
    after = await client.get(STATEFUL_SET, "show", names.listeners(here))
    assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]


async def test_what_others_change_in_the_fleet_is_put_back(client: Client) -> None:
    here = await make_room(client)
    keep = Keeper(client, IMAGES)
    await keep.keep(here)
    scaled = [{"op": "replace", "path": "/spec/replicas", "value": 0}]
    await client.patch(STATEFUL_SET, "show", names.listeners(here), scaled)
    await keep.keep(here)
    assert (await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"] == 2


async def test_somebody_elses_workload_of_that_name_is_left_alone_and_named(client: Client) -> None:
    here = await make_room(client)
    other = manifests.manifests(here, IMAGES)[0]
    del other["metadata"]["ownerReferences"]
    await client.create(STATEFUL_SET, {**other, "spec": {**other["spec"], "replicas": 9}})
    with pytest.raises(Conflict, match="exists and is not this room's; delete it, or give the room another name"):
        await Keeper(client, IMAGES).keep(here)
    assert (await client.get(STATEFUL_SET, "show", names.listeners(here)))["spec"]["replicas"] == 9


async def test_a_fleet_that_is_refused_is_told_in_the_status(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.2)
    here = await make_room(client, listeners={"count": 1, "perPod": 1})
    other = manifests.manifests(here, IMAGES)[0]
    del other["metadata"]["ownerReferences"]
    stored = await client.create(STATEFUL_SET, other)
    stage = Stage()
    stage.change(State.SILENT)
    async with live(client, here, stage):
        await until(lambda: _is(client, here, "False FleetRefused"), "the refusal")
        await client.delete(STATEFUL_SET, "show", names.listeners(here), uid=stored["metadata"]["uid"])
        stage.change(State.LIVE)
        await until(lambda: _is(client, here, "True Live"), "the room, once the other one is gone")


async def test_a_components_pods_are_its_selectors_but_never_our_own(client: Client) -> None:
    here = await make_room(client)
    labels = {"app.kubernetes.io/component": "store"}
    await make_pod(client, "store-2", labels, "127.0.0.8")
    await make_pod(client, "store-1", labels, "127.0.0.7")
    await make_pod(client, "ours", {**labels, **names.selector(here, LISTENER)}, "127.0.0.6")
    try:
        pods = await component_pods(client, here, here.spec.components[1])
        assert [pod["metadata"]["name"] for pod in pods] == ["store-1", "store-2"]
        assert [image.component for image in await release(client, here)] == ["store"]
    finally:
        for name in ("store-1", "store-2", "ours"):
            await client.delete(POD, "show", name, grace_seconds=0)


async def test_without_a_room_nothing_is_asked_of_anybody() -> None:
    class Nobody:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was called")

    rooms = Rooms(Nobody(), Clock(), images=IMAGES)  # type: ignore[arg-type]
    running = asyncio.create_task(rooms.run())
    done, _ = await asyncio.wait([running], timeout=0.2)
    assert not done
    running.cancel()
    await asyncio.wait([running])
