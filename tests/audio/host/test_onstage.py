"""The host's place in the room, and the breaks that a fault has it take."""

import time

from tests.audio.host.microphone import speaking
from tests.audio.host.played_stage import on_stage, until


async def test_it_leaves_at_once_and_comes_back_by_itself() -> None:
    async with speaking() as (voice, _), on_stage(voice) as stage:
        begun = time.monotonic()
        away = stage.step_out(begun + 0.5)
        await until(stage, inside=False)
        assert time.monotonic() - begun < 0.2, "it does not wait for its next look at the relay"
        assert not voice.on_air
        await until(stage, inside=True)
        assert time.monotonic() >= away.until
        assert voice.on_air
        assert (stage.joined, stage.left) == (2, 1)
        assert 0.2 < away.seconds <= 0.5


async def test_it_stays_away_for_longer_when_its_end_is_moved_and_comes_back_when_it_is_told_to() -> None:
    async with speaking() as (voice, microphone), on_stage(voice) as stage:
        begun = time.monotonic()
        away = stage.step_out(begun + 0.2)
        await until(stage, inside=False)
        away.until = begun + 60
        await microphone.after(40)
        assert not stage.published, "its end was moved"
        stage.come_back(away)
        await until(stage, inside=True)
        assert time.monotonic() < begun + 10
        counted = away.seconds
        assert counted <= away.until - begun
        await microphone.after(5)
        assert away.seconds == counted, "it is over"


async def test_a_break_that_is_over_before_it_began_is_none() -> None:
    async with speaking() as (voice, _), on_stage(voice) as stage:
        away = stage.step_out(time.monotonic() - 1)
        stage.come_back(away)
        assert not away.lasts
        assert away.seconds == 0
    assert (stage.joined, stage.left) == (1, 0)


async def test_a_host_that_ends_in_a_break_has_left_already() -> None:
    async with speaking() as (voice, _), on_stage(voice) as stage:
        away = stage.step_out(time.monotonic() + 60)
        await until(stage, inside=False)
        assert away.left_at is not None
    await stage.leave()
    assert stage.left == 1
