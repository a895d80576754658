"""Faults by the API server: with and without a budget that refuses, with others who change the same, and rolled out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from random import Random

from tests.support.budgets import NAME, budget
from tests.support.known_truth.faults import RELAY, SHORT, SPARE, alone, fault, silent, unless_split
from tests.support.known_truth.moments import delete, in_force, recovering, serving
from tests.support.known_truth.scenario import FAILS, PASSES, Scenario, inconclusive, lenient
from tests.support.staged_room import Object, Show, condition, eventually

BOTH = {"component": "relay", "max": 2}
ONE_LESS = {"component": "relay", "max": 1}
STRICT = ({"indicator": "AudibleRatio", "min": "95%"},)
ENDLESS = ({"indicator": "LongestDeadAir", "max": "10m"},)
"""Whatever is heard, so that only the evidence decides."""
DRAINED_SECONDS = 45
"""LiveKit waits for its participants for half a minute, and then it is killed."""

BROKEN = "port: ["
"""No relay starts with that."""


def evicted(random: Random) -> Scenario:
    """As a pod kill, with a second of grace."""
    evict = fault("podEvict", {"gracePeriod": "1s"}, target={**RELAY, "minReady": 1})
    return silent(random, "evicted", "clients need seconds to find another", evict)


def spare_evicted(_random: Random) -> Scenario:
    """A budget that allows one disruption allows this one, and nobody is connected there."""
    evict = fault("podEvict", {"gracePeriod": "1s"}, target={**SPARE, "minReady": 1})
    scenario = alone("spare evicted", "nobody is connected to it", PASSES, evict, expect=STRICT)
    return replace(scenario, around=_with_budget(1))


def eviction_refused(random: Random) -> Scenario:
    """A budget that allows none has kept the relay: nothing was tested."""
    evict = fault("podEvict", {}, target=random.choice([RELAY, SPARE]))
    known = "the budget has refused it: nothing was tested"
    scenario = alone("eviction refused", known, inconclusive("EvictionRefused"), evict, expect=lenient())
    return replace(scenario, around=_with_budget(2), objection=_names_the_budget)


def rolled_out(random: Random) -> Scenario:
    """Every relay is replaced, and whoever is on one hears nothing until it has found another."""
    restart = fault("rolloutRestart", {}, target=BOTH)
    if random.random() < 0.5:
        return alone("rolled out", "clients need seconds to find another", FAILS, restart, expect=SHORT, recovery="90s")
    expect = ({"indicator": "LongestDeadAir", "max": "60s"},)
    right = {**PASSES, **FAILS}
    bounded = alone("rolled out", "60 s are met", right, restart, expect=expect, recovery="90s")
    return replace(bounded, objection=unless_split)


def scaled_down(_random: Random) -> Scenario:
    """Which relay goes is up to its controller: only the evidence is known."""
    down = fault("scaleDown", {"replicas": 1}, target=ONE_LESS, duration=f"{DRAINED_SECONDS}s")
    scenario = alone("scaled down", "one relay is left", PASSES, down, expect=lenient(), recovery="10s")
    return replace(scenario, objection=_unless_two)


def scaled_to_nothing(_random: Random) -> Scenario:
    """From half a minute on there is no relay, until the fault is over."""
    down = fault("scaleDown", {"replicas": 0}, target=BOTH, duration=f"{DRAINED_SECONDS}s")
    expect = ({"indicator": "LongestDeadAir", "max": "5s"},)
    known = "without a relay nobody hears anything for ten seconds at the least"
    scenario = alone("scaled to nothing", known, FAILS, down, expect=expect, recovery="20s")
    return replace(scenario, objection=_unless_two)


def scaled_by_others(random: Random) -> Scenario:
    """Somebody else, such as an autoscaler, writes another number while the fault lasts."""

    def meanwhile(show: Show, name: str) -> None:
        in_force(show, name)
        time.sleep(random.uniform(0, 3))
        show.api.merge(_scale(show), {"spec": {"replicas": 2}})

    down = fault("scaleDown", {"replicas": 1}, target=ONE_LESS, duration=f"{DRAINED_SECONDS}s")
    scenario = alone("scaled by others", "it did not last", inconclusive("ChangedMeanwhile"), down, expect=lenient())
    return replace(scenario, meanwhile=meanwhile)


def killed_beside_scaling(random: Random) -> Scenario:
    """One relay is scaled away, and somebody else kills the one that is left."""

    def left(show: Show) -> list[str]:
        staying = [pod["metadata"]["name"] for pod in show.pods() if "deletionTimestamp" not in pod["metadata"]]
        return staying if len(staying) == 1 else []

    def meanwhile(show: Show, name: str) -> None:
        in_force(show, name)
        (relay,) = eventually("one relay is left", 20, lambda: left(show))
        time.sleep(random.uniform(0, 3))
        delete(show, relay)

    down = fault("scaleDown", {"replicas": 1}, target=ONE_LESS, duration=f"{DRAINED_SECONDS}s")
    known = "the outage is not the fault's alone"
    right = inconclusive("TargetsGone")
    scenario = alone("killed beside scaling", known, right, down, expect=SHORT, recovery="15s")
    return replace(scenario, meanwhile=meanwhile)


def killed_after_scaling(random: Random) -> Scenario:
    """There is no relay for a while, two come back, and somebody else kills one of them when all are on it."""

    def back(show: Show) -> list[str]:
        ready = {pod["metadata"]["name"] for pod in show.pods() if condition(pod, "Ready")["status"] == "True"}
        status = show.api.get(show.path("audiorooms", show.room))["status"]
        return [name for name in status.get("serving", ()) if name in ready]

    def meanwhile(show: Show, name: str) -> None:
        recovering(show, name)
        relay, *_ = eventually("a new relay serves", 60, lambda: back(show))
        time.sleep(random.uniform(0, 3))
        delete(show, relay)

    down = fault("scaleDown", {"replicas": 0}, target=BOTH, duration=f"{DRAINED_SECONDS}s")
    known = "the fault takes no relay that came after it"
    scenario = alone("killed after scaling", known, inconclusive("PodsGone"), down, expect=SHORT, recovery="90s")
    return replace(scenario, meanwhile=meanwhile, objection=_unless_two)


def pushed(_random: Random) -> Scenario:
    """Every relay is replaced by one that says more in its log, and is heard all the same."""

    def there(show: Show) -> Object:
        return {"faults": [_push(_configuration(show).replace("level: info", "level: debug"), "80s", restart=True)]}

    def objection(show: Show, _run: Object) -> str:
        return "it was not put back" if "level: debug" in _configuration(show) else ""

    scenario = alone("pushed", "something is heard", PASSES, expect=lenient(), recovery="10s")
    return replace(scenario, there=there, around=_with_its_configuration, objection=objection)


def killed_beside_pushing(random: Random) -> Scenario:
    """A value that every relay reads at its leisure, and somebody else kills the one that serves."""

    def meanwhile(show: Show, name: str) -> None:
        relay = serving(show)
        in_force(show, name)
        time.sleep(random.uniform(0, 3))
        delete(show, relay)

    def there(show: Show) -> Object:
        debug = _configuration(show).replace("level: info", "level: debug")
        return {"faults": [_push(debug, "120s", restart=False)]}

    known = "without a restart the fault ends no relay"
    scenario = alone("killed beside pushing", known, inconclusive("TargetsGone"), expect=SHORT, recovery="10s")
    return replace(scenario, there=there, around=_with_its_configuration, meanwhile=meanwhile)


def pushed_broken(_random: Random) -> Scenario:
    """No new relay becomes ready, so that the old ones stay: the rollout has protected the room."""
    known = "the relays of before ran on: nothing was tested"
    push = _push(BROKEN, "20s", restart=True)
    scenario = alone("pushed, broken", known, inconclusive("NoEffect"), push, expect=lenient())
    return replace(scenario, around=_with_its_configuration)


def pushed_over(random: Random) -> Scenario:
    """Somebody else writes the same key while the fault lasts."""

    def meanwhile(show: Show, name: str) -> None:
        in_force(show, name)
        time.sleep(random.uniform(0, 3))
        show.api.merge(_config_map(show), {"data": {"livekit.yaml": "port: 1"}})

    push = _push(BROKEN, "3m", restart=False)
    scenario = alone("pushed over", "it did not last", inconclusive("ChangedMeanwhile"), push, expect=lenient())
    return replace(scenario, meanwhile=meanwhile, around=_with_its_configuration)


def drained(_random: Random) -> Scenario:
    """The store may be on that node, too: only the evidence is known. Other rooms are on it as well."""
    scenario = alone("drained", "its pods left the node", PASSES, _drain("20s"), expect=ENDLESS, recovery="30s")
    return replace(scenario, alone=True)


def drain_refused(_random: Random) -> Scenario:
    """A relay stays on the node, whatever else left it."""
    known = "the budget has kept a relay there"
    scenario = alone("drain refused", known, inconclusive("NoEffect"), _drain("12s"), expect=ENDLESS, recovery="10s")
    return replace(scenario, around=_with_budget(2), objection=_names_the_budget, alone=True)


def _drain(duration: str) -> Object:
    target = {"component": "relay", "serving": True, "max": 6}
    return fault("nodeDrain", {"gracePeriod": "1s"}, target=target, duration=duration)


def _push(value: str, duration: str, *, restart: bool) -> Object:
    spec = {"configMap": "relay", "key": "livekit.yaml", "value": value, "restart": restart}
    return fault("configPush", spec, target=BOTH, duration=duration)


def _scale(show: Show) -> str:
    return f"/apis/apps/v1/namespaces/{show.namespace}/deployments/relay/scale"


def _config_map(show: Show) -> str:
    return f"/api/v1/namespaces/{show.namespace}/configmaps/relay"


def _configuration(show: Show) -> str:
    text: str = show.api.get(_config_map(show))["data"]["livekit.yaml"]
    return text


@contextmanager
def _with_its_configuration(show: Show) -> Iterator[None]:
    """The run has put it back, or left it to others, who did: whoever comes next needs what was there."""
    before = _configuration(show)
    try:
        yield
    finally:
        show.api.merge(_config_map(show), {"data": {"livekit.yaml": before}})


def _with_budget(least: int) -> Callable[[Show], AbstractContextManager[object]]:
    return lambda show: budget(show, least)


def _names_the_budget(_show: Show, run: Object) -> str:
    return "" if NAME in run["status"].get("message", "") else "the budget is not named"


def _unless_two(show: Show, _run: Object) -> str:
    replicas = show.api.get(_scale(show))["spec"]["replicas"]
    return "" if replicas == 2 else f"it was not scaled back: {replicas} replicas"


ALL = (
    evicted,
    spare_evicted,
    eviction_refused,
    scaled_down,
    scaled_by_others,
    killed_beside_scaling,
    pushed_broken,
    pushed_over,
    drained,
    drain_refused,
)

LONG = (rolled_out, scaled_to_nothing, killed_after_scaling, pushed, killed_beside_pushing)
"""Those that take minutes, until every relay of before has drained, or kubelets have written a file."""
