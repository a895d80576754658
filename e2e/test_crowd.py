"""A room with a crowd beside its fleet: both tell the same of a kill. Verdict and record have both, and newcomers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.staged_room import Object, Show, eventually, experiment, told

pytestmark = [pytest.mark.cluster, pytest.mark.alone]

RESIDENTS, CROWD = 6, 200
TOGETHER_MS = 20.0


@pytest.fixture
def crowded(show: Show) -> Iterator[Show]:
    """The room with six residents and two hundred of a crowd, all of whom hear the host, and a newcomer each second."""
    room = show.path("audiorooms", show.room)
    before = show.api.get(room)["spec"]["listeners"]
    crowd = {"count": CROWD, "perPod": CROWD, "arrivals": {"every": "1s", "stay": "8s"}}
    show.api.merge(room, {"spec": {"listeners": {"count": RESIDENTS, "perPod": 3, "crowd": crowd}}})
    try:
        eventually("fleet and crowd hear the host", 120, lambda: _live(show) == RESIDENTS and _crowd(show) >= CROWD)
        yield show
    finally:
        show.api.merge(room, {"spec": {"listeners": {**before, "crowd": None}}})
        eventually("the fleet is as before", 120, lambda: _live(show) == before["count"] and _crowd(show) == 0)


def _live(show: Show) -> int:
    listeners = _listeners(show)
    return int(listeners["live"]) if listeners["live"] == listeners["intended"] else 0


def _crowd(show: Show) -> int:
    return int(_listeners(show).get("crowd", {}).get("live", 0))


def _listeners(show: Show) -> Object:
    listeners: Object = show.api.get(show.path("audiorooms", show.room))["status"]["listeners"]
    return listeners


def test_a_killed_relay_is_told_alike_by_fleet_and_crowd(crowded: Show) -> None:
    expect = [
        {"indicator": "AudibleRatio", "listeners": "All", "min": "30%"},
        {"indicator": "RecoveryTime", "listeners": "Crowd", "max": "25s"},
        {"indicator": "LongestDeadAir", "listeners": "Fleet", "max": "20s"},
        {"indicator": "ArrivalAudible", "listeners": "Crowd", "min": "20%"},
    ]
    crowded.apply(experiment("crowded", serving=True, baseline="10s", recovery="36s", expect=expect))
    _, run = crowded.verdict("crowded")
    assert run["status"]["verdict"] == "Passed", told(run)
    crowd = run["status"]["crowd"]
    assert [(window["name"], window["residents"]) for window in crowd["windows"]] == [
        ("Baseline", CROWD),
        ("Judged", CROWD),
    ]
    assert crowd["starts"], "both saw media stop"
    later = [float(start["fleetLater"].removesuffix("ms")) for start in crowd["starts"]]
    assert all(abs(each) <= TOGETHER_MS for each in later), later
    measured = {each["indicator"]: each["value"] for each in run["status"]["expectations"]}
    assert list(measured) == [
        "AudibleRatio of fleet and crowd",
        "RecoveryTime of the crowd",
        "LongestDeadAir",
        "ArrivalAudible of the crowd",
    ]
    # A pass must not be one of a fault that nobody could hear.
    assert crowd["outages"]
    assert measured["RecoveryTime of the crowd"] != "0s", measured
    before, after = (_figures(window)["ArrivalAudible of the crowd"] for window in crowd["windows"])
    assert before["value"] == "100%", before
    assert before["samples"] >= 3, before
    assert after["samples"] >= 20, after


def _figures(window: Object) -> dict[str, Object]:
    """The figures of a window, by indicator."""
    return {figure["indicator"]: figure for figure in window["indicators"]}
