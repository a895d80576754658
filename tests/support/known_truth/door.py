"""Faults of the door, on a stage that has one: who is turned away, what is shown, and what keeps it from happening."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.support.known_truth.moments import active, in_force
from tests.support.known_truth.scenario import FAILS, PASSES, Right, Scenario, inconclusive
from tests.support.staged_room import Object, Show, condition, eventually

STAGE = ("door.enabled=true", "room.listeners.arrivals.every=2s", "room.listeners.arrivals.stay=6s")
"""What the chart of the stage needs: without newcomers nobody would ask the door."""

STAY_IN = ({"indicator": "AudibleRatio", "min": "95%"},)
GET_IN = ({"indicator": "JoinSuccess", "min": "95%"},)
COUNTED = ({"indicator": "CountError", "max": "100"},)
"""Twice as many as come and go are far below that, and a thousand times two residents far above."""

REPLICAS = 2


def closed(random: Random) -> Scenario:
    """Every newcomer is turned away, and who is in hears on."""
    shut = _closed("10s", wait=random.choice(["0s", "500ms"]))
    if random.random() < 0.5:
        return _at_the_door("closed", "most of the newcomers were turned away", FAILS, shut, expect=GET_IN)
    return _at_the_door("closed", "who is in has a connection of its own", PASSES, shut, expect=STAY_IN)


def closed_for_some(random: Random) -> Scenario:
    """By their identities: of five it may be nobody."""
    shut = _closed("10s", percent=f"{random.randint(30, 70)}%")
    right: Right = {**PASSES, **inconclusive("NoEffect")}
    return _at_the_door("closed for some", "who is in has a connection of its own", right, shut, expect=STAY_IN)


def closed_too_late(random: Random) -> Scenario:
    """Whoever asks has to wait for longer than the fault lasts, and is let in at its end."""
    slow = _closed(f"{random.randint(5, 8)}s", wait="1m")
    return _at_the_door("closed too late", "nobody was turned away", inconclusive("NoEffect"), slow, expect=STAY_IN)


def door_killed(random: Random) -> Scenario:
    """One of its processes, or both, come back without the fault."""
    killed = random.randint(1, REPLICAS)

    def meanwhile(show: Show, name: str) -> None:
        active(show, name)
        time.sleep(random.uniform(0, 3))
        for pod in show.pods("door")[:killed]:
            process = show.cluster.pod(show.namespace, pod["metadata"]["name"]).processes("door")[0]
            os.kill(process, signal.SIGKILL)

    known, right = "nobody held the fault to its end", inconclusive("LeaseLost")
    return _at_the_door("door killed", known, right, _closed("60s"), expect=STAY_IN, meanwhile=meanwhile)


def door_added(random: Random) -> Scenario:
    """Somebody scales the door up, and the new one lets people in."""

    def meanwhile(show: Show, name: str) -> None:
        in_force(show, name)
        time.sleep(random.uniform(1, 3))
        _scale(show, REPLICAS + 1)
        eventually("the new door is ready", 60, lambda: _is_well(show, REPLICAS + 1))

    known, right = "one door was not closed", inconclusive("WrongDose")
    return _at_the_door("door added", known, right, _closed("40s"), expect=STAY_IN, meanwhile=meanwhile)


def skewed(random: Random) -> Scenario:
    """The public count is twice the true one, or a thousand times."""
    factor = random.choice([2, 1000])
    skew = {"name": "skew", "duration": "10s", "countSkew": {"shows": "Multiplied", "factor": factor}}
    known = f"{factor} times the true count is shown, and 100 may be missed"
    return _at_the_door("skewed", known, PASSES if factor == 2 else FAILS, skew, expect=COUNTED)


def _closed(duration: str, **spec: Any) -> Object:
    return {"name": "closed", "duration": duration, "roomUnavailable": spec}


def _at_the_door(kind: str, known: str, right: Right, fault: Object, *, expect: Any, **more: Any) -> Scenario:
    spec = {"faults": [fault], "expect": list(expect), "baseline": "8s", "recovery": "6s"}
    return Scenario(kind, known, right, spec, around=_with_a_door, **more)


@contextmanager
def _with_a_door(show: Show) -> Iterator[None]:
    """Both replicas are ready, before and after."""
    eventually("the doors are well", 60, lambda: _is_well(show, REPLICAS))
    try:
        yield
    finally:
        _scale(show, REPLICAS)
        eventually("the doors are well again", 60, lambda: _is_well(show, REPLICAS))


def _is_well(show: Show, replicas: int) -> bool:
    doors = show.pods("door")
    return len(doors) == replicas and all(condition(door, "Ready")["status"] == "True" for door in doors)


def _scale(show: Show, replicas: int) -> None:
    path = f"/apis/apps/v1/namespaces/{show.namespace}/statefulsets/door/scale"
    show.api.merge(path, {"spec": {"replicas": replicas}})


ALL = (closed, closed_for_some, closed_too_late, door_killed, door_added, skewed)
