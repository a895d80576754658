"""The speaker's voice, and the sound that a fault puts in its place."""

import time

from showstopper.audio import timecode
from showstopper.audio.host.speaker import StandIn
from tests.audio.host.microphone import is_silent, speaking


async def test_another_sound_is_sent_from_the_next_frame_on_and_until_its_time_is_over() -> None:
    async with speaking() as (voice, microphone):
        assert not any(map(is_silent, await microphone.after(20)))
        voice.stand_in = StandIn(timecode.encode_silence, time.monotonic() + 0.5)
        silenced = await microphone.after(20)
        assert all(map(is_silent, silenced[1:])), "not only from the next 100 ms on"
        while time.monotonic() < voice.stand_in.until:
            await microphone.after(1)
        assert not any(map(is_silent, (await microphone.after(21))[1:])), "nobody has told it to stop"
        assert 0.2 < voice.stand_in.seconds < 0.6


async def test_it_ends_as_soon_as_it_is_taken_away() -> None:
    async with speaking() as (voice, microphone):
        voice.stand_in = StandIn(timecode.encode_silence, time.monotonic() + 60)
        await microphone.after(5)
        voice.stand_in = None
        assert not any(map(is_silent, (await microphone.after(20))[1:]))


async def test_only_what_the_room_takes_is_counted() -> None:
    async with speaking() as (voice, microphone):
        voice.end()
        voice.stand_in = StandIn(timecode.encode_silence, time.monotonic() + 60)
        assert all(map(is_silent, (await microphone.after(20))[1:]))
        assert voice.stand_in.frames == 0
        voice.begin()
        await microphone.after(20)
        assert voice.stand_in.frames >= 19


async def test_hold_music_is_no_longer_than_without_it() -> None:
    async with speaking(hold_seconds=30) as (voice, microphone):
        before = voice.hold_until
        voice.stand_in = StandIn(timecode.encode_silence, time.monotonic() + 60)
        await microphone.after(5)
        assert voice.hold_until == before
