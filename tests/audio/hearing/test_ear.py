import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.audio.hearing import reading
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import Ear, HeardSpan
from showstopper.audio.timecode import Samples
from showstopper.availability.spans import State
from tests.support import sounds
from tests.support.sounds import MOMENT

MONOTONIC = 1000.0
"""Monotonic time at which the sounds begin; the wall clock then stands at MOMENT."""


def wall(monotonic: float) -> float:
    return MOMENT + monotonic - MONOTONIC


def heard(sound: Samples, rules: Rules | None = None, frame: int = 400, ask_every: int = 5) -> list[HeardSpan]:
    """What an ear says of a sound, with neighbours in one class as one."""
    ear = Ear(rules or Rules(), wall)
    told: list[HeardSpan] = []
    samples = sounds.quantized(sound)
    for index in range(len(samples) // frame):
        end = (index + 1) * frame
        ear.listen(samples[end - frame : end], MONOTONIC + end / reading.RATE)
        if index % ask_every == 0:
            told += ear.heard()
    return merged(told + ear.heard(ended=True))


def merged(stretches: list[HeardSpan]) -> list[HeardSpan]:
    result: list[HeardSpan] = []
    for stretch in stretches:
        if result and (result[-1].state, result[-1].quiet) == (stretch.state, stretch.quiet):
            assert result[-1].end == pytest.approx(stretch.start, abs=1e-9)
            result[-1] = HeardSpan(stretch.state, result[-1].start, stretch.end, stretch.delay, stretch.quiet)
        else:
            result.append(stretch)
    return result


def around(told: list[HeardSpan]) -> list[tuple[State, float, float]]:
    return [(stretch.state, round(stretch.start - MONOTONIC, 3), round(stretch.end - MONOTONIC, 3)) for stretch in told]


def test_a_cut_is_heard_where_it_is_to_twenty_milliseconds() -> None:
    sound = sounds.code(MOMENT - 0.2, 6)
    sound[round(2.37 * reading.RATE) : round(3.71 * reading.RATE)] = 0
    assert around(heard(sound)) == [
        (State.LIVE, 0.0, pytest.approx(2.37, abs=0.02)),
        (State.SILENT, pytest.approx(2.37, abs=0.02), pytest.approx(3.71, abs=0.02)),
        (State.LIVE, pytest.approx(3.71, abs=0.02), 6.0),
    ]


@given(st.floats(0.5, 3.0), st.floats(0.13, 2.0), st.integers(1, 9), st.sampled_from([80, 160, 400, 800]))
@settings(max_examples=40, deadline=None)
def test_a_cut_is_heard_whenever_it_comes_and_however_frames_are_taken(
    start: float, length: float, ask_every: int, frame: int
) -> None:
    sound = sounds.code(MOMENT - 0.1, 6)
    sound[round(start * reading.RATE) : round((start + length) * reading.RATE)] = 0
    told = heard(sound, frame=frame, ask_every=ask_every)
    assert [stretch.state for stretch in told] == [State.LIVE, State.SILENT, State.LIVE]
    assert told[1].start - MONOTONIC == pytest.approx(start, abs=0.021)
    assert told[1].end - MONOTONIC == pytest.approx(start + length, abs=0.021)


def test_hold_music_then_the_host() -> None:
    sound = np.concatenate([sounds.silence(0.5), sounds.hold(2), sounds.code(MOMENT + 2.4, 2)])
    states = [stretch.state for stretch in heard(sound)]
    assert [state for state in states if state is not State.UNCLEAR] == [State.SILENT, State.HOLD, State.LIVE]


def test_live_says_its_delay_and_a_replayed_host_is_stale() -> None:
    live, stale = heard(sounds.code(MOMENT - 0.25, 2)), heard(sounds.code(MOMENT - 90, 2))
    assert live[0].delay == pytest.approx(0.25, abs=0.002)
    assert stale[0].state is State.STALE
    assert stale[0].delay == pytest.approx(90, abs=0.002)


@pytest.mark.parametrize("frame", [80, 400, 800])
@pytest.mark.parametrize("ask_every", [1, 5, 30])
def test_noise_is_garbled_from_its_first_to_its_last_moment_however_it_comes(frame: int, ask_every: int) -> None:
    assert [stretch.state for stretch in heard(sounds.noise(3), frame=frame, ask_every=ask_every)] == [State.GARBLED]


def test_stretches_have_no_hole_and_no_overlap_while_the_clock_settles() -> None:
    ear = Ear(Rules(), wall)
    samples = sounds.quantized(sounds.code(MOMENT, 12))
    late = itertools.chain([0.02, 0.011, 0.004, 0.002], itertools.repeat(0.001))
    told: list[HeardSpan] = []
    for end in range(400, len(samples) + 1, 400):
        ear.listen(samples[end - 400 : end], MONOTONIC + end / reading.RATE + next(late))
        told += ear.heard()
    assert all(earlier.end == later.start for earlier, later in itertools.pairwise(told))
    assert all(stretch.end >= stretch.start for stretch in told)
    assert ear.heard_until == told[-1].end


def test_it_keeps_no_more_than_it_needs() -> None:
    ear = Ear(Rules(), wall)
    frame = sounds.quantized(sounds.code(MOMENT, 0.1))
    for index in range(1, 500):
        ear.listen(frame, MONOTONIC + index * 0.1)
        ear.heard()
    assert len(ear._loud) <= 3 * ear._rules.margin * reading.SLICES


def test_somebody_else_s_pause_is_marked() -> None:
    sound = np.concatenate([sounds.noise(1), sounds.silence(1), sounds.noise(1), sounds.silence(3)])
    told = heard(sound, Rules(coded=False))
    assert [(stretch.state, stretch.quiet) for stretch in told] == [
        (State.LIVE, False),
        (State.LIVE, True),
        (State.LIVE, False),
        (State.SILENT, False),
    ]
