"""What an agent says: of every state of the targets and every ending, in words that kstatus understands."""

import pytest

from showstopper.agent.hits.records import record_counts
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.injection import (
    InjectedTarget,
    Injection,
    InjectionSpec,
    InjectionStatus,
    PacketCounts,
    TargetState,
)
from showstopper.executor.status import EndReason, InjectionState, ending_of, invalid, outlook, over, status
from tests.api.build import injection

NOW, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.000000Z"


def target(state: TargetState = TargetState.ARMED, matched: int = 0, **more: object) -> InjectedTarget:
    made = InjectedTarget(uid="u", pod="relay-0", state=state).model_copy(update=more)
    if matched:
        record_counts(made, PacketCounts(at=NOW, matched=matched, affected=matched // 2))
    return made


def spec(targets: int) -> InjectionSpec:
    """A packet loss on so many targets."""
    each = injection()["spec"]["targets"][0]
    wanted = [{**each, "uid": str(number)} for number in range(targets)]
    return Injection.parse(injection({"spec.targets": wanted})).spec


@pytest.mark.parametrize(
    ("targets", "state", "reason", "says"),
    [
        ([], InjectionState(), "Arming", "0 of 2"),
        ([target(), target()], InjectionState(), "WaitingForProof", "0 of 2 targets"),
        ([target(matched=9), target()], InjectionState(), "WaitingForProof", "1 of 2 targets"),
        ([target(matched=9), target(matched=1)], InjectionState(), "Active", "10 packets matched, 4 affected"),
        ([target(matched=9), target(TargetState.GONE)], InjectionState(), "Active", "9 packets matched"),
        ([target(TargetState.GONE, message="p is gone")] * 2, InjectionState(), "TargetsGone", "p is gone"),
        ([target(), target(TargetState.REFUSED, message="no means")], InjectionState(), "Refused", "no means"),
        ([target(matched=9), target(TargetState.LIFTED, message="no eth0")], InjectionState(), "NotKeptUp", "no eth0"),
        ([target(TargetState.LIFTED, matched=3)] * 2, InjectionState(EndReason.LIFTED), "Lifted", "6 packets matched"),
        (
            [target(TargetState.LIFTED)] * 2,
            InjectionState(EndReason.LEASE_LOST, "not renewed"),
            "LeaseLost",
            "not renewed",
        ),
        ([], InjectionState(EndReason.STOPPED, "stopped: x"), "Stopped", "stopped: x"),
        ([], InjectionState(EndReason.AGENT_FAILED), "AgentFailed", "AgentFailed"),
        (
            [target(TargetState.LEFT_OVER, leftovers=["table ip x"])],
            InjectionState(EndReason.LIFTED),
            "LeftOver",
            "table ip x",
        ),
        ([target(TargetState.LEFT_OVER, message="?")], InjectionState(EndReason.LEASE_LOST), "LeftOver", "?"),
    ],
)
def test_where_it_stands(targets: list[InjectedTarget], state: InjectionState, reason: str, says: str) -> None:
    injection_outlook = outlook(spec(2), targets, state)
    assert injection_outlook.reason == reason
    assert says in injection_outlook.message


def test_only_what_is_lifted_without_leftovers_ends_well() -> None:
    for ending in EndReason:
        injection_outlook = outlook(spec(1), [target(TargetState.LIFTED)], InjectionState(ending))
        assert (injection_outlook.ready == "True") == (ending in {EndReason.LIFTED, EndReason.DELETED})
        assert injection_outlook.finished
    left = target(TargetState.LEFT_OVER, leftovers=["q"])
    assert outlook(spec(1), [left], InjectionState(EndReason.LIFTED)).ready == "False"


@pytest.mark.parametrize("ending", EndReason)
def test_it_is_not_over_before_every_target_is_lifted(ending: EndReason) -> None:
    injection_outlook = outlook(spec(2), [target(TargetState.LIFTED), target()], InjectionState(ending, "why"))
    assert (injection_outlook.reason, injection_outlook.finished) == ("Lifting", False)


def test_the_first_packet_is_kept_and_the_last_look_moves() -> None:
    made = target()
    assert not record_counts(made, PacketCounts(at=NOW))
    assert made.first is None
    assert not made.touched
    assert record_counts(made, PacketCounts(at=NOW, matched=3, affected=1))
    assert not record_counts(made, PacketCounts(at=LATER, matched=7, affected=2))
    assert made.first is not None
    assert made.last is not None
    assert (made.first.matched, made.first.at) == (3, NOW)
    assert made.proven
    assert (made.last.matched, made.last.affected, made.last.at) == (7, 2, LATER)


def test_packets_that_were_not_media_prove_nothing_where_there_is_some() -> None:
    made = target()
    record_counts(made, PacketCounts(at=NOW, matched=3, affected=3, media=0))
    assert made.touched
    assert not made.proven
    record_counts(made, PacketCounts(at=NOW, matched=4, affected=4, media=1))
    assert made.proven


def test_packets_that_only_matched_prove_nothing() -> None:
    made = target(matched=1)
    assert made.touched
    assert not made.proven


def test_generation_and_conditions_are_of_one_piece_and_times_move_with_status_only() -> None:
    first = status(spec(1), [target()], InjectionState(), generation=1, now=NOW, before=InjectionStatus())
    then = status(spec(1), [target(matched=1)], InjectionState(), generation=2, now=LATER, before=first)
    assert then.observed_generation == 2
    assert {condition.observed_generation for condition in then.conditions} == {2}
    ready, stalled = (find(then.conditions, kind) for kind in (ConditionType.READY, ConditionType.STALLED))
    assert ready is not None
    assert stalled is not None
    assert (ready.last_transition_time, stalled.last_transition_time) == (LATER, NOW)


def test_what_an_earlier_life_had_armed_is_over() -> None:
    kept = target(TargetState.GONE)
    swept, untouched = over([target(matched=2), kept], "swept", now=LATER)
    assert (swept.state, swept.message, swept.lifted_at) == (TargetState.LIFTED, "swept", LATER)
    assert swept.first is not None
    assert untouched is kept


def test_what_an_earlier_life_had_armed_and_nobody_could_undo_is_left_over() -> None:
    (left,) = over([target(matched=2)], "swept", now=LATER, left={"u": "/sys/fs/cgroup/cpu.max"})
    assert (left.state, left.leftovers) == (TargetState.LEFT_OVER, ["/sys/fs/cgroup/cpu.max"])
    state = InjectionState(EndReason.AGENT_RESTARTED, "swept")
    assert outlook(spec(1), [left], state).reason == "LeftOver"


@pytest.mark.parametrize("ending", EndReason)
def test_an_ending_is_known_again_from_what_was_told(ending: EndReason) -> None:
    told = status(
        spec(1), [target(TargetState.LIFTED)], InjectionState(ending), generation=1, now=NOW, before=InjectionStatus()
    )
    known = ending_of(told)
    assert known is (EndReason.LIFTED if ending is EndReason.DELETED else ending)
    lasting = status(spec(1), [target()], InjectionState(), generation=1, now=NOW, before=InjectionStatus())
    assert ending_of(lasting) is None
    assert ending_of(InjectionStatus()) is None


def test_what_cannot_be_read_says_so() -> None:
    told = invalid({"metadata": {"name": "x", "generation": 3}}, "spec.targets.0.address: wrong", now=NOW)
    assert told.observed_generation == 3
    assert is_true(told.conditions, ConditionType.STALLED)
    assert "wrong" in (told.message or "")
