"""The host's word of itself: what the operator reads is what the host writes."""

import time

from showstopper.audio import timecode
from showstopper.audio.host.onstage import OnStage
from showstopper.audio.host.speaker import StandIn, Voice
from showstopper.availability.hosts import STOOD_STILL, HostLog, parse_host
from showstopper.availability.spans import Window
from tests.audio.host.microphone import speaking
from tests.audio.host.played_stage import ROOM, on_stage, until


async def test_the_operator_reads_what_the_host_says() -> None:
    voice = Voice(hold_seconds=3.0)
    on_stage = OnStage(ROOM, voice, "host-1")
    silent = parse_host(on_stage.document(), "host", 0.0, 0.0)
    assert (silent.speaks_from, silent.stalls) == (None, ())
    assert silent.started <= silent.clock
    voice.begin()
    voice.stood_still(silent.clock, silent.clock + 0.4)
    spoken = parse_host(on_stage.document(), "host", 0.0, 0.0)
    assert spoken.boot == silent.boot
    assert spoken.speaks_from is not None
    assert spoken.speaks_from >= silent.clock + 3.0
    assert spoken.stalls == ((silent.clock, silent.clock + 0.4),)


async def test_what_a_fault_has_the_host_say_is_no_absence_of_the_host() -> None:
    """Silence by the fault is what the room is tested with. It excuses nothing (`availability/excuses.py`)."""
    async with speaking() as (voice, microphone):
        on_stage = OnStage(ROOM, voice, "host-1")
        log = HostLog()
        log.add(parse_host(on_stage.document(), "host", 0.0, 0.0))
        begun = time.monotonic()
        voice.stand_in = StandIn(timecode.encode_silence, begun + 60)
        await microphone.after(20)
        log.add(parse_host(on_stage.document(), "host", 0.0, 0.0))
        assert log.absences(Window(begun, time.monotonic()), seen=begun) == []
        voice.stood_still(begun, begun + 0.3)
        log.add(parse_host(on_stage.document(), "host", 0.0, 0.0))
        (absence,) = log.absences(Window(begun, time.monotonic()), seen=begun)
        assert absence.why == STOOD_STILL, "an absence beside the fault is one"


async def test_a_host_that_a_fault_takes_out_of_the_room_is_no_absence_of_the_host() -> None:
    """Its process is well and says so, as one that the room has thrown out: what listeners miss is not excused."""
    async with speaking() as (voice, microphone), on_stage(voice) as stage:
        log = HostLog()
        log.add(parse_host(stage.document(), "host", 0.0, 0.0))
        begun = time.monotonic()
        away = stage.step_out(begun + 60)
        await until(stage, inside=False)
        await microphone.after(20)
        document = stage.document()
        log.add(parse_host(document, "host", 0.0, 0.0))
        stage.come_back(away)
        await until(stage, inside=True)
        log.add(parse_host(stage.document(), "host", 0.0, 0.0))
        assert document["published"] is False
        assert log.absences(Window(begun, time.monotonic()), seen=begun) == []
