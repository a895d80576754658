"""Roster: listener pods by room, through changes in any order."""

import asyncio
from typing import Any, cast

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import HOST, LISTENER, ROLE_LABEL, ROOM_LABEL
from showstopper.engine.rooms.fleet.names import FLEET_ANNOTATION
from showstopper.engine.rooms.listening.roster import Roster, read, trouble
from tests.engine.rooms.build import pod
from tests.engine.rooms.storing import make_pod
from tests.engine.rooms.test_service import until

KEY = ("show", "main-stage")


def listener(uid: str = "1", *, version: int = 1, **more: Any) -> dict[str, Any]:
    body = pod("main-stage-listeners-0", labels={ROOM_LABEL: "main-stage"}, **more)
    body["metadata"] |= {"uid": uid, "resourceVersion": str(version)}
    return body


def test_a_pod_is_kept_under_its_room_until_it_is_deleted() -> None:
    roster = Roster(cast("Client", None))
    roster.mirror.learn(listener())
    assert [pod.address for pod in roster.pods(*KEY).values()] == ["198.18.1.7"]
    assert not roster.pods("show", "another")
    assert not roster.pods("other", "main-stage")


def test_a_new_pod_takes_the_place_of_the_old_one_of_the_same_name() -> None:
    roster = Roster(cast("Client", None))
    roster.mirror.learn(listener("1"))
    roster.mirror.learn(listener("2", version=2, address="198.18.1.8"))
    assert [pod.address for pod in roster.pods(*KEY).values()] == ["198.18.1.8"]


@pytest.mark.apiserver
async def test_a_pod_is_forgotten_when_it_is_deleted(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        roster = Roster(client)
        task = asyncio.create_task(roster.run())
        labels = {ROLE_LABEL: LISTENER, ROOM_LABEL: "forgotten"}
        await make_pod(client, "forgotten-listeners-0", labels, "198.18.1.9")
        await until(lambda: any(pod.address for pod in roster.pods("show", "forgotten").values()), "the pod")
        await client.delete(POD, "show", "forgotten-listeners-0", grace_seconds=0)
        await until(lambda: not roster.pods("show", "forgotten"), "its deletion")
        task.cancel()


def test_a_pod_tells_the_fleets_version_that_it_is_of() -> None:
    body = listener()
    body["metadata"]["annotations"] = {FLEET_ANNOTATION: "abc"}
    assert read(body).version == "abc"
    assert read(listener()).version == ""


def test_a_pod_that_was_told_to_end_says_so() -> None:
    body = listener()
    assert not read(body).ends
    body["metadata"]["deletionTimestamp"] = "2026-11-29T16:57:00Z"
    assert read(body).ends


def test_a_pod_without_an_address_yet_has_none() -> None:
    assert read({"metadata": {"name": "a", "namespace": "show", "uid": "1"}}).address is None


def test_what_keeps_a_pod_from_running_is_told_in_the_kubelets_words() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "livekit-keys" not found'}
    status = {"containerStatuses": [{"state": {"waiting": waiting}}]}
    assert trouble(status) == 'CreateContainerConfigError: secret "livekit-keys" not found'


def test_a_pod_that_finds_no_node_is_told_in_the_schedulers_words() -> None:
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes"}
    assert trouble({"conditions": [unschedulable]}) == "Unschedulable: 0/2 nodes"


def test_a_pod_that_is_just_being_made_is_no_trouble() -> None:
    assert trouble({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}) == ""
    assert trouble({"containerStatuses": [{"state": {"running": {}}}]}) == ""


def test_a_host_is_no_listener() -> None:
    roster = Roster(cast("Client", None))
    host = listener("2", version=2)
    host["metadata"]["name"] = "main-stage-host-1"
    host["metadata"]["labels"][ROLE_LABEL] = HOST
    roster.mirror.learn(listener())
    roster.mirror.learn(host)
    assert list(roster.pods(*KEY)) == ["main-stage-listeners-0"]
    assert list(roster.hosts(*KEY)) == ["main-stage-host-1"]
