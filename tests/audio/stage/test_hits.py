"""What a host does to itself: armed, proven by what it sent, kept up by its lease, and lifted."""

import time
from typing import Any

import pytest

from showstopper.api.injection import Injection, TargetState
from showstopper.audio.host.speaker import Voice
from showstopper.audio.stage.hits import Host, HostHits
from showstopper.clock import Clock
from showstopper.errors import LeaseLost
from showstopper.executor.hit import Hit
from tests.api.build import LEAVE_OUT, host_injection
from tests.audio.host.microphone import is_silent, speaking
from tests.audio.host.played_stage import PlayedStage, on_stage, until

UID = host_injection()["spec"]["targets"][0]["uid"]


LEAVES = {"spec.deadAir": LEAVE_OUT, "spec.hostLeaves": {}}


def hit_on(host: Host, changes: dict[str, Any] | None = None, uid: str = UID) -> Hit:
    (hit,) = HostHits(host, uid, Clock()).of(Injection.parse(host_injection(changes)))
    return hit


def silence(voice: Voice, uid: str = UID) -> Hit:
    return hit_on(Host(voice, PlayedStage(voice)), uid=uid)


async def test_it_is_armed_proven_and_lifted() -> None:
    async with speaking() as (voice, microphone):
        hit = silence(voice)
        assert hit.record.message is None
        hit.arm(time.monotonic() + 10)
        assert (hit.record.state, hit.method) == (TargetState.ARMED, "voice")
        assert hit.record.armed_at
        assert all(map(is_silent, (await microphone.after(20))[1:]))
        assert hit.look(), "it has just been proven"
        assert not hit.look()
        assert hit.record.host is not None
        assert hit.record.host.milliseconds >= 190
        hit.lift()
        assert (hit.record.state, voice.stand_in) == (TargetState.LIFTED, None)
        assert hit.record.lifted_at
        assert not any(map(is_silent, (await microphone.after(20))[1:]))
        counted = hit.record.model_copy()
        hit.lift()
        assert hit.record == counted, "once is enough"


async def test_a_host_that_is_off_the_air_proves_nothing() -> None:
    async with speaking() as (voice, microphone):
        voice.end()
        hit = silence(voice)
        hit.arm(time.monotonic() + 10)
        await microphone.after(10)
        assert not hit.look()
        assert not hit.record.proven


async def test_renewals_keep_it_up_and_a_late_one_does_not_bring_it_back() -> None:
    async with speaking() as (voice, microphone):
        hit = silence(voice)
        hit.arm(time.monotonic() + 0.1)
        hit.refresh(until := time.monotonic() + 0.6)
        assert all(map(is_silent, (await microphone.after(20))[1:])), "for longer than 100 ms"
        while time.monotonic() < until:
            await microphone.after(1)
        with pytest.raises(LeaseLost):
            hit.refresh(time.monotonic() + 10)
        assert not any(map(is_silent, (await microphone.after(10))[1:]))


async def test_a_lease_that_has_run_out_arms_nothing() -> None:
    async with speaking() as (voice, _):
        hit = silence(voice)
        hit.arm(time.monotonic() - 1)
        assert hit.record.state is TargetState.REFUSED
        assert voice.stand_in is None


async def test_a_host_carries_out_one_fault_at_a_time() -> None:
    async with speaking() as (voice, _):
        host = Host(voice, PlayedStage(voice))
        first, second = hit_on(host), hit_on(host, LEAVES)
        first.arm(time.monotonic() + 10)
        second.arm(time.monotonic() + 10)
        assert second.record.state is TargetState.REFUSED
        assert "carries out another fault now" in (second.record.message or "")
        second.lift()
        assert voice.stand_in is not None, "the first one goes on"
        first.lift()
        again = hit_on(host)
        again.arm(time.monotonic() + 10)
        assert again.record.state is TargetState.ARMED
        again.lift()


async def test_a_pod_that_was_not_meant_says_so() -> None:
    async with speaking() as (voice, _):
        hit = silence(voice, "another")
        assert hit.record.message == f"pod main-stage-host-a is another one now: it has the UID another, and not {UID}"


async def test_a_host_that_leaves_is_proven_by_its_time_out_of_the_room_and_comes_back() -> None:
    async with speaking() as (voice, microphone), on_stage(voice) as stage:
        hit = hit_on(Host(voice, stage), LEAVES)
        hit.arm(time.monotonic() + 10)
        assert (hit.record.state, hit.method) == (TargetState.ARMED, "leave")
        assert not hit.look(), "it has not left yet"
        await until(stage, inside=False)
        await microphone.after(10)
        assert hit.look()
        hit.lift()
        assert hit.record.state is TargetState.LIFTED
        assert hit.record.host is not None
        assert hit.record.host.milliseconds > 50
        await until(stage, inside=True)
        assert voice.stand_in is None


async def test_a_host_that_has_left_comes_back_when_nobody_renews_the_lease() -> None:
    async with speaking() as (voice, _), on_stage(voice) as stage:
        hit = hit_on(Host(voice, stage), LEAVES)
        hit.arm(time.monotonic() + 0.3)
        await until(stage, inside=False)
        await until(stage, inside=True)
        with pytest.raises(LeaseLost):
            hit.refresh(time.monotonic() + 10)
        assert stage.joined == 2
