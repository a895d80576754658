"""configPush: a key that is there and used gets another value, and pods that read it at their start are replaced."""

from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.faults.workloads import ConfigPush
from showstopper.faults import registry
from showstopper.faults.effects import Change, ConfigMap
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.workloads import fields
from tests.faults.workloads.build import RELAY, changes, fault, objections

MAP = ConfigMap("livekit", "map-uid", {"livekit.yaml": "port: 7880"})
RELAYS = replace(RELAY, config_maps=("livekit",), followed=("livekit",))
PUSH = {"configMap": "livekit", "key": "livekit.yaml", "value": "port: 1"}


def push(**more: Any) -> Any:
    return fault("configPush", {**PUSH, **more}, duration="2m")


def test_it_changes_the_key_and_then_the_templates_if_pods_are_to_read_it_at_their_start() -> None:
    value = Change("ConfigMap", "livekit", "map-uid", "/data/livekit.yaml", "port: 7880", "port: 1")
    template = Change("Deployment", "relay", "relay-uid", fields.RESTARTED, None, "now")
    assert changes(push(), RELAYS, config_maps=(MAP,)) == (value,)
    assert changes(push(restart=True), RELAYS, config_maps=(MAP,)) == (value, template)
    assert value.lasts
    assert template.lasts, "to take the annotation away replaces the pods once more"


@pytest.mark.parametrize(
    ("wrong", "config_map", "reason", "says"),
    [
        ({}, None, "NoConfig", 'there is no ConfigMap "livekit", which fault it would change'),
        ({"key": "livekit.yml"}, MAP, "NoConfig", 'has no key "livekit.yml" (fault it); it has: livekit.yaml'),
        ({}, replace(MAP, immutable=True), "NoConfig", "ConfigMap livekit is immutable"),
        ({"value": "port: 7880"}, MAP, "NothingToChange", "has this value already"),
        ({}, replace(MAP, data={"livekit.yaml": "x" * 10_000}), "NoConfig", "is too long for the record of a run"),
    ],
)
def test_what_is_not_there_or_cannot_be_put_back_is_refused(
    wrong: dict[str, Any], config_map: ConfigMap | None, reason: str, says: str
) -> None:
    there = (config_map,) if config_map is not None else ()
    ((objection_reason, message),) = objections(push(**wrong), RELAYS, config_maps=there)
    assert objection_reason == reason
    assert says in message


def test_what_the_pods_do_not_use_is_refused() -> None:
    ((reason, message),) = objections(push(), RELAY, config_maps=(MAP,))
    assert reason == "NoConfig"
    assert "the pods of Deployment relay do not use ConfigMap livekit" in message


def test_what_running_pods_would_not_read_before_it_is_put_back_needs_a_restart() -> None:
    """By env they never do, and a kubelet takes its time to write files."""
    at_start = replace(RELAYS, followed=())
    ((reason, message),) = objections(push(), at_start, config_maps=(MAP,))
    assert reason == "NoConfig"
    assert "read ConfigMap livekit at their start alone" in message
    brief = fault("configPush", PUSH, duration="119s")
    ((reason, message),) = objections(brief, RELAYS, config_maps=(MAP,))
    assert reason == "DurationTooShort"
    assert "fault it has a duration of 1m59s" in message
    assert not objections(push(restart=True), at_start, config_maps=(MAP,))
    assert not objections(fault("configPush", {**PUSH, "restart": True}, duration="20s"), RELAYS, config_maps=(MAP,))


def test_pods_that_would_not_be_replaced_hinder_a_restart_alone() -> None:
    paused = replace(RELAYS, held="it is paused")
    assert not objections(push(), paused, config_maps=(MAP,))
    assert [reason for reason, _ in objections(push(restart=True), paused, config_maps=(MAP,))] == ["RolloutHeld"]


GONE, STAYS = ObservedTarget("a", ended=True, ended_after=3.0), ObservedTarget("b")


@pytest.mark.parametrize(
    ("restart", "targets", "read_back", "missing"),
    [
        (False, (STAYS,), True, None),
        (False, (STAYS,), False, "is not proven: the value was not read back"),
        (True, (GONE,), True, None),
        (True, (GONE, STAYS), True, "is not proven: b ran on with the value of before"),
        (True, (replace(GONE, ended_after=9.0, lasted=5.0),), True, "is not proven: a ran on with the value of before"),
    ],
)
def test_it_is_proven_by_the_value_and_by_pods_that_have_read_it(
    restart: bool, targets: tuple[ObservedTarget, ...], read_back: bool, missing: str | None
) -> None:
    spec = push(restart=restart).spec
    finding = registry.of_kind(ConfigPush).proof(Observed("push", targets, spec=spec, read_back=read_back))
    assert (finding is None) is (missing is None)
    assert finding is None or finding.message.startswith(missing or "")


def test_it_tells_what_was_read_back_and_who_was_replaced() -> None:
    behaviour = registry.of_kind(ConfigPush)
    assert behaviour.figures(Observed("push", (STAYS,), spec=push().spec)) == "the value was read back"
    told = behaviour.figures(Observed("push", (GONE, STAYS), spec=push(restart=True).spec))
    assert told == "the value was read back, and 1 of 2 pods replaced"
