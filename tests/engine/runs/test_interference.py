"""What happened to targets while a fault lasted, and was not its doing."""

from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.runs import interference
from showstopper.faults.effects import Container, Pod
from tests.support import build

DELAY = {"name": "slow", "target": {"component": "relay"}, "duration": "60s", "delay": {"latency": "2s"}}
NOW = "2026-01-01T00:00:20Z"
START = from_timestamp(NOW)
KILL = {"name": "kill", "target": {"component": "relay"}, "containerKill": {}}
DOWN = {"name": "down", "target": {"component": "relay"}, "scaleDown": {"replicas": 1}, "duration": "60s"}
FULL = {"name": "full", "target": {"component": "relay"}, "duration": "60s", "memoryStress": {"overLimit": True}}


def run(*, fault: str = "slow", before: int | None = 1) -> ExperimentRun:
    target = {"fault": fault, "pod": "relay-a", "uid": "relay-a-uid", "restarts": before}
    return build.run(faults=[DELAY, KILL, FULL], status={"targets": [target]})


def pod(count: int, code: int | None = 137, reason: str = "Error") -> Pod:
    container = Container("livekit", "ab", restarts=count, exit_code=code, exit_reason=reason)
    return replace(build.pod("relay-a"), containers=(Container("metrics"), container))


def test_a_target_whose_container_the_kubelet_restarts_forbids_a_verdict() -> None:
    containers = interference.restarted(run(), [pod(2)])
    finding = interference.told_to_end(run(), containers)
    assert finding is not None
    assert finding.reason == "ContainerRestarted"
    assert "container livekit (exit code 137, Error) of relay-a" in finding.message


@pytest.mark.parametrize("code", [0, 143, None])
def test_an_end_that_was_asked_for_or_is_not_known_forbids_it_too(code: int | None) -> None:
    assert interference.told_to_end(run(), interference.restarted(run(), [pod(2, code)])) is not None


def test_a_container_that_ends_by_itself_is_noted_and_is_what_the_fault_does_to_the_room() -> None:
    containers = interference.restarted(run(), [pod(2, 1)])
    assert interference.described(containers["relay-a-uid"]) == "livekit (exit code 1, Error)"
    assert interference.told_to_end(run(), containers) is None


def test_earlier_restarts_and_those_that_a_kill_of_the_run_makes_are_nobodys() -> None:
    assert not interference.restarted(run(), [pod(1)])
    assert not interference.restarted(run(before=None), [pod(2)])
    assert not interference.restarted(run(fault="kill"), [pod(2)])
    assert not interference.restarted(run(fault="full"), [pod(2, 137, "OOMKilled")])


def test_a_target_that_is_deleted_or_about_to_be_is_gone_unless_a_fault_of_the_run_kills_it() -> None:
    assert interference.gone(run(), [build.pod("relay-b")]) == {"relay-a-uid"}
    assert interference.gone(run(), [replace(build.pod("relay-a"), terminating=True)]) == {"relay-a-uid"}
    assert not interference.gone(run(), [build.pod("relay-a")])
    assert not interference.gone(run(fault="kill"), [])


def test_a_target_that_somebody_else_has_deleted_is_another_cause() -> None:
    target = {"fault": "slow", "pod": "relay-a", "uid": "relay-a-uid", "goneAt": NOW}
    finding = interference.deleted(build.run(faults=[DELAY], status={"targets": [target]}))
    assert finding is not None
    assert finding.reason == "TargetsGone"
    assert "relay-a was deleted during the run" in finding.message


def test_what_a_kill_of_the_same_run_takes_away_is_no_other_cause() -> None:
    targets = [{"fault": name, "pod": "relay-a", "uid": "relay-a-uid", "goneAt": NOW} for name in ("slow", "kill")]
    assert interference.deleted(build.run(faults=[DELAY, KILL], status={"targets": targets})) is None


def test_pods_that_went_because_the_run_scaled_them_down_are_no_other_cause() -> None:
    targets = [{"fault": name, "pod": "relay-a", "uid": "relay-a-uid", "goneAt": NOW} for name in ("slow", "down")]
    targets.append({"fault": "down", "pod": "relay-b", "uid": "relay-b-uid"})
    assert interference.deleted(build.run(faults=[DELAY, DOWN], status={"targets": targets})) is None


@pytest.mark.parametrize(("gone", "others"), [("a", False), ("ab", True), ("abc", True)])
def test_of_more_pods_that_went_than_the_run_scaled_down_somebody_else_took_one(gone: str, *, others: bool) -> None:
    """Which of them that was is up to the workload's controller, and not known."""
    down = {**DOWN, "scaleDown": {"replicas": 2}}
    targets = [
        {"fault": "down", "pod": f"relay-{name}", "uid": f"{name}-uid", **({"goneAt": NOW} if name in gone else {})}
        for name in "abc"
    ]
    finding = interference.deleted(build.run(faults=[down], status={"targets": targets}))
    assert (finding is not None) is others
    killed = [{"fault": "kill", "pod": "relay-b", "uid": "b-uid", "goneAt": NOW}]
    both = interference.deleted(build.run(faults=[down, KILL], status={"targets": [*targets, *killed]}))
    assert (both is not None) is (gone == "abc"), "what another fault of the run kills is nobody else's doing"


def test_what_listeners_missed_may_come_of_pods_that_no_fault_was_about() -> None:
    finding = interference.deleted(build.run(faults=[DELAY], status={"othersGone": ["relay-b", "store"]}))
    assert finding is not None
    assert finding.reason == "PodsGone"
    assert "relay-b, store was deleted during the run" in finding.message
    assert interference.deleted(build.run(faults=[DELAY])) is None


CLOSED = {"name": "closed", "duration": "10s", "roomUnavailable": {}}
BEFORE, MEANWHILE, AFTER = (f"2026-01-01T00:00:{second}Z" for second in ("05", "15", "25"))


def closed(*named: str, targets: int, fault: dict[str, Any] = CLOSED) -> ExperimentRun:
    """A run of so many targets, of which its record names these."""
    times = {"armedAt": "2026-01-01T00:00:10.5Z", "liftedAt": "2026-01-01T00:00:20.5Z"}
    record = {"name": fault["name"], "kind": "any", "targets": targets, "proven": True, "reverted": True, **times}
    hit = [{"fault": fault["name"], "pod": name, "uid": f"{name}-uid"} for name in named]
    return build.run(faults=[fault], status={"faults": [record], "targets": hit})


@pytest.mark.parametrize(
    ("created", "ready", "beside"),
    [
        (BEFORE, True, True),  # it had no address when the targets were chosen
        ("2026-01-01T00:00:10Z", True, True),  # in the very second of the arming
        (MEANWHILE, True, True),
        (MEANWHILE, False, False),  # nobody was sent to it
        (AFTER, True, False),
    ],
)
def test_a_pod_of_the_door_that_is_no_target_was_not_closed(created: str, *, ready: bool, beside: bool) -> None:
    hit, door = build.pod("door-0", created=BEFORE), replace(build.pod("door-2", created=created), ready=ready)
    finding = interference.came_beside(closed("door-0", targets=1), [hit, door])
    assert (finding is not None) is beside
    if finding is not None:
        assert finding.reason == "WrongDose"
        assert "door-2 came when the targets of fault closed were chosen already" in finding.message
    assert interference.came_beside(closed("door-0", targets=1, fault=DELAY), [hit, door]) is None


def test_of_many_doors_the_record_does_not_name_each_that_was_closed() -> None:
    doors = [build.pod(f"door-{number}", created=BEFORE) for number in range(3)]
    assert interference.came_beside(closed("door-0", targets=3), doors) is None
    finding = interference.came_beside(closed("door-0", targets=3), [build.pod("late", created=MEANWHILE), *doors])
    assert finding is not None
    assert finding.message.startswith("late came")


LASTING = [
    DELAY,
    DOWN,
    {"name": "air", "duration": "60s", "deadAir": {}},
    {"name": "closed", "duration": "60s", "roomUnavailable": {}},
]


def lasted(seconds: float, fault: dict[str, Any]) -> ExperimentRun:
    """A run whose fault was in force for so long."""
    times = {"armedAt": to_timestamp(START), "liftedAt": to_timestamp(START + seconds)}
    record = {"name": fault["name"], "kind": "any", "targets": 1, "proven": True, "reverted": True, **times}
    return build.run(faults=[fault], status={"faults": [record]})


@pytest.mark.parametrize("fault", LASTING, ids=["an agent's", "the operator's", "the host's", "the door's"])
def test_whoever_has_not_lifted_a_fault_in_time_it_is_another_cause(fault: dict[str, Any]) -> None:
    finding = interference.other_cause(lasted(75, fault))
    assert finding is not None
    assert finding.reason == "WrongDose"
    assert f"fault {fault['name']} lasted 75.0 s and was declared to last 60 s" in finding.message


@pytest.mark.parametrize(
    ("declared", "seconds", "longer"),
    [
        ("1s", 2.1, False),  # half a second late on either side, where a machine is busy
        ("1s", 2.3, True),
        ("5s", 6.9, False),
        ("5s", 14, True),  # lifted by the next life of the operator
        ("1h", 3609, False),
        ("1h", 3611, True),
    ],
)
def test_a_fault_may_last_a_share_and_a_second_longer_and_no_longer_than_a_lease(
    declared: str, seconds: float, *, longer: bool
) -> None:
    assert (interference.overlong(lasted(seconds, {**DELAY, "duration": declared})) is not None) is longer


def test_a_fault_that_is_not_over_or_has_no_duration_is_not_too_long() -> None:
    kill = {"name": "kill", "kind": "podKill", "targets": 1, "armedAt": NOW, "liftedAt": NOW}
    slow = {"name": "slow", "kind": "delay", "targets": 1, "armedAt": NOW}
    assert interference.overlong(build.run(faults=[DELAY, KILL], status={"faults": [kill, slow]})) is None
