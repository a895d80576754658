import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.audio.hearing import classify, reading
from showstopper.audio.hearing.classify import BRIDGE_SLICES, GARBLED_SLICES, Rules, label
from showstopper.audio.timecode import CYCLE_SECONDS, Samples
from showstopper.availability.spans import State
from tests.support import sounds
from tests.support.sounds import MOMENT

L, H, S, Q, U = State.LIVE, State.HOLD, State.STALE, State.SILENT, State.UNCLEAR
G = State.GARBLED
RULES = Rules()


def judged(sound: Samples, heard_at: float) -> tuple[list[State], np.ndarray]:
    """The classes and delays of a sound whose first sample is heard at `heard_at`."""
    rows = sounds.windows(sound, reading.WINDOW)
    walls = sounds.middles(len(rows), heard_at, reading.WINDOW)
    return classify.classify(reading.read(rows), walls, RULES)


@pytest.mark.parametrize("late", [0.0, 0.02, 0.3, 1.0, 4.9])
def test_a_fresh_code_is_live_with_its_delay(late: float) -> None:
    states, delays = judged(sounds.code(MOMENT, 2), MOMENT + late)
    assert set(states) == {L}
    assert np.median(delays) == pytest.approx(late, abs=0.001)


@pytest.mark.parametrize("ahead", [0.65, 1.9, 4.5])
def test_a_code_of_a_host_whose_clock_is_ahead_is_live(ahead: float) -> None:
    """True latency 0.12 s: from 0.65 s on the code comes from the future, which is no sound of 511 s ago."""
    states, delays = judged(sounds.code(MOMENT, 2), MOMENT + 0.12 - ahead)
    assert set(states) == {L}
    assert np.median(delays) == pytest.approx(0.12 - ahead, abs=0.001)


@pytest.mark.parametrize("late", [5.1, 8, 15, 56, 60, 64, 120, 256, 400, 506.5])
def test_an_old_code_is_stale_whatever_hand_it_may_be_taken_for(late: float) -> None:
    states, _ = judged(sounds.code(MOMENT, 20), MOMENT + late)
    assert set(states) == {S}


@given(st.floats(5.2, CYCLE_SECONDS - classify.EARLY_SECONDS - 0.2), st.floats(1.6e9, 2.2e9))
@settings(max_examples=150, deadline=None)
def test_no_old_code_is_ever_live(late: float, start: float) -> None:
    states, _ = judged(sounds.code(start, 1), start + late)
    assert L not in states


@given(st.floats(5.2, 500), st.integers(0, 2**32 - 1), st.floats(0.0, 0.15))
@settings(max_examples=60, deadline=None)
def test_no_old_code_is_live_however_garbled(late: float, seed: int, loss: float) -> None:
    sound = sounds.code(MOMENT, 5) + sounds.noise(5, 0.05, seed)
    lost = np.random.default_rng(seed).random(len(sound) // reading.SLICE) < loss
    sound[np.repeat(lost, reading.SLICE)] = 0
    states, _ = judged(sound, MOMENT + late)
    assert L not in states


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [sounds.noise, sounds.pink, sounds.speech, sounds.melody])
def test_no_other_sound_is_ever_live_or_stale(make: object, seed: int) -> None:
    sound = sounds.noise(60, 0.1, seed) if make is sounds.noise else make(60, seed)  # type: ignore[operator]
    states, _ = judged(sound, MOMENT)
    assert not {L, S} & set(states)


def test_hold_music_is_hold() -> None:
    assert set(judged(sounds.hold(3), MOMENT)[0]) == {H}


def test_a_code_without_a_neighbour_that_agrees_is_not_believed() -> None:
    lonely = np.concatenate([sounds.noise(0.1), sounds.code(MOMENT, 0.1), sounds.noise(0.1)])
    assert judged(lonely, MOMENT)[0] == [G, U, G]


def test_a_code_from_the_future_is_live_only_as_far_as_clocks_may_disagree() -> None:
    assert set(judged(sounds.code(MOMENT + 6, 1), MOMENT)[0]) == {S}
    assert set(judged(sounds.code(MOMENT + 0.3, 1), MOMENT)[0]) == {L}


def slices(text: str) -> list[bool]:
    """`#` is a loud slice, `.` a soft one."""
    return [mark == "#" for mark in text]


def test_edges_are_where_the_energy_changes_not_where_a_window_ends() -> None:
    labels = label([L, U, Q, U, L], slices("##### ##... ..... ...## #####".replace(" ", "")), RULES)
    assert labels == [L] * 7 + [Q] * 11 + [L] * 7


def test_a_soft_stretch_shorter_than_a_window_is_no_silence() -> None:
    assert label([L, L, L], slices("######...######"), RULES) == [L] * 15


@pytest.mark.parametrize(
    ("windows", "expected"),
    [([L, U, L], L), ([Q, U, L], L), ([L, U, Q], L), ([Q, U, Q], Q), ([L, U, H], U), ([S, U, L], U), ([H, U, H], H)],
)
def test_a_short_unclear_stretch_takes_the_class_of_the_sound_beside_it(windows: list[State], expected: State) -> None:
    loud = [state is not Q for state in windows for _ in range(reading.SLICES)]
    assert label(windows, loud, RULES)[5:10] == [expected] * 5


def test_a_long_unclear_stretch_stays_unclear() -> None:
    count = BRIDGE_SLICES // reading.SLICES + 1
    labels = label([L, *[U] * count, L], [True] * (count + 2) * reading.SLICES, RULES)
    assert labels == [L] * 5 + [U] * 5 * count + [L] * 5


@pytest.mark.parametrize(("before", "after"), [(L, L), (L, H), (Q, L), (Q, Q), (S, L)])
def test_sound_without_a_code_is_garbled_from_four_tenths_of_a_second_on(before: State, after: State) -> None:
    count = GARBLED_SLICES // reading.SLICES
    loud = [state is not Q for state in (before, *[G] * count, after) for _ in range(reading.SLICES)]
    assert label([before, *[G] * count, after], loud, RULES) == [before] * 5 + [G] * 5 * count + [after] * 5


def test_sound_without_a_code_that_is_shorter_says_nothing_clear() -> None:
    short = [G] * (GARBLED_SLICES // reading.SLICES - 1)
    assert label([L, *short, L], [True] * 25, RULES) == [L] * 25
    assert label([L, *short, H], [True] * 25, RULES)[5:20] == [U] * 15


def test_a_code_that_is_not_believed_is_no_proof_that_it_was_not_the_host() -> None:
    assert label([L, G, G, U, G, G, L], [True] * 35, RULES)[5:30] == [U] * 25
    assert label([L, U, U, U, U, U, L], [True] * 35, RULES)[5:30] == [U] * 25


states = st.sampled_from([L, H, S, U, G])


@given(st.lists(st.tuples(states, st.lists(st.booleans(), min_size=5, max_size=5)), min_size=1, max_size=40))
def test_labels_invent_no_live_sound(windows: list[tuple[State, list[bool]]]) -> None:
    loud = list(itertools.chain.from_iterable(marks for _, marks in windows))
    labels = label([state for state, _ in windows], loud, RULES)
    assert len(labels) == len(loud)
    for start, end, state in classify.runs(labels):
        first, last = start // reading.SLICES, (end - 1) // reading.SLICES
        reach = BRIDGE_SLICES // reading.SLICES + 1
        near = [windows[at][0] for at in range(max(0, first - reach), min(len(windows), last + reach + 1))]
        assert state is Q or state in near or (state is U and G in near)
        assert state is not Q or end - start >= reading.SLICES or {U, G} & set(near)


@given(st.lists(st.tuples(states, st.lists(st.booleans(), min_size=5, max_size=5)), min_size=40, max_size=60))
@settings(max_examples=100)
def test_a_class_depends_on_nothing_beyond_the_margin(windows: list[tuple[State, list[bool]]]) -> None:
    loud = list(itertools.chain.from_iterable(marks for _, marks in windows))
    whole = label([state for state, _ in windows], loud, RULES)
    margin = RULES.margin
    part = label([state for state, _ in windows[5:35]], loud[25:175], RULES)
    inner = slice(margin * 5, (30 - margin) * 5)
    assert part[inner] == whole[25:175][inner]


def test_somebody_else_s_speech_is_live_through_its_pauses_and_silent_after_two_seconds() -> None:
    rules = Rules(coded=False)
    loud = [True] * 50 + [False] * 60 + [True] * 50 + [False] * 150
    labels = label([U] * 62, loud, rules)
    assert classify.runs(labels) == [(0, 160, L), (160, 310, Q)]


@pytest.mark.parametrize(
    ("delay", "state"),
    [(-5.1, State.STALE), (-5.0, L), (0.1, L), (5.0, L), (5.1, State.STALE), (300.0, State.STALE)],
)
def test_the_host_s_sound_is_stale_by_its_delay(delay: float, state: State) -> None:
    assert classify.by_delay(delay, Rules()) is state
