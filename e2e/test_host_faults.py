"""Faults of the host on the room that is heard: what listeners hear of each, and that it ends by itself."""

from __future__ import annotations

import os
import signal

import pytest

from dev.cluster.errors import CommandError
from showstopper.availability.hosts import STOOD_STILL
from showstopper.cluster.listeners import HOST
from tests.support.operator_process import Operator
from tests.support.pod_state import all_hear
from tests.support.staged_room import (
    HOWEVER_SILENT,
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

pytestmark = [pytest.mark.cluster, pytest.mark.matrix("faults of the host")]

SECONDS = 8
FELT = ({"indicator": "LongestDeadAir", "min": "7s"}, {"indicator": "LongestDeadAir", "max": "13s"})
"""Dead air for as long as the fault, and until the listeners have the host again, who may have to join first."""


def fault(kind: str, duration: str = f"{SECONDS}s") -> Object:
    """A fault of the host, which needs no target: there is one host."""
    return {"name": kind.lower(), "duration": duration, kind: {}}


def host_pod(show: Show) -> Object:
    path = f"/api/v1/namespaces/{show.namespace}/pods"
    pods: list[Object] = show.api.get(path, labelSelector=f"showstopper.dev/role={HOST}")["items"]
    (pod,) = pods
    return pod


HEARD = (
    ("deadAir", "Silent", "voice"),
    ("holdStall", "Hold", "voice"),
    ("garble", "Garbled", "voice"),
    ("hostLeaves", "NoMedia", "leave"),
)


@pytest.mark.parametrize(("kind", "state", "backend"), HEARD, ids=[kind for kind, _, _ in HEARD])
def test_everybody_hears_it_and_then_the_host_again(show: Show, kind: str, state: str, backend: str) -> None:
    name = f"host-{kind.lower()}"
    show.apply(experiment(name, faults=[fault(kind)], recovery="15s", expect=FELT))
    show.at(name, "the fault is proven", proven)
    eventually(f"every resident hears {state}", SECONDS - 2, lambda: all_hear(show, state))
    resource, run = show.verdict(name)
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,), (target,) = run["status"]["faults"], run["status"]["targets"]
    assert (record["kind"], record["backend"]) == (kind, backend)
    assert record["proven"]
    assert record["reverted"]
    assert target["pod"] == host_pod(show)["metadata"]["name"]
    assert target["host"]["milliseconds"] >= 0.8 * SECONDS * 1000
    absences = run["status"].get("host", {}).get("absences", ())
    assert {each["message"] for each in absences} <= {STOOD_STILL}, "the fault is no absence of the host"
    eventually("every resident hears the host", 10, lambda: all_hear(show, "Live"))
    assert not show.api.get(show.path("injections"))["items"]


def test_a_host_that_is_killed_comes_back_without_the_fault(show: Show) -> None:
    """And allows no verdict: what was missed then is the host's absence, and not the fault."""
    show.apply(experiment("host-killed", faults=[fault("deadAir", "10m")], recovery="5s", expect=HOWEVER_SILENT))
    run = show.at("host-killed", "the fault is proven", proven)
    eventually("every resident hears silence", 10, lambda: all_hear(show, "Silent"))
    pod = host_pod(show)["metadata"]["name"]
    os.kill(show.cluster.pod(show.namespace, pod).processes(HOST)[0], signal.SIGKILL)
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    run = show.api.get(path)
    assert run["status"]["verdict"] == "Inconclusive", told(run)
    assert run["status"]["reason"] in {"LeaseLost", "HostLost"}, told(run)
    eventually("every resident hears the host", 30, lambda: all_hear(show, "Live"))
    assert host_pod(show)["metadata"]["name"] == pod, "the pod is the same: its process has known the fault"


@pytest.mark.alone
def test_without_an_operator_the_host_speaks_again_by_itself_and_the_run_says_so(show: Show) -> None:
    show.apply(experiment("host-orphan", faults=[fault("deadAir", "10m")], recovery="5s", expect=HOWEVER_SILENT))
    run = show.at("host-orphan", "the fault is proven", proven)
    eventually("every resident hears silence", 10, lambda: all_hear(show, "Silent"))
    with Operator(show).away():
        eventually("every resident hears the host", 30, lambda: all_hear(show, "Live"))
        (injection,) = show.api.get(show.path("injections"))["items"]
        assert condition(injection, "Stalled")["reason"] == "LeaseLost"
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    run = show.api.get(path)
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "LeaseLost"), told(run)


def test_a_fault_of_the_host_with_a_target_is_refused_at_apply(show: Show) -> None:
    aimed = {**fault("deadAir"), "target": {"component": "relay"}}
    with pytest.raises(CommandError, match="take no target"):
        show.apply(experiment("host-aimed", faults=[aimed], expect=HOWEVER_SILENT))
