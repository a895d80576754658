import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.ledger import Stretch
from showstopper.audio.crowd.matching import states
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.spans import State, Window

WINDOW = Window(0.0, 20.0)


def told(**what: object) -> list[tuple[State, float, float]]:
    given: dict[str, object] = {"sessions": [], "pauses": [], "silences": [], "heard": [], **what}
    return [(span.state, span.start, span.end) for span in states.spans("c-0/0", WINDOW, **given)]  # type: ignore[arg-type]


def test_packets_that_nobody_knows_are_unknown_and_never_live() -> None:
    assert told() == [(State.UNKNOWN, 0.0, 20.0)]


def test_the_story_of_a_listener() -> None:
    assert told(
        sessions=[(0.0, 2.0, State.JOINING), (10.0, 14.0, State.OFFLINE), (14.0, 15.0, State.JOINING)],
        pauses=[Stretch(0, -1.0, 2.5), Stretch(0, 9.0, 15.5)],
        silences=[Stretch(0, 6.0, 7.0)],
        heard=[HeardSpan(State.LIVE, 2.5, 5.0), HeardSpan(State.HOLD, 5.0, 5.9), HeardSpan(State.LIVE, 15.5, 19.0)],
        blind=[(18.0, 18.5)],
    ) == [
        (State.JOINING, 0.0, 2.0),
        (State.NO_MEDIA, 2.0, 2.5),
        (State.LIVE, 2.5, 5.0),
        (State.HOLD, 5.0, 5.9),
        (State.UNKNOWN, 5.9, 6.0),
        (State.SILENT, 6.0, 7.0),
        (State.UNKNOWN, 7.0, 9.0),
        (State.NO_MEDIA, 9.0, 10.0),
        (State.OFFLINE, 10.0, 14.0),
        (State.JOINING, 14.0, 15.0),
        (State.NO_MEDIA, 15.0, 15.5),
        (State.LIVE, 15.5, 18.0),
        (State.UNKNOWN, 18.0, 18.5),
        (State.LIVE, 18.5, 19.0),
        (State.UNKNOWN, 19.0, 20.0),
    ]


def test_media_that_flows_on_while_signalling_is_sought_is_heard() -> None:
    heard = [HeardSpan(State.LIVE, 0.0, 20.0)]
    assert told(sessions=[(5.0, 9.0, State.OFFLINE)], heard=heard) == [(State.LIVE, 0.0, 20.0)]


def test_without_a_packet_or_a_match_a_session_that_is_sought_is_unknown() -> None:
    assert told(sessions=[(5.0, 9.0, State.OFFLINE)]) == [(State.UNKNOWN, 0.0, 20.0)]


TIMES = st.tuples(st.floats(-5, 25), st.floats(0, 10)).map(lambda both: (both[0], sum(both)))
STRETCHES = st.lists(TIMES.map(lambda times: Stretch(0, *times)), max_size=4)
HEARD = st.lists(
    st.tuples(st.sampled_from([State.LIVE, State.HOLD, State.STALE, State.GARBLED]), TIMES).map(
        lambda both: HeardSpan(both[0], *both[1])
    ),
    max_size=4,
)
SESSIONS = st.lists(
    st.tuples(TIMES, st.sampled_from([State.OFFLINE, State.JOINING])).map(lambda both: (*both[0], both[1])), max_size=4
)


@given(SESSIONS, STRETCHES, STRETCHES, HEARD, st.lists(TIMES, max_size=2))
def test_the_window_is_covered_once_and_live_is_only_what_was_heard(
    sessions: list[tuple[float, float, State]],
    pauses: list[Stretch],
    silences: list[Stretch],
    heard: list[HeardSpan],
    blind: list[tuple[float, float]],
) -> None:
    spans = told(sessions=sessions, pauses=pauses, silences=silences, heard=heard, blind=blind)
    assert spans[0][1] == WINDOW.start
    assert spans[-1][2] == WINDOW.end
    assert all(before[2] == after[1] for before, after in itertools.pairwise(spans))
    for state, start, end in spans:
        if state is State.LIVE:
            middle = (start + end) / 2
            assert any(each.state is state and each.start <= middle < each.end for each in heard)
            assert not any(first <= middle < last for first, last in blind)


def test_what_is_no_session_is_refused() -> None:
    with pytest.raises(AssertionError):
        told(sessions=[(0.0, 1.0, State.LIVE)])
