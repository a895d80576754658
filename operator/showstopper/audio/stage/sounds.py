"""Sounds: what a host sends in the place of its programme, by the fault that asks for it."""

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import DeadAir, HoldStall
from showstopper.audio import timecode
from showstopper.audio.speaker import Sound


def sound_of(fault: FaultKind) -> Sound:
    """The sound that a fault puts in the place of the host's.

    Raises:
        LookupError: it is no fault of the host's voice, which is a defect.
    """
    match fault:
        case DeadAir():
            return timecode.encode_silence
        case HoldStall():
            return timecode.encode_hold
        case _:
            raise LookupError(f"{type(fault).__name__} is no fault of a host's voice")
