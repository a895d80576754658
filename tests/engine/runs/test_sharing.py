"""Which runs wait for each other: those of which one hits what the other hits or listens to."""

from typing import Any

import pytest
import yaml

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs import sharing
from tests.support import build
from tests.support.api_server import ROOT

LOSS = {"packetLoss": {"percent": "5%"}, "duration": "5s"}
LOSSY_RELAY = {"name": "loss", "target": {"component": "relay"}, **LOSS}
LOSSY_STORE = {"name": "loss", "target": {"component": "store"}, **LOSS}
LOSSY_HOST = {"name": "loss", "target": {"fleet": "Host"}, **LOSS}
LOSSY_LISTENERS = {"name": "loss", "target": {"fleet": "Listeners", "max": 1}, **LOSS}
SILENCE = {"name": "silence", "deadAir": {}, "duration": "5s"}
CLOSED = {"name": "closed", "roomUnavailable": {}, "duration": "5s"}
KILLED_DOOR = {"name": "kill", "target": {"component": "door"}, "podKill": {}}
DRAIN = {"name": "drain", "target": {"component": "relay"}, "nodeDrain": {}, "duration": "5s"}
SCALE = {"name": "scale", "target": {"component": "relay"}, "scaleDown": {"replicas": 1}, "duration": "5s"}
STOP_RELAY = {"name": "stop", "target": {"component": "relay"}, "containerKill": {}}


def push(config_map: str) -> dict[str, Any]:
    value = {"configMap": config_map, "key": "livekit.yaml", "value": "port: 7880"}
    return {"name": "push", "target": {"component": "relay"}, "configPush": value, "duration": "3m"}


def components(**apps: str) -> list[dict[str, Any]]:
    """Components by name, each with the label of its pods."""
    return [{"name": name, "selector": {"matchLabels": {"app": app}}} for name, app in apps.items()]


def run(room: str, fault: dict[str, Any] = LOSSY_RELAY, *, namespace: str = "show", **spec: Any) -> ExperimentRun:
    """A run in a room, with relays of its own unless it says otherwise."""
    spec = {**build.ROOM_SPEC, "components": components(relay=f"{room}-relay"), **spec}
    made = build.run(room, room={"name": room, "uid": room, "spec": spec}, faults=[fault])
    made.metadata.namespace = namespace
    return made


def shares(first: ExperimentRun, second: ExperimentRun) -> bool:
    """Whoever is asked, the answer is the same."""
    assert sharing.share(first, second) is sharing.share(second, first)
    return sharing.share(first, second)


def door(url: str = "http://door:8090/token", component: str | None = "door") -> dict[str, Any]:
    return {"door": {"url": url, "component": component}}


@pytest.mark.parametrize("fault", [LOSSY_RELAY, SILENCE, LOSSY_LISTENERS], ids=lambda fault: fault["name"])
def test_a_room_is_one_run_s_at_a_time(fault: dict[str, Any]) -> None:
    assert shares(run("main", fault), run("main", SILENCE))


@pytest.mark.parametrize("fault", [LOSSY_RELAY, SILENCE, SCALE], ids=lambda fault: fault["name"])
def test_rooms_with_nothing_in_common_do_not_wait(fault: dict[str, Any]) -> None:
    assert not shares(run("main", fault), run("side", fault))
    assert not shares(run("main", fault), run("main", fault, namespace="elsewhere"))


def test_whoever_listens_to_the_pods_that_are_hit_waits() -> None:
    """The second room of the night of 2023 is on the relays of the first, and hits nothing of them itself."""
    same: dict[str, Any] = {"components": components(relay="relay")}
    assert shares(run("main", LOSSY_RELAY, **same), run("side", SILENCE, **same))
    assert shares(run("main", LOSSY_RELAY, **same), run("side", LOSSY_HOST, **same))


def test_hosts_and_listeners_are_nobody_else_s() -> None:
    same: dict[str, Any] = {"components": components(relay="relay")}
    assert not shares(run("main", SILENCE, **same), run("side", LOSSY_HOST, **same))
    assert not shares(run("main", LOSSY_LISTENERS, **same), run("side", SILENCE, **same))


def test_relays_without_their_store_are_heard_by_all_rooms_on_them() -> None:
    whole: dict[str, Any] = {"components": components(relay="relay", store="store")}
    assert shares(run("main", LOSSY_STORE, **whole), run("side", SILENCE, components=components(relay="relay")))


def test_a_door_turns_away_the_people_of_every_room_that_asks_it() -> None:
    first: dict[str, Any] = {"components": components(relay="a", door="door"), **door()}
    second: dict[str, Any] = {"components": components(relay="b", door="door"), **door()}
    assert shares(run("main", CLOSED, **first), run("side", SILENCE, **second))
    assert shares(run("main", KILLED_DOOR, **first), run("side", SILENCE, **second))
    assert not shares(run("main", LOSSY_RELAY, **first), run("side", SILENCE, **second)), "relays play on without it"


@pytest.mark.parametrize(
    ("url", "namespace", "same"),
    [
        ("http://door:8090/token", "show", True),
        ("http://door.show.svc.cluster.local:8090/token", "elsewhere", True),
        ("http://door:8090/token", "elsewhere", False),
        ("https://tokens.example.com/api/token", "show", False),
        ("http://[::1]:x/token", "show", False),
    ],
)
def test_a_door_is_known_by_its_address_where_it_is_no_component(url: str, namespace: str, same: bool) -> None:
    closed = run("main", CLOSED, components=components(relay="a", door="door"), **door())
    asking = run("side", SILENCE, namespace=namespace, **door(url, None))
    assert shares(closed, asking) is same


def test_two_pushes_into_one_config_map_wait() -> None:
    """The second would take the value of the first for what was there, and put that back."""
    assert shares(run("main", push("livekit")), run("side", push("livekit")))
    assert not shares(run("main", push("livekit")), run("side", push("other")))
    assert not shares(run("main", push("livekit")), run("side", push("livekit"), namespace="elsewhere"))


def test_a_drain_hits_the_pods_of_all_components_of_its_room() -> None:
    first: dict[str, Any] = {"components": components(relay="a", store="store", door="door"), **door()}
    assert shares(run("main", DRAIN, **first), run("side", SILENCE, components=components(store="store")))
    assert shares(run("main", DRAIN, **first), run("side", SILENCE, components=components(door="door")))


def test_nodes_are_shared_by_all_namespaces() -> None:
    """Two drains of one node would each take the cordon for their own. Pods that end may find no node to come to."""
    drain = run("main", DRAIN)
    assert shares(drain, run("main", DRAIN, namespace="elsewhere"))
    assert shares(drain, run("main", SCALE, namespace="elsewhere"))
    assert not shares(drain, run("main", STOP_RELAY, namespace="elsewhere")), "its container starts where it was"
    assert not shares(drain, run("main", LOSSY_RELAY, namespace="elsewhere"))


def test_the_rooms_of_the_shipped_night_wait_for_each_other() -> None:
    night = yaml.safe_load_all((ROOT / "examples/game-days/2023-campaign-launch.yaml").read_text())
    second = next(each for each in night if each["kind"] == "AudioRoom")["spec"]
    stage = {"app.kubernetes.io/instance": "stage", "app.kubernetes.io/component": "relay"}
    main: dict[str, Any] = {"components": [{"name": "relay", "selector": {"matchLabels": stage}}]}
    assert shares(run("main-stage", LOSSY_RELAY, **main), run("second-stage", SILENCE, **second))
