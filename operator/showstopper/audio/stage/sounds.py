"""Sounds: what a host sends in the place of its programme, by the fault that asks for it."""

import numpy as np

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import DeadAir, Garble, HoldStall
from showstopper.audio import timecode
from showstopper.audio.host.speaker import Sound
from showstopper.audio.timecode import Samples


def sound_of(fault: FaultKind, began: float) -> Sound:
    """The sound that a fault puts in the place of the host's.

    Args:
        fault: of the host's voice.
        began: when it began, in seconds since the epoch: a pattern begins then.

    Raises:
        LookupError: it is no fault of the host's voice, which is a defect.
    """
    match fault:
        case DeadAir():
            return timecode.encode_silence
        case HoldStall():
            return timecode.encode_hold
        case Garble(burst=None):
            return scrambled
        case Garble():
            assert fault.burst is not None
            assert fault.every is not None
            return _in_bursts(fault.burst.total_seconds(), fault.every.total_seconds(), began)
        case _:
            raise LookupError(f"{type(fault).__name__} is no fault of a host's voice")


def scrambled(start: float, count: int, rate: int) -> Samples:
    """The host's own sound, each sample with a sign by chance: as loud as before, and noise to everybody.

    Its energy lies evenly on all pitches, so that no window reads as a code (`reading.CLEAR_SHARE`), after any codec.
    """
    signs = 2 * np.random.default_rng(int(start * rate)).integers(0, 2, count) - 1
    return (timecode.encode(start, count, rate) * signs).astype(np.float32)


def _in_bursts(burst: float, every: float, began: float) -> Sound:
    def sound(start: float, count: int, rate: int) -> Samples:
        inside = (start - began + np.arange(count) / rate) % every < burst
        return np.where(inside, scrambled(start, count, rate), timecode.encode(start, count, rate))

    return sound
