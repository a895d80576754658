"""Conditions: what kstatus, Argo CD and `kubectl wait` read, right at every moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api import conditions as api
from showstopper.api.conditions import Condition, ConditionType, Outlook, conditions, find, is_true
from showstopper.api.reasons import Reason

OUTLOOKS = {
    "in progress": api.in_progress(Reason.BASELINE, "listening"),
    "succeeded": api.succeeded(Reason.PASSED, "all met"),
    "failed": api.failed(Reason.EXPECTATION_MISSED, "not met"),
    "refused": api.refused(Reason.ROOM_NOT_FOUND, "there is none"),
    "waiting": api.waiting_for_person(Reason.SUSPENDED, "waits"),
}
outlooks = st.sampled_from(list(OUTLOOKS.values()))


def kstatus(standing: list[Condition], generation: int, observed: int) -> str:
    """What cli-utils and Helm 4 make of it (pkg/kstatus/status/generic.go)."""
    if observed != generation:
        return "InProgress"
    for condition in standing:
        if condition.type == "Reconciling" and condition.status == "True":
            return "InProgress"
        if condition.type == "Stalled" and condition.status == "True":
            return "Failed"
    ready = find(standing, ConditionType.READY)
    return "Current" if ready is None or ready.status == "True" else "InProgress"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("in progress", "InProgress"),
        ("succeeded", "Current"),
        ("failed", "Failed"),
        ("refused", "Failed"),
        ("waiting", "InProgress"),
    ],
)
def test_gitops_sees_what_is_meant(name: str, seen: str) -> None:
    assert kstatus(conditions(OUTLOOKS[name], generation=3, now="t"), 3, 3) == seen


@given(outlooks, st.integers(0, 9))
def test_all_types_are_there_for_this_generation_each_once(outlook: Outlook, generation: int) -> None:
    made = conditions(outlook, generation=generation, now="t")
    assert [condition.type for condition in made] == list(ConditionType)
    assert {condition.observed_generation for condition in made} == {generation}


@given(outlooks)
def test_never_reconciling_and_stalled_and_never_ready_with_either(outlook: Outlook) -> None:
    made = conditions(outlook, generation=1, now="t")
    true = {condition.type for condition in made if condition.status == "True"}
    assert not {ConditionType.RECONCILING, ConditionType.STALLED} <= true
    assert ConditionType.READY not in true or not true & {ConditionType.RECONCILING, ConditionType.STALLED}


def test_an_outlook_that_kstatus_forbids_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="kstatus forbids"):
        Outlook(Reason.LIVE, "", reconciling=True, stalled=True)


@given(st.lists(outlooks, min_size=2, max_size=6))
def test_the_time_moves_with_the_status_and_only_then(history: list[Outlook]) -> None:
    standing: list[Condition] = []
    for moment, outlook in enumerate(history):
        before, standing = standing, conditions(outlook, generation=moment, now=f"t{moment}", previous=standing)
        for kind in ConditionType:
            old, new = find(before, kind), find(standing, kind)
            assert new is not None
            if old is not None and old.status == new.status:
                assert new.last_transition_time == old.last_transition_time
            else:
                assert new.last_transition_time == f"t{moment}"


def test_a_long_message_is_cut_to_what_the_crd_takes() -> None:
    made = conditions(api.failed(Reason.EXPECTATION_MISSED, "x" * 5000), generation=1, now="t")
    assert {len(condition.message) for condition in made} == {1024}


def test_what_is_not_there_is_not_true() -> None:
    assert not is_true([], ConditionType.READY)
    assert is_true(conditions(OUTLOOKS["succeeded"], generation=1, now="t"), ConditionType.FINISHED)
