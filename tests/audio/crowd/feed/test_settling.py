"""What is told of a crowd: its changes give every listener's states again, and its totals add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.feed.settling import Change, Settling, Totals
from showstopper.audio.crowd.ledger import Stretch
from showstopper.audio.crowd.matching import states
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.spans import State, Window
from tests.audio.crowd.feed.records import PlayedListeners

LAG = 5.0
BEGAN = 100.0


def settled(
    swept: PlayedListeners, settling: Settling, *times: float
) -> tuple[list[tuple[int, float, State]], list[Totals]]:
    """What is told in turns up to these times."""
    told, totals = list[Change](), list[Totals]()
    for until in times:
        swept.swept_at = until + LAG
        turn = settling.settle()
        assert turn is not None
        told += turn[0]
        totals.append(turn[1])
    return [(change.slot, change.at, change.state) for change in told], totals


def test_a_listener_who_joins_hears_and_is_cut_off() -> None:
    swept = PlayedListeners(1)
    settling = Settling(swept, LAG, BEGAN)
    swept.joined(0, 101.0)
    swept.hears(0, 101.5, 104.0)
    swept.hears(0, 104.0, 106.0)
    told, totals = settled(swept, settling, 103.0, 105.0, 107.0)
    assert told == [
        (0, 100.0, State.JOINING),
        (0, 101.0, State.NO_MEDIA),
        (0, 101.5, State.LIVE),
        (0, 106.0, State.NO_MEDIA),
    ]
    assert [each.seconds for each in totals] == [
        {State.JOINING: 1.0, State.NO_MEDIA: 0.5, State.LIVE: 1.5},
        {State.LIVE: 2.0},
        {State.LIVE: 1.0, State.NO_MEDIA: 1.0},
    ]


def test_nothing_is_told_before_its_time() -> None:
    swept = PlayedListeners(1)
    settling = Settling(swept, LAG, BEGAN)
    for swept_at in (BEGAN + LAG, BEGAN + LAG - 1.0):
        swept.swept_at = swept_at
        assert settling.settle() is None
    assert settling.until == BEGAN
    swept.swept_at = BEGAN + LAG + 0.1
    assert settling.settle() is not None


def test_a_thousand_who_hear_on_are_one_line_of_totals() -> None:
    swept = PlayedListeners(1000)
    settling = Settling(swept, LAG, BEGAN)
    for slot in range(1000):
        swept.joined(slot, BEGAN)
        swept.hears(slot, BEGAN, 200.0)
    settled(swept, settling, 101.0)
    told, totals = settled(swept, settling, 102.0, 103.0)
    assert told == []
    assert [each.seconds for each in totals] == [{State.LIVE: 1000.0}] * 2


def test_what_is_told_too_late_stays_unknown() -> None:
    swept = PlayedListeners(1)
    settling = Settling(swept, LAG, BEGAN)
    swept.joined(0, BEGAN)
    swept.ledger.first_at[0] = BEGAN
    swept.ledger.last_at[0] = 200.0
    assert settled(swept, settling, 102.0)[0] == [(0, 100.0, State.UNKNOWN)]
    swept.hears(0, 101.0, 104.0)
    assert settled(swept, settling, 103.0)[0] == [(0, 102.0, State.LIVE)]


def test_where_the_instrument_was_blind_everybody_is_unknown() -> None:
    swept = PlayedListeners(2)
    settling = Settling(swept, LAG, BEGAN)
    for slot in range(2):
        swept.joined(slot, BEGAN)
        swept.hears(slot, BEGAN, 200.0)
    settled(swept, settling, 101.0)
    swept.blind.append((102.0, 102.5))
    told, _ = settled(swept, settling, 102.2, 103.0)
    assert told == [
        (0, 102.0, State.UNKNOWN),
        (1, 102.0, State.UNKNOWN),
        (0, 102.5, State.LIVE),
        (1, 102.5, State.LIVE),
    ]


def test_digital_silence_that_goes_on_is_silence() -> None:
    swept = PlayedListeners(1)
    settling = Settling(swept, LAG, BEGAN)
    swept.joined(0, BEGAN)
    swept.ledger.first_at[0], swept.ledger.last_at[0], swept.ledger.silent_since[0] = BEGAN, 200.0, 101.0
    assert settled(swept, settling, 102.0)[0] == [(0, 100.0, State.UNKNOWN), (0, 101.0, State.SILENT)]


def flapping(swept: PlayedListeners, slot: int, start: float) -> None:
    """Eleven changes within a second."""
    for tenth in range(10):
        swept.hears(slot, start + tenth / 10, start + tenth / 10 + 0.05, State.HOLD)
        swept.hears(slot, start + tenth / 10 + 0.05, start + (tenth + 1) / 10)


def test_changes_that_are_too_many_are_unknown_and_their_totals_are_not() -> None:
    swept = PlayedListeners(20)
    settling = Settling(swept, LAG, BEGAN, most=30)
    for slot in range(20):
        swept.joined(slot, BEGAN)
        swept.hears(slot, BEGAN, 101.0)
    settled(swept, settling, 101.0)
    for slot in range(10):
        flapping(swept, slot, 101.0)
        swept.hears(slot, 102.0, 103.0)
    for slot in range(10, 20):
        swept.hears(slot, 101.0, 101.3)
        swept.hears(slot, 101.3, 103.0, State.HOLD)
    told, (totals, after) = settled(swept, settling, 102.0, 103.0)
    assert {change for change in told if change[0] >= 10} == {(slot, 101.3, State.HOLD) for slot in range(10, 20)}
    assert (9, 101.0, State.UNKNOWN) in told
    assert (9, 102.0, State.LIVE) in told
    assert totals.untold == 9, "one of those who flap finds room"
    assert totals.seconds == pytest.approx({State.LIVE: 10 * 0.5 + 10 * 0.3, State.HOLD: 10 * 0.5 + 10 * 0.7})
    assert after.untold == 0
    assert len([change for change in told if change[1] < 102.0]) <= 30 + 20


TIMES = st.integers(0, 200).map(lambda tenths: BEGAN + tenths / 10)
STRETCHES = st.lists(st.tuples(TIMES, TIMES).filter(lambda times: times[0] < times[1]), max_size=4)
STATES = st.sampled_from([State.LIVE, State.HOLD, State.STALE, State.GARBLED])


@given(
    STRETCHES,
    st.lists(STATES, min_size=4, max_size=4),
    STRETCHES,
    STRETCHES,
    st.lists(TIMES, max_size=5, unique=True),
    st.lists(TIMES.filter(lambda at: at > BEGAN), min_size=1, max_size=6, unique=True),
)
def test_the_changes_of_all_turns_are_the_spans_of_the_whole_time(
    heard: Sequence[tuple[float, float]],
    classes: Sequence[State],
    pauses: Sequence[tuple[float, float]],
    blind: Sequence[tuple[float, float]],
    lost: Sequence[float],
    turns: Sequence[float],
) -> None:
    swept = PlayedListeners(1)
    settling = Settling(swept, LAG, BEGAN)
    swept.ledger.first_at[0], swept.ledger.last_at[0] = BEGAN, np.inf
    swept.joined(0, BEGAN)
    for at in sorted(lost):
        swept.diary.append(Entry(at, 0, Event.LOST))
        swept.diary.append(Entry(at + 0.35, 0, Event.JOINED))
    stretches = [HeardSpan(state, *times) for state, times in zip(classes, _apart(heard), strict=False)]
    swept.heard.extend((0, each) for each in stretches)
    without = [Stretch(0, *times) for times in pauses]
    swept.ledger.pauses.extend(without)
    swept.blind.extend(blind)
    ends = sorted(turns)
    told, totals = settled(swept, settling, *ends)
    whole = states.spans(
        "0",
        Window(BEGAN, ends[-1]),
        sessions=[(at, at + 0.35, State.JOINING) for at in sorted(lost)],
        pauses=without,
        silences=[],
        heard=stretches,
        blind=blind,
    )
    assert told == [(0, span.start, span.state) for span in whole]
    for turn in totals:
        assert sum(turn.seconds.values()) == pytest.approx(turn.end - turn.start)
    for state in State:
        seconds = sum(span.seconds for span in whole if span.state is state)
        assert sum(turn.seconds.get(state, 0.0) for turn in totals) == pytest.approx(seconds)


def _apart(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The stretches in order, cut so that none overlaps the one before it: a follower tells each time once."""
    apart = list[tuple[float, float]]()
    for start, end in sorted(stretches):
        first = max(start, apart[-1][1]) if apart else start
        if first < end:
            apart.append((first, end))
    return apart
