"""libopus by ctypes, as much of it as decodes packets of 20 ms to 8 kHz: it is in Debian, and PyAV brings 100 MB."""

from __future__ import annotations

import ctypes
import ctypes.util
import weakref
from functools import cache

import numpy as np
from numpy.typing import NDArray

from showstopper.audio.hearing.reading import RATE, SLICE

_MOST_SAMPLES = RATE * 120 // 1000
"""Of the longest packet that Opus knows (RFC 6716, 2.1.4)."""


class Undecodable(Exception):
    """A payload that is not 20 ms of Opus."""


@cache
def library() -> ctypes.CDLL:
    """The library.

    Raises:
        RuntimeError: where it is not installed. It says how to get it.
    """
    name = ctypes.util.find_library("opus")
    if name is None:
        raise RuntimeError("libopus is not installed; `apt-get install libopus0` brings it")
    opus = ctypes.CDLL(name)
    opus.opus_decoder_create.restype = ctypes.c_void_p
    opus.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    opus.opus_decode.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ]
    return opus


class Decoder:
    """Decodes one stream, packet by packet."""

    def __init__(self) -> None:
        self._opus = library()
        self._state = self._opus.opus_decoder_create(RATE, 1, None)
        self._samples = np.zeros(_MOST_SAMPLES, np.int16)
        weakref.finalize(self, self._opus.opus_decoder_destroy, self._state)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """160 samples of the next packet.

        Raises:
            Undecodable: if it is not 20 ms of Opus. The decoder is not to be used any more.
        """
        if not payload:
            raise Undecodable("an empty payload")
        return self._decoded(payload, _MOST_SAMPLES)

    def conceal(self) -> NDArray[np.int16]:
        """160 samples in place of a packet that was lost."""
        return self._decoded(None, SLICE)

    def _decoded(self, payload: bytes | None, room: int) -> NDArray[np.int16]:
        length = len(payload or b"")
        count = self._opus.opus_decode(self._state, payload, length, self._samples.ctypes.data, room, 0)
        if count != SLICE:
            raise Undecodable(f"libopus: error {count}" if count < 0 else f"{count} samples instead of {SLICE}")
        return self._samples[:SLICE].copy()
