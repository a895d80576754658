"""A stage with a door: listeners come in through it, meet what it answers, and what it counts is told by all replicas.

In a namespace of its own, for the room of the other tests has no door: turning it on would restart its relays.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from dev import stage
from dev.cluster.api import Cluster
from tests.support.pod_state import hearing, visits
from tests.support.staged_room import (
    HOWEVER_SILENT,
    PASSED,
    SMALL_STAGE,
    Api,
    Object,
    RefusedError,
    Show,
    condition,
    eventually,
    experiment,
    finished,
    proven,
    stands,
    told,
)

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.matrix("the door")]

NAMESPACE = "show-with-a-door"
VALUES = (*SMALL_STAGE, "door.enabled=true", "room.listeners.arrivals.every=1s")
SECONDS = 10
NOT_AVAILABLE = "the door answered HTTP 503: this room is not available"


@pytest.fixture(scope="module")
def staged(running: Cluster) -> Iterator[Cluster]:
    """A stage with a door, whose residents hear the host."""
    stage.install_stage(running, namespace=NAMESPACE, values=VALUES)
    stage.wait_for_room(running, namespace=NAMESPACE)
    yield running
    stage.remove_stage(running, namespace=NAMESPACE)
    running.run_kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def doored(staged: Cluster, connection: Api) -> Iterator[Show]:
    """The room with the door, well at the start of the test."""
    room = Show(staged, connection, NAMESPACE)
    room.wait_until_well()
    yield room
    room.clean()


def closed(duration: str = f"{SECONDS}s", **spec: Any) -> Object:
    """The fault: the door turns people away."""
    return {"name": "closed", "duration": duration, "roomUnavailable": spec}


def doors(show: Show) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in show.pods("door"))


def at_door(show: Show, door: str, path: str) -> Object:
    """What one replica answers."""
    return show.api.get(f"/api/v1/namespaces/{show.namespace}/pods/{door}:8090/proxy{path}")


def heard_by(show: Show, listener: str) -> str | None:
    """What a resident hears. None while its pod does not answer."""
    try:
        return hearing(show).get(listener)
    except RefusedError:
        return None


def newest_got_in(show: Show) -> bool:
    """Whether the last newcomer of each listener pod did."""
    last = {visit["listener"].partition("/")[0]: visit for visit in visits(show)}
    return bool(last) and all(visit["joinedAt"] is not None for visit in last.values())


def test_listeners_come_in_by_the_door_and_all_replicas_tell_the_same_count(doored: Show) -> None:
    first, second = doors(doored)

    def same() -> bool:
        counts = [at_door(doored, door, f"/rooms/{doored.room}")["listeners"] for door in (first, second)]
        return all(counts[0][figure] == counts[1][figure] for figure in ("cumulative", "peak"))

    def both_residents() -> bool:
        try:
            listeners = at_door(doored, first, f"/rooms/{doored.room}")["listeners"]
        except RefusedError:  # 503: nothing has been counted yet
            return False
        return bool(2 <= listeners["now"] <= listeners["peak"] <= listeners["cumulative"])

    eventually("both residents are counted: LiveKit stores their number every five seconds", 30, both_residents)
    eventually("LiveKit has told of newcomers", 30, lambda: at_door(doored, first, "/v1/tallies")["rooms"])
    eventually("both replicas tell the same", 10, same)
    eventually("newcomers get in", 30, lambda: newest_got_in(doored))


def test_newcomers_are_turned_away_and_who_is_in_hears_on(doored: Show) -> None:
    expect = (
        {"indicator": "AudibleRatio", "min": "95%"},
        {"indicator": "JoinSuccess", "min": "1%"},
        {"indicator": "JoinSuccess", "max": "80%"},
    )
    doored.apply(experiment("closed", faults=[closed(wait="500ms")], baseline="8s", recovery="10s", expect=expect))
    resource, run = doored.verdict("closed")
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert (record["kind"], record["backend"], record["targets"]) == ("roomUnavailable", "answers", 2)
    assert record["proven"]
    assert record["reverted"]
    assert sum(target["door"]["answered"] for target in run["status"]["targets"]) >= SECONDS / 3
    refused = [visit for visit in visits(doored) if visit["error"] == NOT_AVAILABLE]
    assert len(refused) >= SECONDS / 3
    assert all(visit["joinedAt"] is None and visit["leftAt"] - visit["calledAt"] >= 0.49 for visit in refused)
    eventually("newcomers get in", 20, lambda: newest_got_in(doored))
    assert not doored.api.get(doored.path("injections"))["items"]


def test_a_wrong_count_is_told_by_how_many_it_is_off_and_is_right_again(doored: Show) -> None:
    skew = {"name": "skew", "duration": f"{SECONDS}s", "countSkew": {"shows": "Multiplied", "factor": 1000}}
    expect = ({"indicator": "AudibleRatio", "min": "95%"}, {"indicator": "CountError", "min": "1000"})
    doored.apply(experiment("skewed", faults=[skew], baseline="8s", recovery="8s", expect=expect))
    _, run = doored.verdict("skewed")
    assert run["status"]["verdict"] == "Passed", told(run)
    (record,) = run["status"]["faults"]
    assert (record["kind"], record["proven"], record["reverted"]) == ("countSkew", True, True)
    before = {each["indicator"]: each for each in run["status"]["windows"][0]["indicators"]}["CountError"]
    assert int(before["value"]) <= 8, "as many as come and go in the seconds that LiveKit's own count is late"
    listeners = at_door(doored, doors(doored)[0], f"/rooms/{doored.room}")["listeners"]
    assert listeners["now"] < 100


def test_a_resident_that_starts_anew_before_a_closed_door_stays_outside_until_it_opens(doored: Show) -> None:
    doored.apply(experiment("outside", faults=[closed("45s")], recovery="5s", expect=HOWEVER_SILENT))
    doored.at("outside", "the door is closed", proven)
    victim = min(hearing(doored))
    doored.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{victim.partition('/')[0]}")
    outside = {"Joining", "Offline"}
    eventually("it is outside", 40, lambda: heard_by(doored, victim) in outside)
    doored.verdict("outside", again=False)
    eventually("it hears the host", 30, lambda: heard_by(doored, victim) == "Live")


def test_a_door_that_is_killed_comes_back_without_the_fault(doored: Show) -> None:
    doored.apply(experiment("killed", faults=[closed("10m")], recovery="5s", expect=HOWEVER_SILENT))
    run = doored.at("killed", "the door is closed", proven)
    for door in doors(doored):
        os.kill(doored.cluster.pod(NAMESPACE, door).processes("door")[0], signal.SIGKILL)
    path = doored.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(doored.api.get(path)))
    run = doored.api.get(path)
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "LeaseLost"), told(run)
    eventually("newcomers get in", 60, lambda: newest_got_in(doored))


def test_a_room_without_a_door_is_told_what_to_write(show: Show) -> None:
    show.apply(experiment("no-door", faults=[closed()], expect=HOWEVER_SILENT))
    eventually(
        "it is refused", 20, lambda: condition(show.experiment("no-door"), "Stalled")["reason"] == "NoStagedDoor"
    )
    assert "door.enabled=true" in condition(show.experiment("no-door"), "Stalled")["message"]
    assert not show.runs("no-door")
