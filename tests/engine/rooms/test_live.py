"""A live room that a run holds: who its residents are, and what is kept of what they hear."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import aiohttp
import pytest

from showstopper.availability.hosts import HostFeed
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.rooms.fleet import manifests
from showstopper.engine.rooms.listening.roster import ListenerPod, Roster
from showstopper.engine.rooms.pod_cache import PodCache
from tests.availability.build import feed
from tests.engine.rooms.build import IMAGES, room

NOW = 1_800_000_000.0


class Pods(Roster):
    """The listener pods that a test says."""

    def __init__(self) -> None:
        super().__init__(cast("Client", None))
        self.there: list[ListenerPod] = []

    def pods(self, namespace: str, room: str) -> Mapping[str, ListenerPod]:
        return {pod.name: pod for pod in self.there}


@pytest.fixture
def pods() -> Pods:
    return Pods()


@pytest.fixture
def live(pods: Pods) -> LiveRoom:
    """A room of six that nobody listens to."""
    client, session = cast("Client", None), cast("aiohttp.ClientSession", None)
    return LiveRoom(
        room(),
        client,
        Clock(),
        session=session,
        roster=pods,
        pod_cache=PodCache(client),
        images=IMAGES,
        archive=ArchiveWatch(),
    )


def test_its_residents_are_those_of_the_run_until_it_is_over(live: LiveRoom) -> None:
    live.hold("kill-1", room())
    live.on_change(room(listeners={"count": 1}))
    assert (len(live.residents), len(live.pods), live.under_experiment) == (6, 2, "kill-1")
    assert live.timeline.held
    live.release("another")
    assert len(live.residents) == 6
    live.release("kill-1")
    assert (len(live.residents), live.under_experiment, live.timeline.held) == (1, None, False)


def test_an_operator_that_restarts_keeps_the_fleet_as_the_run_knows_it(live: LiveRoom) -> None:
    """The room was changed while no operator was there."""
    live.hold("kill-1", room(listeners={"count": 9}))
    assert len(live.residents) == 9


def test_a_room_of_the_same_name_that_was_made_anew_is_nobodys(live: LiveRoom) -> None:
    other = room(listeners={"count": 9})
    other.metadata.uid = "another"
    live.hold("kill-1", other)
    assert (len(live.residents), live.under_experiment) == (6, None)


def test_its_fleet_is_complete_with_all_pods_of_its_version_of_whom_none_ends(live: LiveRoom, pods: Pods) -> None:
    version = manifests.version(manifests.manifests(room(), IMAGES)[0])
    first, second = (ListenerPod(name, "198.18.1.9", version, "", "main-stage") for name in live.pods)
    for there, complete in (
        ([], False),
        ([first], False),
        ([first, second], True),
        ([first, replace(second, ends=True)], False),
        ([replace(first, version="older"), second], False),
    ):
        pods.there = there
        assert live.complete is complete, there


async def test_a_host_who_was_managed_and_is_not_any_more_is_waited_for_by_nobody(live: LiveRoom) -> None:
    for pod in live.pods:
        live.timeline.add(feed(clock=100.0, offset=NOW - 100.0, pod=pod, boot=pod))
    live.hosts.add(HostFeed("one", NOW - 10.0, 0.001, 5.0, NOW - 5.0, 0.0, 1.0, ()))
    assert not await live.until_known(NOW - 4.0, timeout=0.01)
    live.on_change(room(program={"host": "External"}))
    assert await live.until_known(NOW - 4.0, timeout=0.01)
