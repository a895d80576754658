"""What listeners make of the sound that a fault puts in the place of the host's, after the codec."""

import pytest

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.stage import DeadAir, HoldStall
from showstopper.audio.stage.sounds import sound_of
from showstopper.availability.spans import State
from tests.audio.test_garbled import shares, told
from tests.support.opus import RATE, through_opus
from tests.support.sounds import MOMENT


@pytest.mark.parametrize("bitrate", [16_000, 32_000])
@pytest.mark.parametrize(
    ("fault", "state"), [(DeadAir(), State.SILENT), (HoldStall(), State.HOLD)], ids=lambda each: type(each).__name__
)
def test_they_hear_what_the_fault_is_for(fault: FaultKind, state: State, bitrate: int) -> None:
    sound = sound_of(fault)(MOMENT - 0.1, RATE * 20, RATE)
    heard = shares(told(through_opus(sound, bitrate)))
    assert heard[state] > 0.95
    assert State.LIVE not in heard
