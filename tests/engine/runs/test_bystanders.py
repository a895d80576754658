"""Pods of a room's components that no fault of the run takes: who is noted, and who is missed."""

from typing import Any

import pytest

from showstopper.api.run import UID_LENGTH, ExperimentRun
from showstopper.engine.rooms.components import ComponentPod
from showstopper.engine.runs.bystanders import Bystanders
from tests.support import build

RELAY = {"component": "relay"}
DELAY = {"name": "slow", "target": RELAY, "duration": "60s", "delay": {"latency": "2s"}}
SILENCE = {"name": "air", "duration": "60s", "deadAir": {}}
DOWN = {"name": "down", "target": RELAY, "scaleDown": {"replicas": 1}, "duration": "60s"}
RESTART = {"name": "restart", "target": RELAY, "rolloutRestart": {}}
CONFIG = {"configMap": "livekit", "key": "livekit.yaml", "value": "port: 1"}
PUSH = {"name": "push", "target": RELAY, "configPush": CONFIG, "duration": "5m"}
ROLLED_OUT = {**PUSH, "configPush": {**CONFIG, "restart": True}}
EARLY, CHANGED, MEANWHILE, OVER, LATE = (f"2026-01-01T00:{minute}:10Z" for minute in ("00", "01", "02", "03", "04"))
DONE = {"changedAt": CHANGED, "restoredAt": OVER}


def pod(name: str, created: str = EARLY, component: str = "relay") -> ComponentPod:
    return ComponentPod(component, f"{component}-{name}", f"{name * UID_LENGTH}-1b2c-4d5e", created)


def run(fault: dict[str, Any], *noted: str, target: str = "", **change: Any) -> ExperimentRun:
    """A run that has noted these pods, hit one, and changed the workload of the relays."""
    place = {"kind": "Deployment", "name": "relay", "uid": "u", "field": "/spec/replicas", **change}
    status = {
        "targets": [{"fault": fault["name"], "pod": target, "uid": pod(target).uid}] if target else [],
        "changes": [{"fault": fault["name"], **place}] if change else [],
        "bystanders": [name * UID_LENGTH for name in noted],
    }
    return build.run(faults=[fault], status=status)


@pytest.mark.parametrize("fault", [DELAY, SILENCE, PUSH], ids=["a network", "the host", "a value without a restart"])
def test_a_fault_that_ends_no_pod_takes_none(fault: dict[str, Any]) -> None:
    assert Bystanders().note(run(fault), [pod("a"), pod("b")]) == ["aaaaaaaa", "bbbbbbbb"]


@pytest.mark.parametrize(
    ("fault", "change", "noted"),
    [
        (DOWN, {}, ""),  # before it is known what is changed
        (DOWN, {"changedAt": CHANGED}, ""),
        (DOWN, DONE, "l"),  # of the pods of before the controller takes which it likes
        (ROLLED_OUT, {"changedAt": CHANGED}, ""),
        (ROLLED_OUT, DONE, "l"),  # to put the value back takes those that the push has made
        (RESTART, {"changedAt": CHANGED, "lasts": False}, "ml"),
    ],
)
def test_a_changed_workload_takes_whoever_was_there_before_its_last_change(
    fault: dict[str, Any], change: dict[str, Any], noted: str
) -> None:
    pods = [pod("e", EARLY), pod("m", MEANWHILE), pod("l", LATE)]
    assert Bystanders().note(run(fault, **change), pods) == [name * UID_LENGTH for name in noted]


def test_what_a_change_makes_may_show_the_second_before_its_answer() -> None:
    made = pod("m", "2026-01-01T00:03:09Z")
    assert Bystanders().note(run(DOWN, **DONE), [made]) == ["mmmmmmmm"]


def test_other_components_are_not_changed_with_it_and_nobody_is_noted_twice() -> None:
    bystanders = Bystanders()
    store = pod("s", component="store")
    assert bystanders.note(run(DOWN), [pod("a"), store]) == ["ssssssss"]
    assert bystanders.note(run(DOWN), [pod("a"), store]) == []


def test_who_is_gone_is_named_by_who_has_seen_it_and_by_its_uid_else() -> None:
    seen = Bystanders()
    seen.note(run(DELAY), [pod("a"), pod("b")])
    there = {pod("b").uid}
    assert seen.gone(run(DELAY, "a", "b"), there) == ["relay-a"]
    assert Bystanders().gone(run(DELAY, "a", "b"), there) == ["pod of UID aaaaaaaa"]


def test_a_target_is_no_bystander_though_it_was_noted_before_it_was_chosen() -> None:
    assert Bystanders().gone(run(DELAY, "a", "b", target="a"), set()) == ["pod of UID bbbbbbbb"]
