"""Nobody can lift a fault any more: it lifts itself, the run says so, and nothing is left. (More: make bench-lift.)

The third way, an operator that dies, is tried in e2e/test_network_faults.py.
"""

from __future__ import annotations

import math
import time

import pytest

from tests.support.control_loss import WAYS
from tests.support.pod_state import lost_and_received, setup
from tests.support.staged_room import HEARD_AT_ALL, Show, eventually, experiment, proven, told

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.matrix("control lost")]

LOSS = {
    "name": "loss",
    "target": {"component": "relay", "serving": True, "max": 1},
    "duration": "10m",
    "packetLoss": {"percent": "50%", "direction": "Egress", "ports": ["media"]},
}
LOOK_SECONDS = 3.0


@pytest.mark.parametrize("way", ["agent_killed", "link_cut"])
def test_a_fault_lifts_itself_and_the_run_says_so(show: Show, way: str) -> None:
    relays = {uid: setup(uid) for uid in show.relays()}
    show.apply(experiment(way.replace("_", "-"), faults=[LOSS], recovery="5s", expect=HEARD_AT_ALL))
    run = show.at(way.replace("_", "-"), "the fault is proven", proven)
    (target,) = run["status"]["targets"]
    assert setup(target["uid"]) != relays[target["uid"]]
    with WAYS[way](show, target["node"]):
        assert share_lost(show) > 0.05  # it goes on by itself, until the lease ends
        eventually("no packet is lost any more", 30, lambda: share_lost(show) < 0.02)
    _, run = show.verdict(way.replace("_", "-"))
    assert (run["status"]["verdict"], run["status"]["reason"]) == ("Inconclusive", "LeaseLost"), told(run)
    assert {uid: setup(uid) for uid in relays} == relays


def share_lost(show: Show) -> float:
    """Of the packets to residents, in the next seconds. (The SDK counts a loss when it sees what came after it.)"""
    before = lost_and_received(show)
    time.sleep(LOOK_SECONDS)
    lost, received = (now - then for now, then in zip(lost_and_received(show), before, strict=True))
    return lost / (lost + received) if lost + received else math.nan  # no packet at all proves neither
