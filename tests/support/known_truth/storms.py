"""Small storms and floods of connections at the relay that serves. A storm of joins alone is in `faults`."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

from tests.support.known_truth.faults import alone, fault
from tests.support.known_truth.moments import active, delete, of_role
from tests.support.known_truth.scenario import ANY, PASSES, Scenario, inconclusive, lenient
from tests.support.staged_room import Show


def retries(random: Random) -> Scenario:
    """Clients who are dropped and come back at once: how the relay bears them depends on the machine."""
    clients = random.choice([10, 30])
    spec = {"port": "signal", "clients": clients, "tries": 20 * clients, "drop": "4s", "pause": "100ms"}
    made = fault("retryStorm", {**spec, "signallingOnly": True}, duration="10s")
    return alone("retries", "something is heard", PASSES, made, expect=lenient(), recovery="5s")


def connections(random: Random) -> Scenario:
    """Nobody joins by them: how the relay bears them depends on the machine."""
    rate, opening = random.choice([50, 100]), random.choice(["TCP", "WebSocket"])
    spec = {"port": "signal", "connections": 2 * rate, "rate": rate, "opening": opening}
    made = fault("connectionFlood", spec, duration="7s")
    return alone("connections", "something is heard", PASSES, made, expect=lenient(), recovery="5s")


def storm_killed(random: Random) -> Scenario:
    """Its pod is deleted before all have joined."""

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 5))
        delete(show, of_role(show, "storm")[0])

    joins = fault("joinStorm", {"port": "signal", "joins": 100, "rate": 5, "signallingOnly": True}, duration="26s")
    known = "less than the declared storm was made"
    scenario = alone("storm killed", known, inconclusive(*ANY), joins, expect=lenient(), recovery="5s")
    return replace(scenario, meanwhile=meanwhile)


ALL = (retries, connections, storm_killed)
