"""Floods of the room's own relay: proven at both ends, gone when they are over, and shut in whoever is left to do it.

What arrives is counted here once more, by a rule of the test's own in the relay's network.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dev import stage
from e2e.test_refusals import refused
from showstopper.faults.flood.sending import datagrams
from tests.support.control_loss import agent_killed
from tests.support.operator_process import Operator
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

MEDIA, SIZE = 7882, 172
ENFORCE = "pod-security.kubernetes.io/enforce"
SWITCHES = f"/api/v1/namespaces/{stage.AGENTS}/configmaps"


def flood(duration: str, **spec: object) -> Object:
    """A flood of the relay that serves."""
    target = {"component": "relay", "serving": True, "max": 1}
    return {
        "name": "flood",
        "target": target,
        "duration": duration,
        "packetFlood": {"port": "media", "size": SIZE, **spec},
    }


class Arrivals:
    """What comes to the relays' media port, by sender: listeners send there too.

    A bridge brings to every pod what is for a MAC address that it does not know: that is none of it.
    """

    def __init__(self, show: Show) -> None:
        self._networks = {
            pod["metadata"]["name"]: show.cluster.pod(show.namespace, pod["metadata"]["name"]).namespace_file
            for pod in show.pods()
        }

    def __enter__(self) -> Arrivals:
        for name in self._networks:
            self._nft(
                name,
                "-f",
                "-",
                stdin=f"""
                table netdev e2e {{
                  set senders {{ type ipv4_addr; size 1024; flags dynamic; counter; }}
                  chain arrivals {{
                    type filter hook ingress device "eth0" priority 100;
                    meta pkttype != other udp dport {MEDIA} add @senders {{ ip saddr }}
                  }}
                }}""",
            )
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._networks:
            self._nft(name, "delete", "table", "netdev", "e2e")

    def count(self, flooder: Object) -> int:
        """Datagrams of a flooder so far, at all relays."""
        return sum(self.by_relay(flooder).values())

    def by_relay(self, flooder: Object) -> dict[str, int]:
        """The same, of each relay."""
        return {name: self._of(flooder["status"]["podIP"], name) for name in self._networks}

    def _of(self, address: str, name: str) -> int:
        (_, listed) = json.loads(self._nft(name, "-j", "list", "set", "netdev", "e2e", "senders"))["nftables"]
        senders = [sender["elem"] for sender in listed["set"].get("elem", [])]
        counters = [sender["counter"] for sender in senders if sender["val"] == address]
        return sum(datagrams(counter["packets"], counter["bytes"], SIZE) for counter in counters)

    def _nft(self, name: str, *arguments: str, stdin: str | None = None) -> str:
        command = ["nsenter", f"--net={self._networks[name]}", "nft", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, input=stdin).stdout


def flooders(show: Show) -> list[Object]:
    items: list[Object] = show.api.get(
        f"/api/v1/namespaces/{show.namespace}/pods", labelSelector="showstopper.dev/role=flooder"
    )["items"]
    return items


def jobs(show: Show) -> list[Object]:
    items: list[Object] = show.api.get(f"/apis/batch/v1/namespaces/{show.namespace}/jobs")["items"]
    return items


@contextmanager
def restricted(show: Show) -> Iterator[None]:
    """The namespace takes no pod meanwhile that Pod Security *restricted* forbids."""
    path = f"/api/v1/namespaces/{show.namespace}"
    show.api.merge(path, {"metadata": {"labels": {ENFORCE: "restricted"}}})
    try:
        yield
    finally:
        show.api.merge(path, {"metadata": {"labels": {ENFORCE: None}}})


def test_a_paced_flood_is_proven_at_both_ends_and_leaves_nothing(show: Show) -> None:
    with restricted(show), Arrivals(show) as arrivals:
        show.apply(experiment("flood", faults=[flood("4s", rate=5000, sources=4)], expect=HEARD_AT_ALL))
        show.at("flood", "the flood is proven", proven)
        (flooder,) = flooders(show)
        resource, run = show.verdict("flood")
        by_relay = arrivals.by_relay(flooder)
    arrived = sum(by_relay.values())
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert record["proven"], record
    assert record["reverted"], record
    assert 0 < record["affected"] <= record["matched"] <= 20_000, "sent within its budget, and arrived"
    assert record["affected"] == arrived, (by_relay, record)
    (target,) = run["status"]["targets"]
    assert target["affected"] == arrived
    assert (flooders(show), jobs(show)) == ([], [])
    assert not show.api.get(show.path("injections"))["items"]


@pytest.mark.alone
@pytest.mark.matrix("control lost")
def test_the_stop_switch_ends_a_flood_within_a_second_also_without_an_operator(show: Show) -> None:
    switch = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "stop-switch"},
        "data": {"reason": "a test"},
    }
    with Arrivals(show) as arrivals:
        show.apply(experiment("endless", faults=[flood("5m", rate=2000)], recovery="1s", expect=HEARD_AT_ALL))
        run = show.at("endless", "the flood is proven", proven)
        (flooder,) = flooders(show)
        with Operator(show).away():
            before = arrivals.count(flooder)
            eventually("the flood goes on without an operator", 30, lambda: arrivals.count(flooder) > before)
            show.api.create(SWITCHES, switch)
            thrown = time.monotonic()
            try:
                time.sleep(1)
                later = arrivals.count(flooder)
                (flooder,) = flooders(show)
                assert flooder["status"]["phase"] == "Running", "it has not ended: its gate is shut"
                time.sleep(2)
                assert arrivals.count(flooder) == later, f"packets still arrive {time.monotonic() - thrown:.1f} s later"
                gates = [item for item in show.api.get(show.path("injections"))["items"] if "floodGate" in item["spec"]]
                assert [condition(gate, "Stalled")["reason"] for gate in gates] == ["Stopped"]
            finally:
                show.api.delete(f"{SWITCHES}/stop-switch")
        path = show.path("experimentruns", run["metadata"]["name"])
        eventually("the run is over", 60, lambda: finished(show.api.get(path)))
        assert arrivals.count(flooder) == later, "nothing opens a gate again"
    run = show.api.get(path)
    assert run["status"]["reason"] == "Stopped", told(run)
    assert run["status"]["faults"][0]["reverted"]
    assert (flooders(show), jobs(show)) == ([], [])


@pytest.mark.alone
@pytest.mark.matrix("control lost")
def test_a_flood_that_nobody_is_left_to_stop_ends_by_its_own_budget(show: Show) -> None:
    rate, seconds = 2000, 8  # over before the lease is: what ends it is the flooder itself
    with Arrivals(show) as arrivals:
        show.apply(experiment("orphan", faults=[flood(f"{seconds}s", rate=rate)], recovery="1s", expect=HEARD_AT_ALL))
        show.at("orphan", "the flood is proven", proven)
        (flooder,) = flooders(show)
        path = f"/api/v1/namespaces/{show.namespace}/pods/{flooder['metadata']['name']}"
        with agent_killed(show, flooder["spec"]["nodeName"]), Operator(show).away():
            eventually("the flood ends", 60, lambda: show.api.get(path)["status"]["phase"] == "Succeeded")
            arrived = arrivals.count(flooder)
            said = show.cluster.run_kubectl("--namespace", show.namespace, "logs", flooder["metadata"]["name"])
            report = json.loads(said.splitlines()[-1])
            assert report["ended_by"] in {"Packets", "Seconds"}, report
            assert 0 < arrived <= report["packets"] <= rate * seconds
            eventually("the job is over", 30, lambda: all(not job["status"].get("active") for job in jobs(show)))
            assert len(flooders(show)) == 1, "nothing took its place"
            assert arrivals.count(flooder) == arrived
    _, run = show.verdict("orphan")
    # It had its packets, all of them; but nobody was there to count the last of them.
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "LeaseLost"), told(run)
    (record,) = run["status"]["faults"]
    assert (record["cutShort"], record["reverted"]) == ("LeaseLost", True), record
    assert (flooders(show), jobs(show)) == ([], [])


def test_a_flood_of_a_port_that_nobody_is_at_is_refused(show: Show) -> None:
    show.apply(experiment("closed", faults=[flood("5s", rate=100) | {"packetFlood": {"port": "closed", "rate": 100}}]))
    resource = refused(show, "closed", "UnknownPort")
    assert "it has: media, " in condition(resource, "Stalled")["message"]
    assert (flooders(show), jobs(show)) == ([], [])
