"""Injections: what the API server and the model refuse alike, and that nothing but `lift` ever changes."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.api.injection import Injection
from showstopper.errors import InvalidResource
from tests.api.build import LEAVE_OUT, host_injection, injection
from tests.support.api_server import apply, as_object, refusal

LOSS = "spec.packetLoss"
OTHER_KINDS: dict[str, dict[str, Any]] = {
    "delay": {"latency": "100ms", "jitter": "20ms"},
    "duplicate": {"percent": "1%"},
    "corrupt": {"percent": "0.5%"},
    "reorder": {"percent": "10%"},
    "bandwidth": {"rate": "2Mbit"},
    "partition": {"peers": [{"component": "store"}]},
    "portBlock": {"protocols": ["UDP"]},
    "dnsFailure": {},
    "networkProfile": {"name": "Lossy4G"},
    "stormGate": {"signalling": 7880, "media": [{"port": 50000, "endPort": 60000}]},
    "stormArrivals": {"signalling": 7880},
}
# (name, changes, what the API server says, what the model says)
MISTAKES: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("no kind", {LOSS: LEAVE_OUT}, "exactly one kind of fault", "exactly one kind of fault"),
    ("two kinds", {"spec.dnsFailure": {}}, "exactly one kind of fault", "exactly one kind of fault"),
    ("no target", {"spec.targets": []}, "at least 1 item", "at least 1 item"),
    ("peers that are nobody", {"spec.peers": []}, "at least 1 item", "at least 1 item"),
    ("a peer by name", {"spec.peers": ["store"]}, "should match", "should match"),
    ("a UID that is a path", {"spec.targets.0.uid": "../1"}, "should match", "should match"),
    ("port 0", {"spec.ports.0.port": 0}, "greater than or equal to 1", "greater than or equal to 1"),
    ("0 %", {f"{LOSS}.percent": "0%"}, "has no effect", "has no effect"),
    ("more than all", {f"{LOSS}.percent": "101%"}, "not a valid share", "not a valid share"),
    (
        "a partition from everybody",
        {LOSS: LEAVE_OUT, "spec.peers": LEAVE_OUT, "spec.partition": {"peers": [{"component": "store"}]}},
        "a partition is from somebody",
        "a partition is from somebody",
    ),
    (
        "six seconds",
        {LOSS: LEAVE_OUT, "spec.delay": {"latency": "6s"}},
        'write a duration from "1ms" to "5s"',
        'write a duration from "1ms" to "5s"',
    ),
    (
        "more jitter than delay",
        {LOSS: LEAVE_OUT, "spec.delay": {"latency": "10ms", "jitter": "11ms"}},
        "jitter is larger than the latency",
        "jitter is larger than the latency",
    ),
    ("all in bursts", {LOSS: {"percent": "100%", "burst": "1s"}}, "bursts need a percent below", "bursts need"),
    ("a rate of a snail", {LOSS: LEAVE_OUT, "spec.bandwidth": {"rate": "1kbit"}}, "bits a second", "bits a second"),
)
OF_HOST: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("a node beside the host", {"spec.node": "node1"}, "an Injection has one executor"),
    ("nobody", {"spec.pod": LEAVE_OUT}, "faults of the host and of the door are carried out by their pods"),
    (
        "an agent",
        {"spec.pod": LEAVE_OUT, "spec.node": "node1"},
        "faults of the host and of the door are carried out by their pods",
    ),
    (
        "a host that loses packets",
        {"spec.deadAir": LEAVE_OUT, "spec.packetLoss": {"percent": "5%"}},
        "faults of the host and of the door are carried out by their pods",
    ),
    ("another pod", {"spec.targets.0.pod": "relay-0"}, "a pod carries a fault out on itself"),
)
each = pytest.mark.parametrize(
    ("changes", "says", "model_says"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)


@pytest.mark.apiserver
@each
def test_the_api_server_refuses_it(server: ApiServer, changes: dict[str, Any], says: str, model_says: str) -> None:
    assert says in refusal(server, injection(changes))


@each
def test_the_model_refuses_it_too(changes: dict[str, Any], says: str, model_says: str) -> None:
    with pytest.raises(InvalidResource, match=model_says):
        Injection.parse(injection(changes))


of_host = pytest.mark.parametrize(("changes", "says"), [row[1:] for row in OF_HOST], ids=[row[0] for row in OF_HOST])


@pytest.mark.apiserver
@of_host
def test_the_api_server_refuses_it_of_a_host(server: ApiServer, changes: dict[str, Any], says: str) -> None:
    assert says in refusal(server, host_injection(changes))


@of_host
def test_the_model_refuses_it_of_a_host_too(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidResource, match=says):
        Injection.parse(host_injection(changes))


@pytest.mark.parametrize("peers", [["1.2.3"], ["198.18.0.1/16"], ["fd00::1::2"]])
def test_the_model_knows_addresses_better_than_a_pattern(peers: list[str]) -> None:
    with pytest.raises(InvalidResource, match=r"spec\.peers\.0"):
        Injection.parse(injection({"spec.peers": peers}))


def test_a_pod_is_a_target_once() -> None:
    (target,) = injection()["spec"]["targets"]
    with pytest.raises(InvalidResource, match="is a target 2 times"):
        Injection.parse(injection({"spec.targets": [target, target]}))


@pytest.mark.apiserver
@pytest.mark.parametrize("kind", ["packetLoss", *OTHER_KINDS])
def test_every_kind_is_taken(server: ApiServer, kind: str) -> None:
    body = injection({LOSS: LEAVE_OUT, f"spec.{kind}": OTHER_KINDS[kind]} if kind in OTHER_KINDS else {})
    apply(server, body, "--dry-run=server")
    assert Injection.parse(body).spec.kind == kind


@pytest.fixture
def stored(server: ApiServer) -> Iterator[ApiServer]:
    """An API server that holds the injection of `build.injection`."""
    apply(server, injection())
    yield server
    server.kubectl("delete", "-n", "show", "injection", "kill-1-loss-1")


@pytest.mark.apiserver
@pytest.mark.parametrize(
    "changes",
    [
        {"spec.node": "node2"},
        {"spec.lease": "other"},
        {"spec.targets.0.address": "198.18.1.6"},
        {"spec.ports": LEAVE_OUT},
        {"spec.mediaOnly": True},
        {f"{LOSS}.percent": "6%"},
        {LOSS: LEAVE_OUT, "spec.dnsFailure": {}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_nothing_of_it_can_be_changed(stored: ApiServer, changes: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="an Injection never changes, except for lift and the addresses of peers"):
        apply(stored, injection(changes))


@pytest.mark.apiserver
def test_its_peers_may_be_replaced_and_neither_left_out_nor_become_nobody(stored: ApiServer) -> None:
    assert apply(stored, injection({"spec.peers": ["198.18.2.1"]}))["spec"]["peers"] == ["198.18.2.1"]
    with pytest.raises(CommandError, match="an Injection is about peers or not"):
        apply(stored, injection({"spec.peers": LEAVE_OUT}))
    with pytest.raises(CommandError, match="should have at least 1 items"):
        apply(stored, injection({"spec.peers": []}))


@pytest.mark.apiserver
def test_it_is_lifted_once_and_stays_so(stored: ApiServer) -> None:
    assert apply(stored, injection())["spec"]["lift"] is False
    assert apply(stored, injection({"spec.lift": True}))["metadata"]["generation"] == 2
    with pytest.raises(CommandError, match="a lifted Injection stays lifted"):
        apply(stored, injection({"spec.lift": False}))


@pytest.mark.apiserver
def test_agents_find_those_of_their_node(stored: ApiServer) -> None:
    def names(node: str) -> list[str]:
        listed = stored.kubectl("get", "inj", "-A", f"--field-selector=spec.node={node}", "-o", "json")
        metadata = [each["metadata"] for each in as_object(listed)["items"]]
        return [each["name"] for each in metadata if each["namespace"] == "show"]  # others share the server

    assert names("node1") == ["kill-1-loss-1"]
    assert names("node2") == []


@pytest.mark.apiserver
def test_a_host_finds_its_own_and_an_agent_finds_none_of_a_host(server: ApiServer) -> None:
    def names(field: str) -> list[str]:
        listed = as_object(server.kubectl("get", "inj", "-n", "show", f"--field-selector={field}", "-o", "json"))
        return [each["metadata"]["name"] for each in listed["items"]]

    apply(server, host_injection())
    try:
        assert names("spec.pod=main-stage-host-a") == ["silence-1-air-1"]
        assert names("spec.pod=main-stage-host-b") == []
        assert "silence-1-air-1" not in names("spec.node=node1")
    finally:
        server.kubectl("delete", "-n", "show", "injection", "silence-1-air-1")


@pytest.mark.apiserver
def test_the_largest_fits_and_is_compared_whole(server: ApiServer) -> None:
    targets = [{"pod": "p" * 253, "uid": f"{number:064}", "address": f"198.18.7.{number}"} for number in range(100)]
    peers = [f"fd00:1:2:3:4:5:{number:x}:8/128" for number in range(1000)]
    ports = [{"port": 1 + number, "protocol": "TCP"} for number in range(64)]
    changes = {"metadata.name": "largest", "spec.targets": targets, "spec.peers": peers, "spec.ports": ports}
    apply(server, injection(changes))
    apply(server, injection({**changes, "spec.lift": True}))
    server.kubectl("delete", "-n", "show", "injection", "largest")
