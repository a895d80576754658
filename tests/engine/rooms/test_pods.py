"""Pods: who serves, and which images a component runs."""

from typing import Any

import pytest

from showstopper.engine.rooms import pods
from showstopper.errors import InvalidResource
from tests.engine.rooms.build import body, pod, room

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def test_images_are_told_once_by_digest_and_in_a_stable_order() -> None:
    relays = [pod("relay-b", image="relay:2", digest=TWO), pod("relay-a"), pod("relay-c")]
    images = pods.images(room(), {"store": [pod("store", containers=("exporter", "redis"))], "relay": relays})
    assert [(image.component, image.container, image.digest) for image in images] == [
        ("relay", "livekit", TWO),
        ("relay", "livekit", ONE),
        ("store", "exporter", ONE),
        ("store", "redis", ONE),
    ]
    store = pod("store", containers=("exporter", "redis"))
    assert images == pods.images(room(), {"store": [store], "relay": relays[::-1]})


def test_a_sidecar_is_of_the_release_whichever_container_is_first() -> None:
    relay = pod("relay-a", containers=("proxy", "livekit"))
    relay["spec"]["initContainers"] = [
        {"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"},
        {"name": "set-up", "image": "set-up:1"},
    ]
    relay["status"]["initContainerStatuses"] = [{"name": "mesh", "imageID": f"mesh@{TWO}"}]
    images = pods.images(room(), {"relay": [relay]})
    assert {image.container: image.digest for image in images} == {"livekit": ONE, "proxy": ONE, "mesh": TWO}


def test_a_pod_that_is_over_or_leaving_runs_no_release() -> None:
    leaving = pod("relay-b", digest=TWO)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T20:00:00Z"
    images = pods.images(room(), {"relay": [pod("relay-a", phase="Failed"), leaving]})
    assert images == []


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


def test_a_pod_of_the_same_images_that_still_ends_is_waited_for() -> None:
    """As after a rollout of other limits: whoever listens to it loses the host when it is gone."""
    same = pod("relay-old")
    same["metadata"] |= {"deletionTimestamp": "2026-11-23T20:00:00Z", "deletionGracePeriodSeconds": 30}
    group = {"relay": [pod("relay-new"), same]}
    assert pods.leaving(room(), group, pods.images(room(), group)) == (
        "pod relay-old has not ended yet: it does by 2026-11-23T20:00:00Z (grace period 30 s); "
        "kubectl -n show delete pod relay-old --grace-period=1 ends it now"
    )


def test_an_image_without_a_digest_yet_is_told_without_one() -> None:
    images = pods.images(room(), {"relay": [pod("relay-a", containerStatuses=[])]})
    assert [image.digest for image in images] == [""]


def test_a_bare_image_id_is_its_own_digest() -> None:
    statuses = [{"name": "livekit", "imageID": TWO}]
    assert [image.digest for image in pods.images(room(), {"relay": [pod("a", containerStatuses=statuses)]})] == [TWO]


def test_a_container_that_the_pods_do_not_have_is_refused_with_those_they_have() -> None:
    with pytest.raises(InvalidResource, match=r'pod show/relay-a has no container "livekit".*it has: sfu, metrics'):
        pods.images(room(), {"relay": [pod("relay-a", containers=("sfu", "metrics"))]})


def test_the_component_is_its_default_container_and_never_whichever_comes_first() -> None:
    store = pod("store", containers=("exporter", "redis"))
    component = room().spec.components[1]
    with pytest.raises(InvalidResource, match=r"several containers \(exporter, redis\).*write its name"):
        pods.container_of(component, store)
    store["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "redis"}
    assert pods.container_of(component, store)["name"] == "redis"


def test_the_release_has_all_containers_also_where_nobody_says_which_is_the_component() -> None:
    store = pod("store", containers=("exporter", "redis"))
    assert [image.container for image in pods.images(room(), {"store": [store]})] == ["exporter", "redis"]


def serve(address: str, port: int, pods_by_component: dict[str, list[dict[str, Any]]], **exposed: Any) -> list[str]:
    return pods.names(
        pods.behind(room(), [(address, port)], pods_by_component, pods.ServicesAndPods(**exposed)).values()
    )


def test_who_serves_is_found_by_any_of_the_pods_own_addresses() -> None:
    both = [{"ip": "198.18.1.8"}, {"ip": "2001:db8::8"}]
    relays = [pod("relay-a", address="198.18.1.7"), pod("relay-b", address="198.18.1.8", podIPs=both)]
    assert serve("198.18.1.8", 7882, {"relay": relays}) == ["relay-b"]
    assert serve("2001:db8::8", 7882, {"relay": relays}) == ["relay-b"]
    assert serve("198.18.1.9", 7882, {"relay": relays}) == []


def test_pods_on_their_nodes_network_are_told_apart_by_port() -> None:
    relays = [
        pod("relay-a", host_network=True, ports=(7883,)),
        pod("relay-b", host_network=True, ports=(7892,)),
    ]
    store = pod("store", address="198.18.1.9", ports=(7892,))
    assert serve("198.18.1.1", 7892, {"relay": relays, "store": [store]}) == ["relay-b"]


def test_several_pods_that_may_serve_are_nobody() -> None:
    relays = [pod(name, host_network=True, ports=(7892,)) for name in ("relay-a", "relay-b")]
    assert serve("198.18.1.1", 7892, {"relay": relays}) == []


def test_a_pod_behind_a_host_port_serves_by_its_nodes_address() -> None:
    relay = pod("relay-a", ports=(7882,))
    relay["spec"]["containers"][0]["ports"][0]["hostPort"] = 31882
    assert serve("198.18.1.1", 31882, {"relay": [relay]}) == ["relay-a"]
    assert serve("198.18.1.1", 7882, {"relay": [relay]}) == []


def test_a_range_of_media_on_the_nodes_network_is_the_components_and_no_containers() -> None:
    (relay, store) = body()["spec"]["components"]
    media = {"name": "media", "port": 50000, "endPort": 60000, "protocol": "UDP"}
    here = room(components=[{**relay, "ports": [media]}, store])
    group = {"relay": [pod("relay-a", host_network=True, ports=(7880,))]}
    assert list(pods.behind(here, [("198.18.1.1", 53117)], group, pods.ServicesAndPods())) == [("198.18.1.1", 53117)]
    assert not pods.behind(here, [("198.18.1.1", 49999)], group, pods.ServicesAndPods())


def test_a_service_serves_for_the_only_pod_that_it_selects() -> None:
    relays = [pod(name, labels={"app": name}, address=f"198.18.1.{at}") for at, name in enumerate(("a", "b"), 7)]
    services = [
        {
            "spec": {"clusterIPs": [f"198.19.100.{at}"], "selector": {"app": name}, "ports": [{"port": 7882}]},
            "status": {"loadBalancer": {"ingress": [{"ip": f"203.0.113.{at}"}]}},
        }
        for at, name in enumerate(("a", "b"), 7)
    ]
    exposed = {"services": services, "pods": relays}
    assert serve("198.19.100.8", 7882, {"relay": relays}, **exposed) == ["b"]
    assert serve("203.0.113.7", 7882, {"relay": relays}, **exposed) == ["a"]
    assert serve("203.0.113.7", 7999, {"relay": relays}, **exposed) == []
    canary = pod("canary", labels={"app": "b"}, address="198.18.1.9")
    assert serve("198.19.100.8", 7882, {"relay": relays}, services=services, pods=[*relays, canary]) == []
