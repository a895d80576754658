"""Real Opus frames for tests: libopus by ctypes, 20 ms mono frames, with the decoder's own concealment of lost ones."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable

import numpy as np

from showstopper.audio.timecode import Samples

RATE = 48000
FRAME = RATE // 50
APPLICATION_VOIP = 2048
SET_BITRATE = 4002
SET_DTX = 4016
MAX_BYTES = 1500


def library() -> ctypes.CDLL:
    """libopus, or a sentence that says how to get it."""
    name = ctypes.util.find_library("opus")
    if name is None:
        raise RuntimeError("libopus is not installed; `apt-get install libopus0` brings it")
    opus = ctypes.CDLL(name)
    opus.opus_encoder_create.restype = ctypes.c_void_p
    opus.opus_decoder_create.restype = ctypes.c_void_p
    opus.opus_encoder_destroy.argtypes = [ctypes.c_void_p]
    opus.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    opus.opus_encode_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    opus.opus_decode_float.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ]
    return opus


def through_opus(sound: Samples, bitrate: int, lost: Callable[[int], bool] = lambda frame: False) -> Samples:
    """What a listener hears of `sound` (48 kHz), at 8 kHz: frames are lost where `lost(index)` says so."""
    opus = library()
    error = ctypes.c_int()
    encoder = opus.opus_encoder_create(RATE, 1, APPLICATION_VOIP, ctypes.byref(error))
    assert error.value == 0
    decoder = opus.opus_decoder_create(8000, 1, ctypes.byref(error))
    assert error.value == 0
    assert opus.opus_encoder_ctl(ctypes.c_void_p(encoder), SET_BITRATE, bitrate) == 0
    assert opus.opus_encoder_ctl(ctypes.c_void_p(encoder), SET_DTX, 0) == 0
    packet = ctypes.create_string_buffer(MAX_BYTES)
    heard = np.zeros(160, np.float32)
    parts = []
    for index in range(len(sound) // FRAME):
        frame = np.ascontiguousarray(sound[index * FRAME : (index + 1) * FRAME], np.float32)
        size = opus.opus_encode_float(encoder, frame.ctypes.data, FRAME, packet, MAX_BYTES)
        assert size > 0
        given = (None, 0) if lost(index) else (packet.raw[:size], size)
        count = opus.opus_decode_float(decoder, *given, heard.ctypes.data, 160, 0)
        assert count == 160
        parts.append(heard.copy())
    opus.opus_encoder_destroy(encoder)
    opus.opus_decoder_destroy(decoder)
    return np.concatenate(parts)
