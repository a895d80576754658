"""Containers of targets that were restarted while a fault lasted."""

from dataclasses import replace

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs import restarts
from showstopper.faults.effects import Container, Pod
from tests.support import build

DELAY = {"name": "slow", "target": {"component": "relay"}, "duration": "60s", "delay": {"latency": "2s"}}
KILL = {"name": "kill", "target": {"component": "relay"}, "containerKill": {}}


def run(*, fault: str = "slow", before: int | None = 1) -> ExperimentRun:
    target = {"fault": fault, "pod": "relay-a", "uid": "relay-a-uid", "restarts": before}
    return build.run(faults=[DELAY, KILL], status={"targets": [target]})


def pod(count: int, code: int | None = 137, reason: str = "Error") -> Pod:
    container = Container("livekit", "ab", restarts=count, exit_code=code, exit_reason=reason)
    return replace(build.pod("relay-a"), containers=(Container("metrics"), container))


def test_a_target_whose_container_the_kubelet_restarts_forbids_a_verdict() -> None:
    containers = restarts.restarted(run(), [pod(2)])
    finding = restarts.told_to_end(run(), containers)
    assert finding is not None
    assert finding.reason == "ContainerRestarted"
    assert "container livekit (exit code 137, Error) of relay-a" in finding.message


@pytest.mark.parametrize("code", [0, 143, None])
def test_an_end_that_was_asked_for_or_is_not_known_forbids_it_too(code: int | None) -> None:
    assert restarts.told_to_end(run(), restarts.restarted(run(), [pod(2, code)])) is not None


def test_a_container_that_ends_by_itself_is_noted_and_is_what_the_fault_does_to_the_room() -> None:
    containers = restarts.restarted(run(), [pod(2, 1)])
    assert restarts.described(containers["relay-a-uid"]) == "livekit (exit code 1, Error)"
    assert restarts.told_to_end(run(), containers) is None


def test_earlier_restarts_and_those_that_a_kill_of_the_run_makes_are_nobodys() -> None:
    assert not restarts.restarted(run(), [pod(1)])
    assert not restarts.restarted(run(before=None), [pod(2)])
    assert not restarts.restarted(run(fault="kill"), [pod(2)])
