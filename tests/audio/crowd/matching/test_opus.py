import random

import numpy as np
import pytest

from showstopper.audio import timecode
from showstopper.audio.crowd.matching.opus import Decoder, Undecodable
from showstopper.audio.hearing import reading
from tests.support import opus
from tests.support.sounds import MOMENT


def test_a_packet_is_one_slice_and_a_lost_one_is_made_up() -> None:
    decoder = Decoder()
    packets = opus.packets(timecode.encode(MOMENT, opus.RATE, opus.RATE), 32_000)
    sound = [decoder.conceal() if number == 30 else decoder.decode(packet) for number, packet in enumerate(packets)]
    assert {len(part) for part in sound} == {reading.SLICE}
    assert {part.dtype for part in sound} == {np.dtype(np.int16)}
    windows = np.concatenate(sound).astype(np.float32).reshape(-1, reading.WINDOW) / np.float32(32768)
    assert reading.read(windows).clear[1:6].all()


@pytest.mark.parametrize("payload", [b"", bytes([0x00]), bytes([0xFF, 0xFF, 0xFF])], ids=["empty", "10 ms", "cut off"])
def test_what_is_not_20_ms_of_opus_is_refused(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        Decoder().decode(payload)


def test_nonsense_is_sound_or_refused() -> None:
    draw = random.Random(5)
    for _ in range(2000):
        try:
            assert len(Decoder().decode(draw.randbytes(draw.randint(0, 200)))) == reading.SLICE
        except Undecodable:
            continue
