"""Pods: who serves, and which images a component runs."""

import pytest

from showstopper.engine.rooms import pods
from showstopper.errors import InvalidResource
from tests.engine.rooms.build import pod, room

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def test_images_are_told_once_by_digest_and_in_a_stable_order() -> None:
    relays = [pod("relay-b", image="relay:2", digest=TWO), pod("relay-a"), pod("relay-c")]
    found = pods.images(room(), {"store": [pod("store", containers=("redis", "exporter"))], "relay": relays})
    assert [(one.component, one.container, one.digest) for one in found] == [
        ("relay", "livekit", TWO),
        ("relay", "livekit", ONE),
        ("store", "exporter", ONE),
        ("store", "redis", ONE),
    ]
    store = pod("store", containers=("exporter", "redis"))
    assert found == pods.images(room(), {"store": [store], "relay": relays[::-1]})


def test_a_sidecar_is_of_the_release_whichever_container_is_first() -> None:
    relay = pod("relay-a", containers=("proxy", "livekit"))
    relay["spec"]["initContainers"] = [
        {"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"},
        {"name": "set-up", "image": "set-up:1"},
    ]
    relay["status"]["initContainerStatuses"] = [{"name": "mesh", "imageID": f"mesh@{TWO}"}]
    found = pods.images(room(), {"relay": [relay]})
    assert {image.container: image.digest for image in found} == {"livekit": ONE, "proxy": ONE, "mesh": TWO}


def test_a_pod_that_is_over_or_leaving_runs_no_release() -> None:
    leaving = pod("relay-b", digest=TWO)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T20:00:00Z"
    found = pods.images(room(), {"relay": [pod("relay-a", phase="Failed"), leaving]})
    assert found == []


def test_a_pod_of_another_release_that_still_ends_is_waited_for() -> None:
    old = pod("relay-old", digest=TWO)
    old["metadata"]["deletionTimestamp"] = "2026-11-23T20:00:00Z"
    group = {"relay": [old, pod("relay-new")]}
    now = pods.images(room(), group)
    old["metadata"]["deletionGracePeriodSeconds"] = 18000
    assert pods.leaving(room(), group, now) == (
        f"pod relay-old, which runs showstopper.local/livekit:1 {TWO}, has not ended yet: it does by "
        "2026-11-23T20:00:00Z (grace period 18000 s); kubectl -n show delete pod relay-old --grace-period=1 ends it now"
    )
    old["status"]["phase"] = "Succeeded"
    assert pods.leaving(room(), group, now) is None, "it serves nobody any more"


def test_a_pod_of_the_same_release_that_ends_keeps_nobody_waiting() -> None:
    same = pod("relay-old")
    same["metadata"]["deletionTimestamp"] = "2026-11-23T20:00:00Z"
    group = {"relay": [same, pod("relay-new")]}
    assert pods.leaving(room(), group, pods.images(room(), group)) is None


def test_an_image_without_a_digest_yet_is_told_without_one() -> None:
    found = pods.images(room(), {"relay": [pod("relay-a", containerStatuses=[])]})
    assert [one.digest for one in found] == [""]


def test_a_bare_image_id_is_its_own_digest() -> None:
    statuses = [{"name": "livekit", "imageID": TWO}]
    assert [one.digest for one in pods.images(room(), {"relay": [pod("a", containerStatuses=statuses)]})] == [TWO]


def test_a_container_that_the_pods_do_not_have_is_refused_with_those_they_have() -> None:
    with pytest.raises(InvalidResource, match=r'pod show/relay-a has no container "livekit".*it has: sfu, metrics'):
        pods.images(room(), {"relay": [pod("relay-a", containers=("sfu", "metrics"))]})


def test_who_serves_is_found_by_the_pods_own_address() -> None:
    relays = [pod("relay-a", address="198.18.1.7"), pod("relay-b", address="198.18.1.8")]
    assert pods.serving([("198.18.1.8", 7882)], {"relay": relays}) == ["relay-b"]
    assert pods.serving([("198.18.1.9", 7882)], {"relay": relays}) == []


def test_pods_on_their_nodes_network_are_told_apart_by_port() -> None:
    relays = [
        pod("relay-a", host_network=True, ports=(7882,)),
        pod("relay-b", host_network=True, ports=(7892,)),
        pod("store", address="198.18.1.9", ports=(7892,)),
    ]
    assert pods.serving([("198.18.1.1", 7892)], {"all": relays}) == ["relay-b"]


def test_a_pod_behind_a_host_port_serves_by_its_nodes_address() -> None:
    relay = pod("relay-a", ports=(7882,))
    relay["spec"]["containers"][0]["ports"][0]["hostPort"] = 31882
    assert pods.serving([("198.18.1.1", 31882)], {"relay": [relay]}) == ["relay-a"]
    assert pods.serving([("198.18.1.1", 7882)], {"relay": [relay]}) == []
