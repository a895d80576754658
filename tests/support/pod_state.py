"""What a room's residents count and hear, and what is set up in a pod's network, for tests of faults."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from dev.cluster import cgroups, inside
from tests.support.staged_room import Object, Show


def lost_and_received(show: Show) -> tuple[int, int]:
    """Over all residents: packets that the SDK's statistics miss, and those that came."""
    residents = [listener for feed in _feeds(show) for listener in feed["listeners"] if listener["kind"] == "Resident"]
    return sum(each["packetsLost"] for each in residents), sum(each["packetsReceived"] for each in residents)


def hearing(show: Show) -> dict[str, str]:
    """What each resident hears now, as a state."""
    spans = (span for feed in _feeds(show) for span in feed["open"])
    return {span["listener"]: span["state"] for span in spans if span["kind"] == "Resident"}


def all_hear(show: Show, state: str = "Live") -> bool:
    """Whether every resident hears the same now, the host by default."""
    heard = hearing(show)
    return bool(heard) and set(heard.values()) == {state}


def visits(show: Show) -> list[Object]:
    """The visits of newcomers that are over, in the order in which they called, pod by pod."""
    return [visit for feed in _feeds(show) for visit in feed["arrivals"]]


def _feeds(show: Show) -> list[Object]:
    """What each listener pod tells: all that it remembers, for a number that is too high reads everything."""
    place = f"/api/v1/namespaces/{show.namespace}/pods"
    pods = show.api.get(place, labelSelector="showstopper.dev/role=listener")["items"]
    return [show.api.get(f"{place}/{pod['metadata']['name']}:8090/proxy/v1/spans", after=10**9) for pod in pods]


def setup(uid: str) -> dict[str, str]:
    """The rules, qdiscs, processes and guests of a pod: what was there before a fault must be all that is after it."""
    namespace = inside.pod_namespace(uid)
    return {
        "rules": inside.run_in(namespace, ["nft", "--stateless", "list", "ruleset"]),
        "qdiscs": inside.run_in(namespace, ["tc", "qdisc", "show"]),
        "processes": processes(uid),
        "guests": "\n".join(sorted(map(str, inside.container_cgroups(uid, f"*/{inside.STRESS}*")))),
    }


def processes(uid: str) -> str:
    """The processes of a pod, whether they are stopped, and whether their cgroups are frozen, by cgroup."""
    lines = []
    for folder in inside.container_cgroups(uid, "*"):
        pids = cgroups.processes_in(folder)
        lines += [f"{folder} {pid} {motion}" for pid in pids if (motion := _motion(pid))]
        with suppress(OSError):  # version 2 has none, or the container went since it was seen
            lines.append(f"{folder} {(folder / 'freezer.state').read_text().strip()}")
    return "\n".join(sorted(lines))


def _motion(pid: int) -> str:
    """Whether a process runs. Nothing of one that has ended."""
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return "stopped" if state == "T" else "runs"
    return ""
