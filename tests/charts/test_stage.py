"""The stage's chart: relays, store, keys, and the room that measures them."""

import base64
import json

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from showstopper.api.room import AudioRoom
from showstopper.audio.door.settings import DoorSettings
from showstopper.audio.settings import Identity
from tests.charts.helm import CHARTS, Object, helm, one, pod_specs, render

pytestmark = pytest.mark.charts


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return render("audio-room")


def configuration(objects: list[Object]) -> Object:
    read = yaml.safe_load(one(objects, "ConfigMap", "relay")["data"]["livekit.yaml"])
    assert isinstance(read, dict)
    return read


def test_the_room_is_one_that_the_models_take(objects: list[Object]) -> None:
    room = AudioRoom.parse(one(objects, "AudioRoom", "main-stage"))
    assert room.spec.livekit.url == "ws://relay:7880"
    assert room.spec.livekit.credentials_secret_ref.name == "livekit-keys"
    assert [component.name for component in room.spec.components] == ["relay", "store"]


def test_the_room_finds_the_pods_containers_and_ports_that_the_chart_makes(objects: list[Object]) -> None:
    for component in AudioRoom.parse(one(objects, "AudioRoom", "main-stage")).spec.components:
        template = one(objects, "Deployment", component.name)["spec"]["template"]
        (container,) = template["spec"]["containers"]
        assert component.selector.match_labels.items() <= template["metadata"]["labels"].items()
        assert component.container == container["name"]
        there = {(port["containerPort"], port.get("protocol", "TCP")) for port in container["ports"]}
        assert {(port.port, port.protocol) for port in component.ports} <= there


def test_livekit_listens_where_the_pod_says(objects: list[Object]) -> None:
    written = configuration(objects)
    ports = {each["name"]: each["containerPort"] for each in pod_specs(objects)["relay"]["containers"][0]["ports"]}
    assert ports == {
        "signal": written["port"],
        "rtc-tcp": written["rtc"]["tcp_port"],
        "media": written["rtc"]["udp_port"],
        "metrics": written["prometheus"]["port"],
    }
    assert written["redis"]["address"] == "store:6379"
    assert one(objects, "Service", "store")["spec"]["ports"][0]["port"] == 6379


def test_livekit_asks_no_server_outside(objects: list[Object]) -> None:
    assert configuration(objects)["rtc"]["stun_servers"] == ["127.0.0.1:3478"]
    assert configuration(objects)["rtc"]["use_external_ip"] is False


def test_livekit_gets_its_address_and_its_keys_from_the_pod(objects: list[Object]) -> None:
    (container,) = pod_specs(objects)["relay"]["containers"]
    assert container["command"][0] == "/livekit-server"
    assert container["command"][-2:] == ["--node-ip", "$(POD_IP)"]
    keys = next(each["valueFrom"]["secretKeyRef"] for each in container["env"] if each["name"] == "LIVEKIT_KEYS")
    assert keys == {"name": "livekit-keys", "key": "LIVEKIT_KEYS"}
    assert "keys" not in configuration(objects)


def test_the_stage_has_no_way_to_the_api(objects: list[Object]) -> None:
    for spec in pod_specs(objects).values():
        assert spec["automountServiceAccountToken"] is False
    assert not [each for each in objects if each["kind"] in {"ServiceAccount", "Role", "ClusterRole"}]


def test_relays_have_the_probes_of_livekits_own_chart_if_that_is_wanted(objects: list[Object]) -> None:
    (safe,) = pod_specs(objects)["relay"]["containers"]
    assert "livenessProbe" not in safe
    assert safe["readinessProbe"]["periodSeconds"] == 1
    (upstream,) = pod_specs(render("audio-room", {"relay": {"probes": "Upstream"}}))["relay"]["containers"]
    asks = {"httpGet": {"path": "/", "port": "signal"}}
    assert upstream["livenessProbe"] == upstream["readinessProbe"] == asks


def test_relays_take_as_many_tracks_as_they_are_given_and_any_number_by_default(objects: list[Object]) -> None:
    assert "limit" not in configuration(objects)
    assert configuration(render("audio-room", {"relay": {"maxTracks": 32}}))["limit"] == {"num_tracks": 32}


def test_the_store_keeps_nothing(objects: list[Object]) -> None:
    (container,) = pod_specs(objects)["store"]["containers"]
    assert container["command"][:5] == ["redis-server", "--save", "", "--appendonly", "no"]


def test_a_secret_of_ones_own_is_used_by_all_and_none_is_made() -> None:
    objects = render("audio-room", {"livekit": {"existingSecret": "mine"}})
    assert not [each for each in objects if each["kind"] == "Secret"]
    room = AudioRoom.parse(one(objects, "AudioRoom", "main-stage"))
    assert room.spec.livekit.credentials_secret_ref.name == "mine"
    assert "livekit-keys" not in json.dumps(objects)


def test_the_room_can_be_left_out_or_be_another() -> None:
    assert not [each for each in render("audio-room", {"room": {"enabled": False}}) if each["kind"] == "AudioRoom"]
    assert one(render("audio-room", {"room": {"name": "second"}}), "AudioRoom", "second")


def test_relays_start_anew_when_what_they_read_once_changes() -> None:
    def checksum(apikey: str) -> str:
        relay = one(render("audio-room", {"livekit": {"apiKey": apikey}}), "Deployment", "relay")
        return str(relay["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    assert checksum("stage") == checksum("stage") != checksum("other")


@pytest.fixture(scope="module")
def with_door() -> list[Object]:
    return render("audio-room", {"door": {"enabled": True}})


def door_environment(objects: list[Object]) -> dict[str, str]:
    """What a door's container sees, as the first replica."""
    (container,) = pod_specs(objects)["door"]["containers"]
    seen = {"metadata.name": "door-0", "metadata.uid": "5c0ffee0-3"}
    return {
        each["name"]: each.get("value") or seen.get(each["valueFrom"].get("fieldRef", {}).get("fieldPath"), "secret")
        for each in container["env"]
    }


def test_there_is_no_door_unless_it_is_asked_for(objects: list[Object]) -> None:
    assert "door" not in json.dumps(objects)
    assert "webhook" not in configuration(objects)


def test_listeners_come_in_by_the_door_and_it_takes_faults(with_door: list[Object]) -> None:
    room = AudioRoom.parse(one(with_door, "AudioRoom", "main-stage")).spec
    assert room.door is not None
    component = room.component(room.door.component or "")
    assert component is not None
    template = one(with_door, "StatefulSet", "door")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert component.selector.match_labels.items() <= template["metadata"]["labels"].items()
    assert (component.container, container["command"]) == ("door", ["showstopper", "door"])
    service = one(with_door, "Service", "door")["spec"]
    assert room.door.url == f"http://door:{service['ports'][0]['port']}/token"
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert room.door.counts == f"http://door.there:{service['ports'][0]['port']}/rooms/main-stage"


def test_the_door_s_settings_are_some_that_it_takes(with_door: list[Object]) -> None:
    settings = DoorSettings.read(door_environment(with_door))
    assert settings.identity == Identity("there", "door-0", "5c0ffee0-3")
    assert (settings.rooms, settings.url) == (("main-stage",), "ws://relay:7880")
    assert settings.peers == ("http://door-0.doors:8090", "http://door-1.doors:8090")
    assert (settings.per_second, settings.burst, settings.drain_seconds) == (10, 50, 3)
    grace = pod_specs(with_door)["door"]["terminationGracePeriodSeconds"]
    assert grace > settings.drain_seconds


def test_livekit_tells_every_replica_who_joins(with_door: list[Object]) -> None:
    told = configuration(with_door)["webhook"]
    assert told["api_key"] == "stage"
    peers = DoorSettings.read(door_environment(with_door)).peers
    assert told["urls"] == [f"{peer}/webhooks/livekit" for peer in peers]
    headless = one(with_door, "Service", "doors")["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"] is True, "what is told before a replica is ready counts too"
    assert one(with_door, "StatefulSet", "door")["spec"]["serviceName"] == "doors"


def test_the_door_may_do_what_its_faults_need_and_nothing_else(with_door: list[Object]) -> None:
    rules = one(with_door, "Role", "door")["rules"]
    granted = {(tuple(rule["resources"]), tuple(rule["verbs"])) for rule in rules}
    assert granted == {
        (("injections",), ("get", "list", "watch")),
        (("injections/status",), ("get", "patch")),
        (("leases",), ("get", "list", "watch")),
    }
    (subject,) = one(with_door, "RoleBinding", "door")["subjects"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", "door")
    assert not [each for each in with_door if each["kind"].startswith("ClusterRole")]
    tokens = {name: spec["automountServiceAccountToken"] for name, spec in pod_specs(with_door).items()}
    assert tokens == {"relay": False, "store": False, "door": True}


@pytest.mark.apiserver
def test_the_secret_is_random_and_kept_by_upgrades(server: ApiServer) -> None:
    def upgrade(*options: str) -> dict[str, str]:
        place = ["upgrade", "--install", "keeps", str(CHARTS / "audio-room"), "--namespace=there"]
        done = helm(*place, *options, kubeconfig=server.kubeconfig)
        assert done.returncode == 0, done.stderr
        assert "kubectl label namespace there showstopper.dev/chaos=allowed" in done.stdout
        stored = json.loads(server.kubectl("get", "secret", "livekit-keys", "-n", "there", "-o", "json"))["data"]
        return {key: base64.b64decode(value).decode() for key, value in stored.items()}

    first = upgrade()
    assert first.keys() == {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_KEYS"}
    assert len(first["LIVEKIT_API_SECRET"]) >= 32  # LiveKit refuses shorter ones
    assert first["LIVEKIT_KEYS"] == f"stage: {first['LIVEKIT_API_SECRET']}"
    assert upgrade("--set=relay.replicas=3") == first
    renamed = upgrade("--set=livekit.apiKey=other")
    assert renamed["LIVEKIT_API_SECRET"] == first["LIVEKIT_API_SECRET"]
    assert renamed["LIVEKIT_KEYS"].startswith("other: ")
    assert helm("uninstall", "keeps", "--namespace=there", kubeconfig=server.kubeconfig).returncode == 0
