"""What listeners make of the sound that a fault puts in the place of the host's, after the codec."""

import numpy as np
import pytest

from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.pods import PodKill
from showstopper.api.faults.stage import DeadAir, Garble, HoldStall
from showstopper.audio import timecode
from showstopper.audio.stage.sounds import scrambled, sound_of
from showstopper.availability.spans import State
from tests.audio.listener.test_garbled import shares, told
from tests.support.opus import RATE, through_opus
from tests.support.sounds import MOMENT

SPOKEN = MOMENT - 0.1
SECONDS = 20


def heard_of(fault: FaultKind, bitrate: int) -> dict[State, float]:
    sound = sound_of(fault, SPOKEN)(SPOKEN, RATE * SECONDS, RATE)
    return shares(told(through_opus(sound, bitrate)))


@pytest.mark.parametrize("bitrate", [16_000, 32_000])
@pytest.mark.parametrize(
    ("fault", "state"),
    [(DeadAir(), State.SILENT), (HoldStall(), State.HOLD), (Garble(), State.GARBLED)],
    ids=lambda each: type(each).__name__,
)
def test_they_hear_what_the_fault_is_for(fault: FaultKind, state: State, bitrate: int) -> None:
    heard = heard_of(fault, bitrate)
    assert heard[state] > 0.95
    assert State.LIVE not in heard


@pytest.mark.parametrize("bitrate", [16_000, 32_000])
def test_between_two_bursts_they_hear_the_host(bitrate: int) -> None:
    heard = heard_of(Garble.model_validate({"burst": "1s", "every": "2s"}), bitrate)
    assert heard[State.GARBLED] > 0.35
    assert heard[State.LIVE] > 0.35


def test_a_pattern_begins_with_a_burst_and_is_no_other_for_who_asks_in_parts() -> None:
    sound = sound_of(Garble.model_validate({"burst": "1s", "every": "3s"}), SPOKEN)
    code = timecode.encode(SPOKEN, RATE * 3, RATE)
    whole = sound(SPOKEN, RATE * 3, RATE)
    assert np.array_equal(whole[RATE:], code[RATE:]), "after the burst it is the host"
    assert not np.array_equal(whole[:RATE], code[:RATE])
    later = sound(SPOKEN + 1, RATE, RATE)
    assert np.allclose(later, code[RATE : 2 * RATE], atol=1e-3)


def test_mangled_sound_is_as_loud_as_the_host() -> None:
    mangled, code = scrambled(SPOKEN, RATE, RATE), timecode.encode(SPOKEN, RATE, RATE)
    assert np.allclose(np.abs(mangled), np.abs(code))
    assert not np.array_equal(mangled, code)


def test_what_is_no_fault_of_a_voice_is_a_defect() -> None:
    with pytest.raises(LookupError, match="PodKill is no fault of a host's voice"):
        sound_of(PodKill(), SPOKEN)
