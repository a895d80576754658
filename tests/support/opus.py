"""Real Opus frames for tests: 20 ms mono frames by libopus, and what a listener hears of them."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable

import numpy as np

from showstopper.audio.crowd.matching.opus import Decoder, library
from showstopper.audio.timecode import Samples

RATE = 48000
FRAME = RATE // 50
APPLICATION_VOIP = 2048
SET_BITRATE = 4002
SET_DTX = 4016
MAX_BYTES = 1500


class Encoder:
    """Encodes one stream, frame by frame, without DTX."""

    def __init__(self, bitrate: int) -> None:
        self._opus = library()
        self._opus.opus_encoder_create.restype = ctypes.c_void_p
        self._state = ctypes.c_void_p(self._opus.opus_encoder_create(RATE, 1, APPLICATION_VOIP, None))
        self._packet = ctypes.create_string_buffer(MAX_BYTES)
        assert self._opus.opus_encoder_ctl(self._state, SET_BITRATE, ctypes.c_int(bitrate)) == 0
        assert self._opus.opus_encoder_ctl(self._state, SET_DTX, ctypes.c_int(0)) == 0
        weakref.finalize(self, self._opus.opus_encoder_destroy, self._state)

    def encode(self, frame: Samples) -> bytes:
        """The packet of a frame at 48 kHz."""
        sound = np.ascontiguousarray(frame, np.float32)
        data = ctypes.c_void_p(sound.ctypes.data)
        size = self._opus.opus_encode_float(self._state, data, FRAME, self._packet, MAX_BYTES)
        assert size > 0
        return self._packet.raw[:size]


def packets(sound: Samples, bitrate: int) -> list[bytes]:
    """The packets of `sound` (48 kHz)."""
    encoder = Encoder(bitrate)
    return [encoder.encode(sound[start : start + FRAME]) for start in range(0, len(sound) - FRAME + 1, FRAME)]


def through_opus(sound: Samples, bitrate: int, lost: Callable[[int], bool] = lambda frame: False) -> Samples:
    """What a listener hears of `sound` (48 kHz), at 8 kHz: frames are lost where `lost(index)` says so."""
    decoder = Decoder()
    parts = [
        decoder.conceal() if lost(index) else decoder.decode(packet)
        for index, packet in enumerate(packets(sound, bitrate))
    ]
    return np.concatenate(parts).astype(np.float32) / np.float32(32768)
