"""Faults of the room's own fleet, its speaker's uplink and its listeners' last mile, by what listeners hear of them."""

from __future__ import annotations

import pytest

from dev.cluster.errors import CommandError
from showstopper.availability.hosts import STOOD_STILL
from showstopper.cluster.listeners import HOST, LISTENER
from tests.support.pod_state import all_hear, hearing, setup
from tests.support.staged_room import HOWEVER_SILENT, PASSED, Object, Show, eventually, experiment, proven, stands, told

pytestmark = [pytest.mark.cluster, pytest.mark.matrix("faults of the fleet")]

SECONDS = 8
SILENCED = ({"indicator": "LongestDeadAir", "min": "6s"}, {"indicator": "LongestDeadAir", "max": "25s"})
"""Dead air for as long as the fault, less the sound that players still had, and until there is media again: whose
connection has ended meanwhile joins afresh."""
BACK_BY_TCP = ({"indicator": "LongestDeadAir", "min": "1500ms"}, {"indicator": "LongestDeadAir", "max": "25s"})
"""A host that has lost its UDP joins afresh, and may find its way by TCP before the fault is over."""


def fault(target: Object, kind: str, spec: Object) -> Object:
    return {"name": "network", "target": target, "duration": f"{SECONDS}s", kind: spec}


def pods(show: Show, role: str) -> dict[str, str]:
    """UIDs of the fleet's pods of that role, by name."""
    path = f"/api/v1/namespaces/{show.namespace}/pods"
    items = show.api.get(path, labelSelector=f"showstopper.dev/role={role}")["items"]
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in items}


def rules(show: Show, role: str) -> dict[str, str]:
    return {name: setup(uid)["rules"] for name, uid in pods(show, role).items()}


def hit(run: Object) -> set[str]:
    return {target["pod"] for target in run["status"]["targets"]}


def test_without_the_speakers_uplink_nobody_hears_anything_and_the_host_is_no_excuse(show: Show) -> None:
    before = rules(show, HOST)
    cut = fault({"fleet": "Host"}, "packetLoss", {"percent": "100%"})
    show.apply(experiment("uplink", faults=[cut], recovery="30s", expect=BACK_BY_TCP))
    show.at("uplink", "the fault is proven", proven)
    eventually("every resident is without media", SECONDS, lambda: all_hear(show, "NoMedia"))
    resource, run = show.verdict("uplink")
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert record["reverted"]
    assert record["affected"] == record["matched"] > 0
    assert hit(run) == set(pods(show, HOST))
    absences = run["status"].get("host", {}).get("absences", ())
    assert {each["message"] for each in absences} <= {STOOD_STILL}, "its feed goes on: only its media is hit"
    assert len({outage["listener"] for outage in run["status"]["outages"]}) >= len(hearing(show)), "everybody is deaf"
    eventually("every resident hears the host", 20, lambda: all_hear(show, "Live"))
    assert rules(show, HOST) == before
    assert not show.api.get(show.path("injections"))["items"]


def test_half_of_the_listeners_cut_off_from_the_relays_are_deaf_and_the_others_notice_nothing(show: Show) -> None:
    before = rules(show, LISTENER)
    apart = fault(
        {"fleet": "Listeners", "percent": "50%"},
        "partition",
        {"peers": [{"component": "relay"}]},
    )
    show.apply(experiment("last-mile", faults=[apart], recovery="30s", expect=SILENCED))
    run = show.at("last-mile", "the fault is proven", proven)
    deaf, everybody = hit(run), set(pods(show, LISTENER))
    assert len(deaf) == len(everybody) // 2

    def split() -> bool:
        live = {listener.partition("/")[0] for listener, state in hearing(show).items() if state == "Live"}
        return live == everybody - deaf

    eventually("those who are cut off hear nothing, and the others the host", SECONDS, split)
    _, run = show.verdict("last-mile")
    assert run["status"]["verdict"] == "Passed", told(run)
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert record["reverted"]
    long = {each["listener"].partition("/")[0] for each in run["status"]["outages"] if _seconds(each["deadAir"]) > 2}
    assert long == hit(run), run["status"]["outages"]
    assert rules(show, LISTENER) == before


def test_a_slow_network_of_all_listeners_is_heard_later_and_goes_as_it_came(show: Show) -> None:
    before = rules(show, LISTENER)
    slow = fault({"fleet": "Listeners", "percent": "100%"}, "networkProfile", {"name": "Mobile3G"})
    expect = ({"indicator": "AudibleRatio", "min": "60%"}, {"indicator": "MouthToEar", "max": "5s"})
    show.apply(experiment("slow", faults=[slow], recovery="5s", expect=expect))
    _, run = show.verdict("slow")
    assert run["status"]["verdict"] == "Passed", told(run)
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert record["reverted"]
    assert hit(run) == set(pods(show, LISTENER))
    baseline, during = (_mouth_to_ear(window) for window in run["status"]["windows"])
    assert during > baseline + 0.1, "250 ms on the way down, of which a player's buffer may take some"
    assert rules(show, LISTENER) == before


@pytest.mark.parametrize(
    ("target", "kind", "spec", "says"),
    [
        ({"fleet": "Listeners"}, "networkProfile", {"name": "Lossy5G"}, "Unsupported value"),
        ({"fleet": "Listeners"}, "freeze", {}, "only the network of the fleet is hit"),
        ({"fleet": "Host", "max": 2}, "packetLoss", {"percent": "5%"}, "a room has one host"),
        ({"fleet": "Listeners"}, "portBlock", {"protocols": ["TCP"]}, "of the fleet only media is hit"),
    ],
)
def test_what_cannot_be_hit_of_the_fleet_is_refused_at_apply(
    show: Show, target: Object, kind: str, spec: Object, says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        show.apply(experiment("refused", faults=[fault(target, kind, spec)], expect=HOWEVER_SILENT))


def _mouth_to_ear(window: Object) -> float:
    (value,) = (each["value"] for each in window["indicators"] if each["indicator"] == "MouthToEar")
    return _seconds(value)


def _seconds(text: str) -> float:
    """A figure of a record: "9.48s" or "123ms"."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))
