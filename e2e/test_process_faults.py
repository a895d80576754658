"""Process faults on the room that is heard: a relay that stands still, starves or is killed, and an agent that dies."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from dev import stage
from dev.cluster import inside
from tests.support.pod_state import hearing
from tests.support.staged_room import (
    HOWEVER_SILENT,
    Object,
    Show,
    eventually,
    experiment,
    finished,
    passed,
    proven,
    told,
)

pytestmark = [pytest.mark.cluster, pytest.mark.matrix("faults of processes")]


RELAY = "livekit"


def fault(kind: str, spec: Object, **more: Any) -> Object:
    """A fault of the relay that serves."""
    return {"name": kind.lower(), "target": {"component": "relay", "serving": True, "max": 1}, kind: spec, **more}


def dead_air(run: Object) -> float:
    """The longest, in seconds."""
    return max((float(each["deadAir"].removesuffix("s")) for each in run["status"].get("outages", ())), default=0.0)


def all_interrupted(show: Show, run: Object) -> bool:
    """Whether every resident had an outage. How long is up to clients: who finds another relay at once misses 0.4 s."""
    residents = hearing(show).keys()
    return bool(residents) and residents <= {each["listener"] for each in run["status"].get("outages", ())}


def process(show: Show, namespace: str, pod: str, container: str) -> int:
    """The first process of a container, as this machine numbers it."""
    return show.cluster.pod(namespace, pod).processes(container)[0]


def restarts(show: Show) -> dict[str, int]:
    """Of each relay pod's container, by the pod's UID."""
    return {pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in show.pods()}


def killed_once_a_run(show: Show, name: str, target: Object, before: dict[str, int]) -> None:
    """The target's container started again, and no other did, in the run or in one before it that was no use."""
    after = restarts(show)
    assert after[target["uid"]] > before[target["uid"]]
    assert 1 <= sum(after.values()) - sum(before.values()) <= 1 + show.was_asked_again(name), (before, after)


def cpu_time(pid: int) -> int:
    """Of a process, in clock ticks: fields 14 and 15 of proc(5)'s stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def goes_on(pid: int, seconds: float) -> None:
    before = cpu_time(pid)
    eventually(f"CPU time passes for process {pid}", seconds, lambda: cpu_time(pid) > before)


def agent_of(show: Show, run: Object) -> int:
    """The process of the agent on the node of the run's target."""
    (target,) = run["status"]["targets"]
    pods = show.api.get(f"/api/v1/namespaces/{stage.AGENTS}/pods", labelSelector="app.kubernetes.io/component=agent")[
        "items"
    ]
    (name,) = (pod["metadata"]["name"] for pod in pods if pod["spec"]["nodeName"] == target["node"])
    return process(show, stage.AGENTS, name, "agent")


def over(show: Show, run: Object) -> Object:
    """The run with its verdict."""
    path = show.path("experimentruns", run["metadata"]["name"])
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    return show.api.get(path)


def test_a_relay_that_stands_still_is_dead_air_and_goes_on(show: Show) -> None:
    """Now and then LiveKit splits the room then, and those who were in hear nothing any more: that is dead air, too."""
    outage = ({"indicator": "LongestDeadAir", "min": "2s"},)
    show.apply(experiment("still", faults=[fault("freeze", {}, duration="3s")], expect=outage))
    run = passed(show, "still")
    (record,), (target,) = run["status"]["faults"], run["status"]["targets"]
    assert record["backend"] in {"freezer v1", "cgroup.freeze"}
    figures = target["processes"]
    assert figures["processes"] >= 1
    assert figures["frozenMilliseconds"] >= 2000, figures
    assert figures["cpuMicroseconds"] <= 10 * figures["frozenMilliseconds"], figures
    assert dead_air(run) > 2, run["status"]["outages"]
    assert show.relays()[target["uid"]] == target["pod"], "the pod is the same"
    goes_on(process(show, show.namespace, target["pod"], RELAY), 30)
    assert not show.api.get(show.path("injections"))["items"]


def test_a_relay_that_gets_too_little_cpu_is_throttled_and_gets_it_back(show: Show) -> None:
    """LiveKit with listeners needs more than a twentieth of a core."""
    show.apply(
        experiment("starved", faults=[fault("cpuThrottle", {"limit": "50m"}, duration="10s")], expect=HOWEVER_SILENT)
    )
    run = passed(show, "starved")
    (record,), (target,) = run["status"]["faults"], run["status"]["targets"]
    assert record["backend"] in {"cpu.max", "cpu.cfs_quota_us"}
    figures = target["processes"]
    assert 0 < figures["throttledPeriods"] <= figures["periods"], figures
    assert figures["throttledMilliseconds"] > 0, figures
    assert show.relays()[target["uid"]] == target["pod"], "the pod is the same"
    assert not show.api.get(show.path("injections"))["items"]


def stress_left(target: Object) -> list[Path]:
    """What is left below the cgroups of a target's containers."""
    return inside.container_cgroups(target["uid"], f"*/{inside.STRESS}*")


@pytest.mark.alone
def test_busy_workers_beside_a_relay_get_their_share_and_leave_nothing(show: Show) -> None:
    """Two workers that are busy half of the time: a relay's share, and that of its listeners, is left of two cores."""
    heard = ({"indicator": "AudibleRatio", "min": "50%"}, {"indicator": "RecoveryTime", "max": "4s"})
    busy = fault("cpuStress", {"workers": 2, "load": "50%"}, duration="8s")
    show.apply(experiment("busy", faults=[busy], recovery="15s", expect=heard))
    run = passed(show, "busy")
    (target,) = run["status"]["targets"]
    figures = target["processes"]
    assert figures["stressWorkers"] == 2
    assert figures["processes"] == len(show.cluster.pod(show.namespace, target["pod"]).processes(RELAY)), "none of ours"
    assert figures["stressCpuMicroseconds"] > 1_000_000, figures
    assert figures["cpuMicroseconds"] > 0, "the relay went on"
    assert show.relays()[target["uid"]] == target["pod"], "the pod is the same"
    assert not stress_left(target)
    assert not show.api.get(show.path("injections"))["items"]


def test_a_relay_at_the_edge_of_its_memory_is_heard_and_gets_its_memory_back(show: Show) -> None:
    before = restarts(show)
    full = fault("memoryStress", {"percent": "75%"}, duration="15s")  # a busy machine takes seconds to take it
    heard = ({"indicator": "AudibleRatio", "min": "80%"}, {"indicator": "LongestDeadAir", "max": "2s"})
    show.apply(experiment("full", faults=[full], expect=heard))
    run = passed(show, "full")
    (target,) = run["status"]["targets"]
    figures = target["processes"]
    assert 0.7 <= figures["memoryBytes"] / figures["memoryLimitBytes"] <= 0.8, figures
    assert figures["oomKills"] == 0
    assert restarts(show) == before
    assert not stress_left(target)


def test_a_relay_out_of_memory_is_killed_by_the_kernel_and_that_is_dead_air(show: Show) -> None:
    before = restarts(show)
    over = fault("memoryStress", {"overLimit": True}, duration="30s")
    show.apply(experiment("out-of-memory", faults=[over], recovery="25s", expect=HOWEVER_SILENT))
    run = passed(show, "out-of-memory")
    (target,) = run["status"]["targets"]
    assert target["processes"]["oomKills"] >= 1, target
    assert all_interrupted(show, run), run["status"].get("outages")
    killed_once_a_run(show, "out-of-memory", target, before)
    assert not stress_left(target)


def test_a_killed_relay_process_is_dead_air_and_its_container_comes_back(show: Show) -> None:
    before = restarts(show)
    show.apply(experiment("process", faults=[fault("containerKill", {})], recovery="25s", expect=HOWEVER_SILENT))
    run = passed(show, "process")
    (target,) = run["status"]["targets"]
    assert target["processes"]["ended"] == target["processes"]["processes"] >= 1
    assert target["goneAt"]
    assert all_interrupted(show, run), run["status"].get("outages")
    killed_once_a_run(show, "process", target, before)


def test_what_does_not_end_a_process_proves_nothing(show: Show) -> None:
    """LiveKit goes on serving for as long as anybody listens, whatever SIGTERM asks. Newcomers it serves no more."""
    asks = {"name": "asks", "target": {"component": "relay", "serving": True}, "containerKill": {"signal": "SIGTERM"}}
    show.apply(experiment("asks", faults=[asks], expect=HOWEVER_SILENT))
    _, run = show.verdict("asks")
    (target,) = run["status"]["targets"]
    show.api.delete(f"/api/v1/namespaces/{show.namespace}/pods/{target['pod']}", {"gracePeriodSeconds": 0})
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "NoEffect"), told(run)


@pytest.mark.alone
@pytest.mark.matrix("control lost")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_what_is_frozen_goes_on_without_its_agent(show: Show, blow: signal.Signals) -> None:
    """Killed, the next one thaws as it starts. While it hangs, the watchdog does at the end of the lease."""
    name = f"agent-{blow.name.lower()}"
    show.apply(experiment(name, faults=[fault("freeze", {}, duration="10m")], recovery="5s", expect=HOWEVER_SILENT))
    run = show.at(name, "the freeze is proven", proven)
    (target,) = run["status"]["targets"]
    relay, agent = process(show, show.namespace, target["pod"], RELAY), agent_of(show, run)
    still = cpu_time(relay)
    os.kill(agent, blow)
    try:
        assert cpu_time(relay) == still
        goes_on(relay, 30)
        time.sleep(0.1)
    finally:
        if blow is signal.SIGSTOP:
            os.kill(agent, signal.SIGCONT)
    run = over(show, run)
    assert run["status"]["verdict"] == "Inconclusive", told(run)
    assert run["status"]["reason"] in {"AgentRestarted", "LeaseLost"}, told(run)
    goes_on(relay, 30)
