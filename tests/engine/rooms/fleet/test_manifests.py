"""Fleet: what is made for a room, whole and in detail."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.room import AudioRoom
from showstopper.audio.settings import CrowdSettings, HostSettings, Identity, ListenerSettings
from showstopper.cluster.listeners import HOST, ROLE_LABEL
from showstopper.engine.rooms.fleet import manifests, names
from tests.engine.rooms.build import IMAGES, room

GOLDEN = Path(__file__).parent / "golden"


def environment(manifest: dict[str, Any], pod: str = "") -> dict[str, str]:
    """What a container of the manifest sees, with the Secret's values and the pod's name filled in."""
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    values = {}
    for variable in container["env"]:
        source = variable.get("valueFrom", {})
        values[variable["name"]] = variable.get("value", pod if "fieldRef" in source else "secret")
    return values


def listener_settings(here: AudioRoom) -> list[ListenerSettings]:
    """The settings of all listener pods, read as the pods read them."""
    manifest = manifests.manifests(here, IMAGES)[0]
    return [ListenerSettings.read(environment(manifest, name)) for name in sorted(names.pods(here), key=ordinal)]


def ordinal(pod: str) -> int:
    return int(pod.rpartition("-")[2])


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_the_fleet_of_the_designs_room_is_the_golden_one(kind: str) -> None:
    by_kind = {manifest["kind"]: manifest for manifest in manifests.manifests(room(), IMAGES)}
    golden = GOLDEN / f"{kind.lower()}.yaml"
    assert by_kind[kind] == yaml.safe_load(golden.read_text())


def test_the_host_has_an_account_of_its_own_that_may_do_what_a_host_may() -> None:
    assert manifests.account(room()) == yaml.safe_load((GOLDEN / "account.yaml").read_text())


def test_the_host_knows_the_pod_that_it_is_in() -> None:
    seen = environment(manifests.manifests(room(), IMAGES)[1], "main-stage-host-a")
    identity = HostSettings.read(seen | {"SHOWSTOPPER_POD_UID": "5c0ffee0-2"}).identity
    assert identity == Identity("show", "main-stage-host-a", "5c0ffee0-2")


def test_a_room_with_a_speaker_of_its_own_gets_no_host() -> None:
    fleet = manifests.manifests(room(program={"host": "External"}), IMAGES)
    assert [manifest["kind"] for manifest in fleet] == ["StatefulSet"]
    assert not manifests.account(room(program={"host": "External"}))
    assert environment(fleet[0])["SHOWSTOPPER_PROGRAM"] == "External"


def test_listeners_come_in_by_the_rooms_door_and_nobody_else_does() -> None:
    door = {"url": "https://elsewhere/api/token"}
    listeners, host = manifests.manifests(room(door=door), IMAGES)
    assert ListenerSettings.read(environment(listeners, "p-0")).room.door == "https://elsewhere/api/token"
    assert not HostSettings.read(environment(host)).room.door
    assert not ListenerSettings.read(environment(manifests.manifests(room(), IMAGES)[0], "p-0")).room.door


CROWD = {"count": 2500, "perPod": 1000, "hidden": False}


def with_crowd(**crowd: Any) -> AudioRoom:
    return room(listeners={"count": 6, "perPod": 3, "crowd": CROWD | crowd})


def test_the_crowd_of_a_room_is_the_golden_one() -> None:
    *fleet, crowd = manifests.manifests(with_crowd(), IMAGES)
    assert crowd == yaml.safe_load((GOLDEN / "crowd.yaml").read_text())
    assert fleet == manifests.manifests(room(listeners={"count": 6, "perPod": 3}), IMAGES)


@given(st.integers(1, 6000), st.integers(60, 3000), st.booleans())
def test_the_crowd_s_pods_take_their_settings_and_hold_all_of_it(count: int, per_pod: int, hidden: bool) -> None:
    here = with_crowd(count=count, perPod=per_pod, hidden=hidden)
    crowd = manifests.manifests(here, IMAGES)[-1]
    pods = [CrowdSettings.read(environment(crowd, name)) for name in names.crowd_pods(here)]
    assert len(pods) == crowd["spec"]["replicas"]
    assert sum(pod.size for pod in pods) == count
    assert {pod.hidden for pod in pods} == {hidden}


CALLS = {"every": "500ms", "stay": "8s"}


@given(st.integers(1, 6000), st.integers(60, 2000), st.integers(2, 200), st.integers(1, 40))
def test_newcomers_of_a_crowd_are_shared_out_and_its_pods_have_room_for_them(
    count: int, per_pod: int, tenths: int, stay: int
) -> None:
    here = with_crowd(count=count, perPod=per_pod, arrivals={"every": f"{100 * tenths}ms", "stay": f"{stay}s"})
    crowd = here.spec.listeners.crowd
    assert crowd is not None
    manifest = manifests.manifests(here, IMAGES)[-1]
    coming = [CrowdSettings.read(environment(manifest, name)).arrivals for name in names.crowd_pods(here)]
    turns = [each for each in coming if each is not None]
    assert len(turns) == crowd.pods
    assert sum(1 / each.every for each in turns) == pytest.approx(10 / tenths)
    assert sorted(each.phase for each in turns) == pytest.approx([tenths / 10 * pod for pod in range(crowd.pods)])
    assert {each.stay for each in turns} == {stay}
    assert all(abs(each.places - crowd.newcomers) <= 1 for each in turns), "a tenth may be a little more than a tenth"


def test_a_crowd_without_newcomers_is_as_it_was_and_one_with_them_has_more_room() -> None:
    without, with_them = (
        manifests.manifests(with_crowd(**more), IMAGES)[-1] for more in ({"arrivals": None}, {"arrivals": CALLS})
    )
    assert without == manifests.manifests(with_crowd(), IMAGES)[-1]
    assert manifests.version(without) != manifests.version(with_them)
    cpu, more = (
        each["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
        for each in (without, with_them)
    )
    assert (cpu, more) == ("450m", "455m")


def test_a_room_that_is_left_is_left_by_its_crowd() -> None:
    assert [manifest["spec"]["replicas"] for manifest in manifests.manifests(with_crowd(), IMAGES, away=True)] == [
        0,
        0,
        0,
    ]


@given(st.integers(1, 60), st.integers(1, 20))
def test_the_pods_take_their_settings_and_hold_all_residents(count: int, per_pod: int) -> None:
    here = room(listeners={"count": count, "perPod": per_pod})
    pods = listener_settings(here)
    residents = [f"{pod.pod}/{index}" for pod in pods for index in range(pod.first, pod.first + pod.residents)]
    assert tuple(residents) == names.residents(here)


@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 60))
def test_newcomers_of_all_pods_together_come_as_often_as_asked(count: int, per_pod: int, every: int) -> None:
    here = room(listeners={"count": count, "perPod": per_pod, "arrivals": {"every": f"{every}s", "stay": "5s"}})
    pods = listener_settings(here)
    assert sum(1 / pod.arrival_every for pod in pods) == pytest.approx(1 / every)


@given(st.integers(1, 40), st.integers(1, 60))
def test_newcomers_of_the_pods_come_one_after_the_other(count: int, every: int) -> None:
    here = room(listeners={"count": count, "perPod": 1, "arrivals": {"every": f"{every}s", "stay": "5s"}})
    manifest = manifests.manifests(here, IMAGES)[0]
    phases = []
    for pod in sorted(names.pods(here), key=ordinal):
        seen = environment(manifest, pod)
        phases.append(ordinal(pod) * float(seen["SHOWSTOPPER_ARRIVAL_STEP"]) % float(seen["SHOWSTOPPER_ARRIVAL_EVERY"]))
    assert phases == pytest.approx([every * index for index in range(count)])


def test_without_arrivals_nobody_comes() -> None:
    here = room(listeners={"count": 6, "perPod": 3, "arrivals": None})
    assert {pod.arrival_every for pod in listener_settings(here)} == {0.0}


def test_rare_newcomers_over_many_pods_still_make_settings_that_the_pods_take() -> None:
    here = room(listeners={"count": 60, "perPod": 1, "arrivals": {"every": "1h", "stay": "1s"}})
    assert listener_settings(here)[0].arrival_every == 86_400
    assert listener_settings(here)[0].arrival_stay == 1


def test_the_host_is_told_how_long_to_hold() -> None:
    here = room(program={"hold": "1500ms"})
    assert HostSettings.read(environment(manifests.manifests(here, IMAGES)[1])).hold_seconds == 1.5


@pytest.mark.parametrize(
    "change",
    [
        {"listeners": {"count": 5, "perPod": 3}},
        {"program": {"host": "External"}},
        {"listeners": {"count": 6, "perPod": 3, "arrivals": {"every": "4s"}}},
    ],
)
def test_what_changes_a_listener_changes_the_fleets_version(change: dict[str, Any]) -> None:
    before, after = (manifests.manifests(here, IMAGES)[0] for here in (room(), room(**change)))
    assert manifests.version(before) != manifests.version(after)


def test_what_does_not_change_a_listener_keeps_the_fleets_version() -> None:
    before, after = (manifests.manifests(here, IMAGES)[0] for here in (room(), room(program={"hold": "9s"})))
    assert manifests.version(before) == manifests.version(after)


def test_pods_obey_the_restricted_pod_security_standard_and_only_the_host_holds_a_token() -> None:
    for manifest in manifests.manifests(with_crowd(), IMAGES):
        spec = manifest["spec"]["template"]["spec"]
        is_host = manifest["metadata"]["labels"][ROLE_LABEL] == HOST
        assert spec["automountServiceAccountToken"] is is_host
        assert spec.get("serviceAccountName") == ("main-stage-host" if is_host else None)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
