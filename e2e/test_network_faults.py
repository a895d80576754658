"""Network faults on the room that is heard: proven at the relay, noticed by listeners, and gone when they are over."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.operator_process import Operator
from tests.support.pod_state import lost_and_received
from tests.support.staged_room import (
    HEARD_AT_ALL,
    PASSED,
    Object,
    Show,
    condition,
    eventually,
    experiment,
    finished,
    proven,
    stands,
    told,
)

pytestmark = pytest.mark.cluster

LOSSY = (
    {"indicator": "PacketLoss", "min": "0.5%"},
    {"indicator": "ConcealedRatio", "min": "0.1%"},
    {"indicator": "Jitter", "max": "500ms"},
    {"indicator": "MouthToEar", "max": "2s"},
)


def fault(kind: str, spec: Object, *, duration: str = "6s", **target: Any) -> Object:
    """A fault of the relay that serves."""
    aim = {"component": "relay", "serving": True, "max": 1, **target}
    return {"name": kind.lower(), "target": aim, "duration": duration, kind: spec}


def test_lost_packets_are_lost_at_the_listeners_and_the_run_passes(show: Show) -> None:
    before = lost_and_received(show)
    loss = fault("packetLoss", {"percent": "40%", "direction": "Egress", "ports": ["media"]})
    show.apply(experiment("loss", faults=[loss], expect=(*HEARD_AT_ALL, *LOSSY)))
    resource, run = show.verdict("loss")
    after = lost_and_received(show)
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert record["reverted"]
    assert 0.3 < record["affected"] / record["matched"] < 0.5, record
    lost, received = (now - then for now, then in zip(after, before, strict=True))
    # 50 packets a second to each of two residents for six seconds: 240 are lost. The relay sends them once more, and
    # loses 40 % again: of a loss of 20 % two such rounds leave less than LOSSY asks for.
    assert 20 <= lost <= 480, (lost, received)
    assert not show.api.get(show.path("injections"))["items"]
    shares = [_share(window, "PacketLoss") for window in run["status"]["windows"]]
    assert shares[0] < shares[1], "more was lost than before the fault"


def _share(window: Object, indicator: str) -> float:
    """What was measured of an indicator, in percent."""
    (value,) = (each["value"] for each in window["indicators"] if each["indicator"] == indicator)
    return float(value.removesuffix("%"))


def test_a_partition_of_relay_and_listeners_is_dead_air(show: Show) -> None:
    """All UDP of the serving relay: the sound stops in silence, nobody gets an error, and it comes back."""
    blocked = fault("portBlock", {"protocols": ["UDP"], "ports": ["media"]}, duration="4s")
    show.apply(experiment("blocked", faults=[blocked], recovery="20s", expect=HEARD_AT_ALL))
    _, run = show.verdict("blocked")
    assert run["status"]["verdict"] == "Passed", told(run)
    assert run["status"]["faults"][0]["proven"]
    longest = max(float(each["deadAir"].removesuffix("s")) for each in run["status"]["outages"])
    assert longest > 2.5, run["status"]["outages"]


def test_large_packets_that_vanish_take_the_sound_and_leave_the_connection(show: Show) -> None:
    """As behind a broken tunnel: what listeners miss is media. Small packets of the session pass, and nobody joins."""
    tunnel = fault("mtu", {"size": 100, "direction": "Egress", "ports": ["media"]}, duration="4s")
    show.apply(experiment("mtu", faults=[tunnel], recovery="20s", expect=HEARD_AT_ALL))
    _, run = show.verdict("mtu")
    assert run["status"]["verdict"] == "Passed", told(run)
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert 0 < record["affected"] < record["matched"], record
    longest = max(float(each["deadAir"].removesuffix("s")) for each in run["status"]["outages"])
    assert longest > 2.5, run["status"]["outages"]


def test_a_fault_without_traffic_has_no_effect(show: Show) -> None:
    """The store asks no name server, so nothing was tested."""
    idle = {"name": "idle", "target": {"component": "store"}, "duration": "2s", "dnsFailure": {}}
    show.apply(experiment("idle", faults=[idle], expect=HEARD_AT_ALL))
    _, run = show.verdict("idle")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "NoEffect"), told(run)


def test_an_abort_lifts_a_fault_at_once(show: Show) -> None:
    slow = fault("delay", {"latency": "200ms", "direction": "Egress", "ports": ["media"]}, duration="10m")
    show.apply(experiment("slow", faults=[slow], expect=HEARD_AT_ALL))
    run = show.at("slow", "the fault is proven", proven)
    show.api.merge(show.path("experimentruns", run["metadata"]["name"]), {"spec": {"abort": True}})
    _, run = show.verdict("slow")
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Aborted", "AbortRequested"), told(run)
    assert run["status"]["faults"][0]["reverted"]


@pytest.mark.alone
@pytest.mark.matrix("control lost")
def test_without_an_operator_the_fault_lifts_itself_and_the_run_says_so(show: Show) -> None:
    loss = fault("packetLoss", {"percent": "50%", "direction": "Egress", "ports": ["media"]}, duration="10m")
    show.apply(experiment("orphan", faults=[loss], recovery="5s", expect=HEARD_AT_ALL))
    run = show.at("orphan", "the fault is active", lambda status: status.get("step") == "Active")
    with Operator(show).away():
        gone = time.monotonic()
        injections = show.path("injections")

        def lifted() -> bool:
            (injection,) = show.api.get(injections)["items"]
            return bool(condition(injection, "Stalled")["reason"] == "LeaseLost")

        eventually("the agent says that the lease is lost", 30, lifted)
        assert time.monotonic() - gone > 3  # it was alive until then, not broken before
        time.sleep(1)
        lost, received = lost_and_received(show)
        time.sleep(3)
        later = lost_and_received(show)
        assert later[1] > received
        assert later[0] - lost <= 0.02 * (later[1] - received), "packets are still lost"
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    run = show.api.get(path)
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "LeaseLost"), told(run)
