"""What a door does to itself: armed, proven by whom it turned away, kept up by its lease, and lifted."""

import time
from typing import Any

import pytest

from showstopper.api.faults import stage as faults
from showstopper.api.injection import Injection, TargetState
from showstopper.audio.door.counts import Count
from showstopper.audio.door.desk import Desk
from showstopper.audio.stage.door_hits import DoorHits
from showstopper.clock import Clock
from showstopper.errors import LeaseLost
from showstopper.executor.hit import Hit
from tests.api.build import LEAVE_OUT, host_injection

UID = host_injection()["spec"]["targets"][0]["uid"]
UNAVAILABLE: dict[str, Any] = {"spec.roomUnavailable": {}}


def hit_on(desk: Desk, changes: dict[str, Any] | None = None, uid: str = UID) -> Hit:
    (hit,) = DoorHits(desk, uid, Clock()).of(
        Injection.parse(host_injection({"spec.deadAir": LEAVE_OUT, **(changes or UNAVAILABLE)}))
    )
    return hit


async def test_it_is_armed_proven_and_lifted() -> None:
    desk = Desk()
    hit = hit_on(desk)
    hit.arm(time.monotonic() + 10)
    assert (hit.record.state, hit.method) == (TargetState.ARMED, "answers")
    assert not hit.look(), "nobody has asked yet"
    assert await desk.turns_away("ann")
    assert hit.look(), "it has just been proven"
    assert not hit.look()
    assert hit.record.door is not None
    assert (hit.record.door.asked, hit.record.door.answered) == (1, 1)
    hit.lift()
    assert (hit.record.state, desk.unavailable) == (TargetState.LIFTED, None)
    assert hit.record.lifted_at
    assert not await desk.turns_away("ann")
    counted = hit.record.model_copy()
    hit.lift()
    assert hit.record == counted, "once is enough"


async def test_renewals_keep_it_up_and_a_late_one_does_not_bring_it_back() -> None:
    desk = Desk()
    hit = hit_on(desk)
    hit.arm(time.monotonic() + 0.05)
    hit.refresh(until := time.monotonic() + 0.3)
    assert await desk.turns_away("ann")
    while time.monotonic() < until:
        await desk.turns_away("ann")
    assert not await desk.turns_away("ann"), "it ends by itself, though nobody lifts it"
    with pytest.raises(LeaseLost):
        hit.refresh(time.monotonic() + 10)
    assert not await desk.turns_away("ann")


def test_a_lease_that_has_run_out_arms_nothing() -> None:
    desk = Desk()
    hit = hit_on(desk)
    hit.arm(time.monotonic() - 1)
    assert hit.record.state is TargetState.REFUSED
    assert desk.unavailable is None


def test_a_door_is_closed_once() -> None:
    desk = Desk()
    first, second = hit_on(desk), hit_on(desk)
    first.arm(time.monotonic() + 10)
    second.arm(time.monotonic() + 10)
    assert second.record.state is TargetState.REFUSED
    assert "closed by another fault now" in (second.record.message or "")
    second.lift()
    assert desk.unavailable is not None, "the first one goes on"


def test_a_pod_that_was_not_meant_says_so() -> None:
    hit = hit_on(Desk(), uid="another")
    assert "is another one now: it has the UID another" in (hit.record.message or "")


SKEWED: dict[str, Any] = {"spec.countSkew": {"shows": "Multiplied", "factor": 700}}
COUNT = Count(now=6, peak=8, cumulative=20, measured_at=100.0)


def test_a_wrong_count_is_proven_by_the_first_who_was_shown_one_and_is_lifted() -> None:
    desk = Desk()
    hit = hit_on(desk, SKEWED)
    hit.arm(time.monotonic() + 10)
    assert (hit.record.state, hit.method) == (TargetState.ARMED, "counts")
    assert not hit.look(), "nobody has asked yet"
    assert desk.shown("stage", COUNT).now == 4200
    assert hit.look()
    hit.lift()
    assert hit.record.door is not None
    assert (hit.record.door.asked, hit.record.door.answered) == (1, 1)
    assert desk.shown("stage", COUNT) == COUNT


def test_a_door_may_be_closed_and_show_a_wrong_count_but_one_at_a_time() -> None:
    desk = Desk()
    hits = [hit_on(desk), hit_on(desk, SKEWED), hit_on(desk, SKEWED)]
    for hit in hits:
        hit.arm(time.monotonic() + 10)
    assert [hit.record.state for hit in hits] == [TargetState.ARMED, TargetState.ARMED, TargetState.REFUSED]
    assert "wrong count of another fault now" in (hits[2].record.message or "")


@pytest.mark.parametrize("way", list(faults.Skew))
def test_every_way_of_the_model_is_one_that_a_door_knows(way: faults.Skew) -> None:
    factor = {"factor": 3} if way is faults.Skew.MULTIPLIED else {}
    desk = Desk()
    hit_on(desk, {"spec.countSkew": {"shows": way.value, **factor}}).arm(time.monotonic() + 10)
    assert desk.miscounting is not None
    assert desk.miscounting.way.value == way.value


def test_a_share_and_a_wait_are_as_they_were_written() -> None:
    desk = Desk()
    hit_on(desk, {"spec.roomUnavailable": {"percent": "25%", "wait": "1500ms"}}).arm(time.monotonic() + 10)
    assert desk.unavailable is not None
    assert (desk.unavailable.share, desk.unavailable.wait) == (0.25, 1.5)
