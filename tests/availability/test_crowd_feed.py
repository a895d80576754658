"""What a crowd pod tells, as a feed of spans."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.crowd_feed import CrowdReader, Failures
from showstopper.availability.errors import FeedError
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline

POD = "main-stage-crowd-0"
OFFSET = 1000.0


def changes(*rows: tuple[int, float, str]) -> list[dict[str, Any]]:
    return [{"slot": slot, "at": at, "state": state} for slot, at, state in rows]


def document(rows: Sequence[tuple[int, float, str]] = (), settled: float = 10.0, **fields: Any) -> dict[str, Any]:
    return {
        "boot": "b-1",
        "room": "main-stage",
        "pod": POD,
        "clock": {"monotonic": settled + 5.0, "wall": settled + 5.0 + OFFSET},
        "size": 2,
        "settledUntil": settled,
        "next": len(rows),
        "lost": 0,
        "changes": changes(*rows),
        "newest": [],
        "refusals": {},
        "instrument": {"kernelDrops": 0, "stalls": []},
        **fields,
    }


def told(reader: CrowdReader, said: dict[str, Any]) -> tuple[list[tuple[str, State, float, float]], ...]:
    feed = reader.read(said, POD, OFFSET)
    closed, opened = (
        [(span.listener.rpartition("/")[2], span.state, span.start, span.end) for span in spans]
        for spans in (feed.spans, feed.open)
    )
    return closed, opened


def test_a_change_closes_a_span_and_opens_one_which_goes_on_until_all_is_settled() -> None:
    reader = CrowdReader()
    first = [(0, 1.0, "Joining"), (1, 1.0, "Joining"), (0, 2.0, "Live")]
    assert told(reader, document(first)) == (
        [("0", State.JOINING, 1.0, 2.0)],
        [("0", State.LIVE, 2.0, 10.0), ("1", State.JOINING, 1.0, 10.0)],
    )
    assert told(reader, document([(0, 10.5, "NoMedia")], 11.0)) == (
        [("0", State.LIVE, 2.0, 10.5)],
        [("0", State.NO_MEDIA, 10.5, 11.0), ("1", State.JOINING, 1.0, 11.0)],
    )
    assert told(reader, document([], 12.0)) == (
        [],
        [("0", State.NO_MEDIA, 10.5, 12.0), ("1", State.JOINING, 1.0, 12.0)],
    )


def test_a_pod_that_has_settled_nothing_is_known_until_then_and_its_listeners_are_unknown() -> None:
    timeline = Timeline()
    timeline.add(CrowdReader().read(document(settled=10.0), POD, OFFSET))
    assert timeline.known_until({POD}) == OFFSET + 10.0
    (first, second) = timeline.view(Window(OFFSET + 9.0, OFFSET + 10.0), [f"{POD}/0", f"{POD}/1"]).residents
    assert {span.state for span in (*first.spans, *second.spans)} == {State.UNKNOWN}


def test_of_what_was_lost_the_newest_says_since_when_it_is_so() -> None:
    said = document(
        [(0, 9.0, "Live")], lost=700, newest=changes((0, 9.0, "Live"), (1, 3.0, "Hold")), next=701, settled=9.5
    )
    assert told(CrowdReader(), said) == ([], [("0", State.LIVE, 9.0, 9.5), ("1", State.HOLD, 3.0, 9.5)])


def test_another_process_has_nothing_to_do_with_the_one_before() -> None:
    reader = CrowdReader()
    reader.read(document([(0, 1.0, "Live")]), POD, OFFSET)
    closed, opened = told(reader, document([(0, 4.0, "Live")], boot="b-2"))
    assert closed == []
    assert opened == [("0", State.LIVE, 4.0, 10.0), ("1", State.UNKNOWN, 10.0, 10.0)]


def test_who_reads_all_of_it_again_reads_the_same() -> None:
    rows = [(0, 1.0, "Joining"), (0, 2.0, "Live"), (1, 3.0, "Live"), (0, 6.0, "Hold")]
    said = document(rows, newest=changes((0, 6.0, "Hold"), (1, 3.0, "Live")))
    reader = CrowdReader()
    assert told(reader, said) == told(reader, said)


def test_refusals_are_counted_over_pods() -> None:
    reader = CrowdReader()
    reader.read(document(refusals={"Unavailable": 2, "NoUDP": 1}), POD, OFFSET)
    reader.read(document(refusals={"Unavailable": 5}, pod="other"), "other", OFFSET)
    assert reader.refusals({POD, "other", "a third"}) == {"Unavailable": 7, "NoUDP": 1}
    assert reader.refusals({POD}) == {"Unavailable": 2, "NoUDP": 1}


def test_of_a_pod_that_is_gone_nothing_is_kept() -> None:
    reader = CrowdReader()
    reader.read(document([(0, 1.0, "Live")], refusals={"Unavailable": 2}), POD, OFFSET)
    reader.read(document([(0, 1.0, "Live")], pod="other"), "other", OFFSET)
    reader.keep(["other", "a third"])
    assert reader.refusals({POD, "other"}) == {}
    assert told(reader, document([], 11.0))[1] == [("0", State.UNKNOWN, 11.0, 11.0), ("1", State.UNKNOWN, 11.0, 11.0)]
    again = reader.read(document([], 11.0, pod="other"), "other", OFFSET)
    assert again.open[0].state is State.LIVE


GOOD = document([(0, 1.0, "Live")], newest=changes((0, 1.0, "Live")))


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        (("boot",), 7, "boot", "not a text"),
        (("pod",), "other", "pod", "is 'other', not 'main-stage-crowd-0'"),
        (("size",), 10_001, "size", "more than 10000"),
        (("size",), -1, "size", "below zero"),
        (("settledUntil",), None, "settledUntil", "missing"),
        (("clock", "monotonic"), float("nan"), "clock.monotonic", "not a number"),
        (("changes",), {}, "changes", "not a list"),
        (("changes", 0), [0, 1.0, "Live"], "changes[0]", "not an object"),
        (("changes", 0, "slot"), 2, "changes[0].slot", "is 2, and the crowd has 2 listeners"),
        (("changes", 0, "at"), "soon", "changes[0].at", "not a number"),
        (("newest", 0, "state"), "Loud", "newest[0].state", "not one of Live"),
        (("refusals",), {"Unavailable": -1}, "refusals.Unavailable", "below zero"),
        (("lost",), 1.5, "lost", "not a whole number"),
    ],
)
def test_what_is_no_account_says_where(path: tuple[str | int, ...], value: Any, field: str, problem: str) -> None:
    said = copy.deepcopy(GOOD)
    place: Any = said
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    reader = CrowdReader()
    before = told(reader, GOOD)
    with pytest.raises(FeedError) as refused:
        reader.read(said, POD, OFFSET)
    assert refused.value.field == field
    assert problem in refused.value.problem
    assert told(reader, GOOD) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_whatever_a_pod_says_is_read_or_refused(field: str, value: Any) -> None:
    try:
        feed = CrowdReader().read({**GOOD, field: value}, POD, OFFSET)
    except FeedError:
        return
    assert all(span.end >= span.start for span in (*feed.spans, *feed.open))


def instrument(drops: dict[float, int], *stalls: tuple[float, float], **fields: Any) -> dict[str, Any]:
    """What a pod's instrument says: drops by their times, and stalls."""
    said = {
        "kernelDrops": sum(drops.values()),
        "drops": [{"at": at, "packets": packets} for at, packets in drops.items()],
        "stalls": [{"from": start, "to": end} for start, end in stalls],
    }
    return document(instrument=said, **fields)


def failures(reader: CrowdReader, start: float, end: float) -> Failures:
    return reader.failures([POD], Window(OFFSET + start, OFFSET + end))


def test_what_its_process_did_itself_counts_in_the_time_in_which_it_did_it() -> None:
    reader = CrowdReader()
    told(reader, instrument({9.0: 2}, settled=10.0))
    told(reader, instrument({9.0: 2, 29.0: 3}, (26.0, 28.5), settled=30.0))
    assert failures(reader, 0, 16) == Failures(drops=2)
    assert failures(reader, 16, 26) == Failures()
    assert failures(reader, 16, 40) == Failures(drops=3, stalled=2.5)
    assert failures(reader, 27, 28) == Failures(stalled=1.0)
    assert reader.failures(["other"], Window(0, 1e9)) == Failures()


def test_what_was_dropped_before_the_reader_began_is_not_dropped_now() -> None:
    """An operator that starts in the middle of a run reads of a process which had its trouble yesterday."""
    reader = CrowdReader()
    told(reader, instrument({9.0: 7}, settled=100.0))
    assert failures(reader, 90, 200) == Failures()


def test_a_pod_that_does_not_say_when_may_have_dropped_all_of_it_just_now() -> None:
    reader = CrowdReader()
    told(reader, document(instrument={"kernelDrops": 5, "stalls": []}, settled=10.0))
    assert failures(reader, 0, 30) == Failures(drops=5)


def visit(name: str, called: float, seen: float, **fields: Any) -> dict[str, Any]:
    """A newcomer's visit that goes on, of which all is known until `seen`."""
    times = {"joinedAt": None, "firstAudioAt": None, "firstLiveAt": None, "leftAt": None}
    return {
        "listener": f"{POD}/{name}",
        "kind": "Arrival",
        "calledAt": called,
        **times,
        "error": "",
        "seenUntil": seen,
        "sureUntil": seen,
        **fields,
    }


def test_newcomers_are_read_as_calls_without_tracks() -> None:
    timeline, reader = Timeline(), CrowdReader()
    well = visit("a1", 2.0, 9.0, joinedAt=2.5, firstAudioAt=2.75, firstLiveAt=3.0, leftAt=9.0)
    refused = visit("a2", 4.0, 4.5, leftAt=4.5, error="HTTP 503")
    waiting = visit("a3", 8.0, 10.0, joinedAt=8.5, sureUntil=9.25)
    timeline.add(reader.read(document(arrivals=[well, refused, waiting]), POD, OFFSET))
    view = timeline.view(Window(OFFSET + 1.0, OFFSET + 10.0), [f"{POD}/0"])
    first, second, third = view.calls
    assert (first.listener, first.called, first.joined) == (f"{POD}/a1", OFFSET + 2.0, OFFSET + 2.5)
    assert (first.first_audio, first.first_live, first.left) == (OFFSET + 2.75, OFFSET + 3.0, OFFSET + 9.0)
    assert (second.joined, second.left, second.error) == (None, OFFSET + 4.5, "HTTP 503")
    assert (third.left, third.seen_until, third.sure_until) == (None, OFFSET + 10.0, OFFSET + 9.25)
    assert view.arrivals == (), "what they hear after that, residents tell"
    assert timeline.known_until({POD}) == OFFSET + 10.0


def test_a_visit_that_went_on_is_known_as_it_was_told_last() -> None:
    reader = CrowdReader()
    early = reader.read(document(arrivals=[visit("a1", 8.0, 10.0)]), POD, OFFSET)
    later = reader.read(
        document(settled=12.0, arrivals=[visit("a1", 8.0, 11.5, joinedAt=9.0, leftAt=11.5)]), POD, OFFSET
    )
    for feeds in ((early, later), (later, early)):
        timeline = Timeline()
        for feed in feeds:
            timeline.add(feed)
        (call,) = timeline.view(Window(OFFSET, OFFSET + 12.0), []).calls
        assert (call.joined, call.left) == (OFFSET + 9.0, OFFSET + 11.5)


def test_a_pod_of_an_older_version_has_no_newcomers() -> None:
    assert "arrivals" not in GOOD
    assert CrowdReader().read(GOOD, POD, OFFSET).arrivals == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sureUntil": 11.0}, "arrivals[0].sureUntil"),
        ({"sureUntil": 7.0}, "arrivals[0].sureUntil"),
        ({"leftAt": 9.0}, "arrivals[0].leftAt"),
        ({"calledAt": None}, "arrivals[0].calledAt"),
        ({"firstLiveAt": "soon"}, "arrivals[0].firstLiveAt"),
        ({"listener": ""}, "arrivals[0].listener"),
    ],
)
def test_what_is_no_visit_says_where(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FeedError) as refused:
        CrowdReader().read(document(arrivals=[visit("a1", 8.0, 10.0) | change]), POD, OFFSET)
    assert refused.value.field == field
