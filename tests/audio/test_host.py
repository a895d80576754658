"""The host's word of itself: what the operator reads is what the host writes."""

from showstopper.audio.onstage import OnStage
from showstopper.audio.settings import RoomSettings
from showstopper.audio.speaker import Voice
from showstopper.availability.hosts import parse_host


async def test_the_operator_reads_what_the_host_says() -> None:
    voice = Voice(hold_seconds=3.0)
    on_stage = OnStage(RoomSettings("main-stage", "ws://relay:7880", "main", "key", "secret"), voice, "host-1")
    silent = parse_host(on_stage.document(), "host", 0.0, 0.0)
    assert (silent.speaks_from, silent.stalls) == (None, ())
    assert silent.started <= silent.clock
    voice.begin()
    voice.stood_still(silent.clock, silent.clock + 0.4)
    speaking = parse_host(on_stage.document(), "host", 0.0, 0.0)
    assert speaking.boot == silent.boot
    assert speaking.speaks_from is not None
    assert speaking.speaks_from >= silent.clock + 3.0
    assert speaking.stalls == ((silent.clock, silent.clock + 0.4),)
