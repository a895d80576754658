from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio import timecode
from tests.support.sounds import MOMENT

moments = st.floats(1.6e9, 2.2e9)


@pytest.mark.parametrize("hand", timecode.HANDS)
def test_a_hand_goes_over_its_reset_without_a_click(hand: timecode.Hand) -> None:
    assert (hand.low + hand.high) / 2 * hand.period == pytest.approx(round((hand.low + hand.high) / 2 * hand.period))


def test_bands_leave_room_between_each_other_and_stay_where_narrowband_opus_keeps_them() -> None:
    bands = sorted((hand.low, hand.high) for hand in timecode.HANDS)
    assert all(right[0] - left[1] >= 50 for left, right in pairwise(bands))
    assert bands[-1][1] < 3500
    assert bands[0][0] - max(timecode.HOLD_PITCHES) >= 50


def test_two_seconds_of_the_cycle_differ_by_a_window_s_resolution_at_one_hand() -> None:
    seconds = np.arange(timecode.CYCLE_SECONDS)
    pitches = np.stack([hand.low + hand.slope * (seconds % hand.period) for hand in timecode.HANDS[:-1]])
    apart = np.abs(pitches[:, :, None] - pitches[:, None, :]).max(axis=0)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= 40  # the main lobe of a Hann window of 100 ms


@given(moments, st.sampled_from([8000, 16000, 48000]))
def test_a_sound_cut_in_two_is_the_same_sound(start: float, rate: int) -> None:
    whole = timecode.encode(start, rate // 5, rate)
    later = timecode.encode(start + 0.1, rate // 10, rate)
    assert np.abs(whole[rate // 10 :] - later).max() < 0.005


@given(moments)
def test_it_never_clips_and_is_never_soft(start: float) -> None:
    for sound in (timecode.encode(start, 4000, 8000), timecode.encode_hold(start, 4000, 8000)):
        assert np.abs(sound).max() <= timecode.AMPLITUDE + 1e-6
        assert np.sqrt(np.mean(sound**2)) > 10 ** (-30 / 20)


def test_hold_music_swells_and_fades_slowly() -> None:
    loud = timecode.encode_hold(MOMENT, 16000 * 4, 16000).reshape(-1, 1600)
    power = np.sqrt((loud**2).mean(axis=1))
    assert 0.5 < power.min() / power.max() < 0.9
