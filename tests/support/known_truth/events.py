"""What else happens on a night: our own pods die, somebody else kills, the room relapses, people stop the run."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.support.control_loss import agent_killed
from tests.support.known_truth.faults import HEARD, RECOVERY, RELAY, SPARE, TO_LISTENERS, fault
from tests.support.known_truth.moments import active, delete, of_role, recovering, serving
from tests.support.known_truth.scenario import ANY, FAILS, PASSES, Right, Scenario, inconclusive, lenient
from tests.support.operator_process import Operator
from tests.support.staged_room import Object, Show, eventually

LIGHT = {"percent": "2%", **TO_LISTENERS}
TOTAL = {"percent": "100%", **TO_LISTENERS}
RELAPSE = {
    "faults": [fault("packetLoss", TOTAL, duration="3s")],
    "expect": [{"indicator": "RecoveryTime", "max": "25s"}],
    "recovery": RECOVERY,
}
DEAD_PODS = 3
NOTICED_SECONDS = 5.0
"""Within this a room whose relay is gone is no longer Ready."""


def _lossy(random: Random, percent: Object = LIGHT, seconds: int = 8) -> list[Object]:
    return [fault("packetLoss", percent, duration=f"{seconds + random.randint(0, 3)}s")]


def host_killed(random: Random) -> Scenario:
    """A light loss that nobody hears, and the host's pod is deleted in it."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, of_role(show, "host")[0])

    spec = {"faults": _lossy(random), "expect": [{"indicator": "LongestDeadAir", "max": "1s"}], "recovery": "20s"}
    known = "the silence is of our own host"
    return Scenario("host killed", known, inconclusive("HostLost"), spec, meanwhile=meanwhile)


def listener_killed(random: Random) -> Scenario:
    """A light loss that nobody hears, and a listener's pod is deleted in it."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, of_role(show, "listener")[0])

    expect = [{"indicator": "Reconnects", "max": "0"}, {"indicator": "OutageCount", "max": "0"}]
    spec = {"faults": _lossy(random), "expect": expect, "recovery": "10s"}
    right = inconclusive("TooMuchUnknown", "ListenersGone", "NotMeasured")
    return Scenario("listener killed", "half of the ears are our own loss", right, spec, meanwhile=meanwhile)


def dead_pods(_random: Random) -> Scenario:
    """Half of the relays may be hit: of two that run, one, however many corpses lie beside them."""

    def objection(show: Show, run: Object) -> str:
        names = [target["pod"] for target in run["status"]["targets"]]
        return (
            "" if len(names) == 1 and not names[0].startswith("corpse") else f"not one live relay was hit, but {names}"
        )

    half = {"component": "relay", "max": 500, "maxPercent": "50%", "minReady": 1}
    killed = fault("podKill", {"gracePeriod": "0s"}, target=half)
    spec = {"faults": [killed], "expect": lenient(), "recovery": "20s"}
    return Scenario("dead pods", "half of two is one", PASSES, spec, around=_with_corpses, objection=objection)


@contextmanager
def _with_corpses(show: Show) -> Iterator[None]:
    relay = show.pods()[0]
    image = relay["spec"]["containers"][0]["image"]
    for number in range(DEAD_PODS):
        show.api.create(
            f"/api/v1/namespaces/{show.namespace}/pods",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"corpse-{number}", "labels": _labels_of_relays(relay)},
                "spec": {
                    "restartPolicy": "Never",
                    # Of no container that could start: the pod is over before anybody is asked to keep it.
                    "containers": [{"name": "livekit", "image": image, "command": ["/nothing-of-that-name"]}],
                },
            },
        )
    place = f"/api/v1/namespaces/{show.namespace}/pods"
    try:
        eventually("the dead pods are dead", 60, lambda: all(_is_failed(show, n) for n in range(DEAD_PODS)))
        yield
    finally:
        for number in range(DEAD_PODS):
            show.api.delete(f"{place}/corpse-{number}", {"gracePeriodSeconds": 0})


def _labels_of_relays(relay: Object) -> dict[str, str]:
    """Labels that the room's component selects, and no ReplicaSet takes for its own."""
    return {key: value for key, value in relay["metadata"]["labels"].items() if key != "pod-template-hash"}


def _is_failed(show: Show, number: int) -> bool:
    pod = show.api.get(f"/api/v1/namespaces/{show.namespace}/pods/corpse-{number}")
    return bool(pod["status"].get("phase") == "Failed")


def relapse(random: Random) -> Scenario:
    """The room comes back, is heard for longer than ten seconds, and its relays hang for good."""

    def meanwhile(show: Show, name: str) -> None:
        recovering(show, name)
        time.sleep(random.uniform(16, 18))
        for process in _processes_of_relays(show):
            os.kill(process, signal.SIGSTOP)

    known = "a room that relapses has not recovered"
    return Scenario("relapse", known, FAILS, RELAPSE, around=_relays_started_again, meanwhile=meanwhile)


def taken_away(random: Random) -> Scenario:
    """The room comes back, is heard for longer than ten seconds, and somebody else takes its relays away."""

    def meanwhile(show: Show, name: str) -> None:
        recovering(show, name)
        time.sleep(random.uniform(16, 18))
        _scale_relays(show, 0)

    known = "the relapse is not the fault's: its target was deleted by somebody else"
    right = inconclusive("TargetsGone")
    return Scenario("taken away", known, right, RELAPSE, around=_relays_started_again, meanwhile=meanwhile)


@contextmanager
def _relays_started_again(show: Show) -> Iterator[None]:
    try:
        yield
    finally:
        _scale_relays(show, 0)
        _scale_relays(show, 2)


def _scale_relays(show: Show, replicas: int) -> None:
    path = f"/apis/apps/v1/namespaces/{show.namespace}/deployments/relay/scale"
    processes = [] if replicas else _processes_of_relays(show)
    show.api.merge(path, {"spec": {"replicas": replicas}})
    for process in processes:  # LiveKit drains for as long as anybody listens
        with contextlib.suppress(ProcessLookupError):  # and ends at once if nobody does
            os.kill(process, signal.SIGKILL)


def _processes_of_relays(show: Show) -> list[int]:
    pods = [show.cluster.pod(show.namespace, pod["metadata"]["name"]) for pod in show.pods()]
    return [process for pod in pods for process in pod.processes("livekit")]


def killed_before(random: Random) -> Scenario:
    """Somebody else kills the relay that serves in the baseline."""

    def meanwhile(show: Show, name: str) -> None:
        relay = serving(show)
        show.at(name, "its baseline", lambda status: status.get("step") == "Baseline")
        time.sleep(random.uniform(0, 1))
        delete(show, relay)

    spec = {"faults": _lossy(random, seconds=4), "expect": HEARD, "baseline": "8s", "recovery": "5s"}
    right = inconclusive("BaselineBroken", "ReleaseChanged", "ReleaseUnknown")
    return Scenario("killed before", "the room was broken before the fault", right, spec, meanwhile=meanwhile)


def killed_by_others(random: Random) -> Scenario:
    """Somebody else kills the target in the first third of a fault that lasts."""

    def meanwhile(show: Show, name: str) -> None:
        run = active(show, name)
        (target,) = run["status"]["targets"]
        time.sleep(random.uniform(0, 2))
        delete(show, target["pod"])

    expect = [{"indicator": "LongestDeadAir", "max": "1s"}]
    spec = {"faults": [fault("packetLoss", LIGHT, duration="20s")], "expect": expect, "recovery": "15s"}
    known = "the outage is not the fault's, and its target was gone for most of the time"
    return Scenario("killed by others", known, inconclusive(*ANY), spec, meanwhile=meanwhile)


def room_changed(random: Random) -> Scenario:
    """The AudioRoom asks for another number of listeners in mid-run."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        show.api.merge(show.path("audiorooms", show.room), {"spec": {"listeners": {"count": 1}}})

    @contextmanager
    def around(show: Show) -> Iterator[None]:
        count = show.api.get(show.path("audiorooms", show.room))["spec"]["listeners"]["count"]
        try:
            yield
        finally:
            show.api.merge(show.path("audiorooms", show.room), {"spec": {"listeners": {"count": count}}})

    spec = {"faults": _lossy(random, seconds=5), "expect": HEARD}
    known = "the room that was asked about is another one now"
    return Scenario("room changed", known, inconclusive("RoomChanged"), spec, around=around, meanwhile=meanwhile)


def aborted(random: Random) -> Scenario:
    """A person stops it."""

    def meanwhile(show: Show, name: str) -> None:
        run = active(show, name)
        time.sleep(random.uniform(0, 2))
        show.api.merge(show.path("experimentruns", run["metadata"]["name"]), {"spec": {"abort": True}})

    spec = {"faults": [fault("packetLoss", LIGHT, duration="5m")], "expect": HEARD}
    right: Right = {"Aborted": frozenset({"AbortRequested"})}
    return Scenario("aborted", "a person stopped it", right, spec, meanwhile=meanwhile)


def abort_if(random: Random) -> Scenario:
    """The room is dead, and that was the condition."""
    spec: dict[str, Any] = {
        "faults": [fault("packetLoss", TOTAL, duration="60s")],
        "expect": lenient(),
        "abortIf": [{"indicator": "AudibleRatio", "below": "10%", "for": f"{random.randint(2, 4)}s"}],
    }
    right: Right = {"Aborted": frozenset({"AbortIf"})}
    return Scenario("abort if", "nobody hears anything for a minute", right, spec)


def deadline(_random: Random) -> Scenario:
    """The run is not over when its time is."""
    spec: dict[str, Any] = {"faults": [fault("packetLoss", LIGHT, duration="60s")], "expect": HEARD, "deadline": "20s"}
    right: Right = {"Aborted": frozenset({"DeadlineExceeded"})}
    return Scenario("deadline", "a fault of 60 s in 20 s", right, spec)


def operator_killed(random: Random) -> Scenario:
    """At any moment of a run that kills a relay which nobody hears."""
    seconds = random.uniform(0, 16)

    def meanwhile(show: Show, _name: str) -> None:
        operator = Operator(show)
        time.sleep(seconds)
        operator.kill()

    killed = fault("podKill", {"gracePeriod": "0s"}, target={**SPARE, "minReady": 1})
    spec = {"faults": [killed], "expect": HEARD, "recovery": "10s"}
    known = "its rings hold what listeners heard, its record what was done"
    return Scenario("operator killed", known, PASSES, spec, meanwhile=meanwhile, alone=True)


def operator_killed_active(random: Random) -> Scenario:
    """While a fault lasts: it may outlive the Lease or not. If it did, it is a pass."""

    def meanwhile(show: Show, name: str) -> None:
        operator = Operator(show)
        active(show, name)
        time.sleep(random.uniform(0, 2))
        operator.kill()

    spec = {"faults": [fault("packetLoss", LIGHT, duration="10s")], "expect": HEARD}
    right: Right = {**PASSES, **inconclusive("LeaseLost", "LiftedEarly")}
    known = "what the Lease allows, and nobody else"
    return Scenario("operator killed, active", known, right, spec, meanwhile=meanwhile, alone=True)


def agent_lost(random: Random) -> Scenario:
    """The agent is killed, again and again, while its fault lasts."""

    def meanwhile(show: Show, name: str) -> None:
        run = active(show, name)
        (target,) = run["status"]["targets"]
        time.sleep(random.uniform(0, 2))
        with agent_killed(show, target["node"]):
            show.verdict(name, again=False)

    spec = {"faults": [fault("packetLoss", LIGHT, duration="60s")], "expect": HEARD}
    right = inconclusive("LeaseLost", "AgentRestarted", "AgentStopped")
    return Scenario("agent lost", "nobody holds the fault", right, spec, meanwhile=meanwhile, alone=True)


def stopped(random: Random) -> Scenario:
    """Somebody throws the stop switch."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 2))
        result = show.command("stop", "--reason", "the real show")
        assert result.returncode == 0, result.stderr

    @contextmanager
    def around(show: Show) -> Iterator[None]:
        try:
            yield
        finally:
            show.command("resume")

    spec = {"faults": [fault("packetLoss", LIGHT, duration="5m")], "expect": HEARD}
    right: Right = {"Aborted": frozenset({"Stopped"})}
    return Scenario("stopped", "the switch was thrown", right, spec, around=around, meanwhile=meanwhile, alone=True)


def probed(_random: Random) -> Scenario:
    """The kubelet asks the relay whether it lives. A delay must not become a restart that nobody declared."""

    def objection(show: Show, run: Object) -> str:
        if run["status"]["verdict"] != "Passed":
            return ""
        (target,) = run["status"]["targets"]
        pods = [pod for pod in show.pods() if pod["metadata"]["uid"] == target["uid"]]
        restarts = pods[0]["status"]["containerStatuses"][0]["restartCount"] if pods else math.inf
        restarted = restarts > target["restarts"]
        return "the target was restarted meanwhile, and the run passed" if restarted else ""

    late = {"latency": "2s"}
    spec = {"faults": [fault("delay", late, target=RELAY, duration="25s")], "expect": lenient(), "recovery": "15s"}
    right: Right = {**PASSES, **inconclusive(*ANY)}
    known = "a delay alone, or no verdict on it"
    return Scenario("probed", known, right, spec, around=_with_a_probe, objection=objection)


@contextmanager
def _with_a_probe(show: Show) -> Iterator[None]:
    container = show.pods()[0]["spec"]["containers"][0]["name"]
    probe = {"httpGet": {"path": "/", "port": 7880}, "periodSeconds": 5, "timeoutSeconds": 1, "failureThreshold": 3}
    try:
        _roll_out(show, container, probe)
        yield
    finally:
        _roll_out(show, container, None)


def _roll_out(show: Show, container: str, probe: Object | None) -> None:
    """Until the relays of before are gone, and whoever was on them has noticed."""
    deployment = ("--namespace", show.namespace, "deployment/relay")
    show.cluster.run_kubectl("patch", *deployment, "--patch", _patch(container, probe))
    show.cluster.run_kubectl("rollout", "status", *deployment)
    eventually("only new relays are left", 90, lambda: len(show.pods()) == 2)
    time.sleep(NOTICED_SECONDS)
    show.wait_until_well()


def _patch(container: str, probe: Object | None) -> str:
    spec = {"template": {"spec": {"containers": [{"name": container, "livenessProbe": probe}]}}}
    return json.dumps({"spec": spec})


ALL = (
    host_killed,
    listener_killed,
    dead_pods,
    relapse,
    taken_away,
    killed_before,
    killed_by_others,
    room_changed,
    aborted,
    abort_if,
    deadline,
    operator_killed,
    operator_killed_active,
    agent_lost,
    stopped,
    probed,
)
