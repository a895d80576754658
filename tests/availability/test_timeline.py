import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.boots import Boot
from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.spans import Kind, Span, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from tests.availability.build import (
    EPOCH,
    J,
    L,
    N,
    Q,
    Story,
    U,
    arrival_json,
    document,
    feed,
    known_stories,
    row,
    sample_json,
    spans,
    timeline,
    window,
)

WHOLE = window(0, 30)


def states(view: View, resident: int = 0) -> list[tuple[str, float, float]]:
    """State and edges of a resident's spans, in seconds from the epoch."""
    return [
        (str(span.state), round(span.start - EPOCH, 6), round(span.end - EPOCH, 6))
        for span in view.residents[resident].spans
    ]


def polls(story: Story, every: float = 5.0, **fields: Any) -> list[Feed]:
    """What a pod answers when it is asked every few seconds while its one listener goes through a story."""
    whole, answers, read = spans("r0", story), [], 0
    for step in range(1, int(30 / every) + 1):
        now = EPOCH + step * every
        closed = [span for span in whole if span.end <= now]
        still = [part for span in whole if span.end > now and (part := span.clipped(span.start, now))]
        answers.append(feed(closed[read:], still, clock=now - EPOCH, first=read + 1, **fields))
        read = len(closed)
    return answers


def test_answers_in_a_row_make_one_story() -> None:
    room = timeline(*polls([(L, 12), (Q, 4), (L, 14)]))
    assert states(room.view(WHOLE, ["r0"])) == [("Live", 0, 12), ("Silent", 12, 16), ("Live", 16, 30)]


def test_an_open_span_counts_as_far_as_it_was_seen() -> None:
    room = timeline(*polls([(L, 12), (Q, 18)])[:3])
    assert states(room.view(WHOLE, ["r0"])) == [("Live", 0, 12), ("Silent", 12, 15), ("Unknown", 15, 30)]


def test_a_closed_span_knows_its_edges_better_than_the_open_one_did() -> None:
    early = feed([], spans("r0", [(L, 10.06)]), clock=10.06)
    later = feed(spans("r0", [(L, 10)]), spans("r0", [(Q, 2)], start=10), clock=12)
    expected = [("Live", 0, 10), ("Silent", 10, 12), ("Unknown", 12, 30)]
    assert states(timeline(early, later).view(WHOLE, ["r0"])) == expected
    assert states(timeline(later, early).view(WHOLE, ["r0"])) == expected


@given(known_stories(), st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=3))
def test_neither_order_nor_repetition_of_answers_changes_anything(
    story: Story, order: list[int], again: list[int]
) -> None:
    answers = polls(story)
    once = timeline(*answers).view(WHOLE, ["r0"])
    assert timeline(*(answers[index] for index in (*order, *again))).view(WHOLE, ["r0"]) == once


def test_a_span_that_was_kept_while_it_grew_ends_where_its_pod_says() -> None:
    """An archive tells what goes on as far as it was told."""
    kept, later = feed(spans("r0", [(L, 7)]), clock=7), feed(spans("r0", [(L, 9), (Q, 3)]), clock=12)
    for answers in ((kept, later), (later, kept)):
        assert states(timeline(*answers).view(window(0, 12), ["r0"])) == [("Live", 0, 9), ("Silent", 9, 12)]


def test_a_restarted_pod_is_unknown_from_its_last_word_to_its_next() -> None:
    old = feed([], spans("r0", [(L, 8)]), clock=8)
    new = feed(spans("r0", [(L, 10)], start=11), spans("r0", [(L, 9)], start=21), boot="boot-2", clock=30)
    assert states(timeline(old, new).view(WHOLE, ["r0"])) == [("Live", 0, 8), ("Unknown", 8, 11), ("Live", 11, 30)]


def test_the_next_boot_counts_from_where_it_begins() -> None:
    old = feed([], spans("r0", [(L, 20)]), clock=20)
    new = feed(spans("r0", [(L, 2)], start=19), spans("r0", [(Q, 9)], start=21), boot="boot-2", clock=30)
    assert states(timeline(new, old).view(WHOLE, ["r0"])) == [("Live", 0, 21), ("Silent", 21, 30)]


def test_a_restarted_listener_is_unknown_until_it_has_heard_the_host() -> None:
    old = feed([], spans("r0", [(L, 8)]), clock=8)
    new = feed(spans("r0", [(J, 1.4), (N, 0.6), (L, 5), (Q, 1)], start=11), boot="boot-2", clock=30)
    room = timeline(old, new)
    expected = [("Live", 0, 8), ("Unknown", 8, 13), ("Live", 13, 18), ("Silent", 18, 19), ("Unknown", 19, 30)]
    assert states(room.view(WHOLE, ["r0"])) == expected
    assert states(room.view(window(18, 19), ["r0"])) == [("Silent", 18, 19)]


def test_a_second_restart_before_the_host_was_heard_is_still_unknown() -> None:
    boots = [
        feed([], spans("r0", [(L, 8)]), clock=8),
        feed([], spans("r0", [(J, 3)], start=10), boot="boot-2", clock=13),
        feed([], spans("r0", [(J, 10)], start=20), boot="boot-3", clock=30),
    ]
    assert states(timeline(*boots).view(WHOLE, ["r0"])) == [("Live", 0, 8), ("Unknown", 8, 30)]


def test_a_listener_that_was_never_in_is_not_excused_by_its_restart() -> None:
    old = feed([], spans("r0", [(J, 10)]), clock=10)
    new = feed([], spans("r0", [(J, 20)], start=10), boot="boot-2", clock=30)
    assert states(timeline(old, new).view(WHOLE, ["r0"])) == [("Joining", 0, 30)]


def test_an_outage_of_those_who_did_not_restart_stays() -> None:
    steady = feed(spans("r1", [(L, 10), (N, 5), (L, 15)]), clock=30, pod="pod-1", boot="boot-9")
    old = feed([], spans("r0", [(L, 11)]), clock=11)
    new = feed(spans("r0", [(J, 3), (L, 16)], start=14), boot="boot-2", clock=30)
    room = timeline(steady, old, new).view(WHOLE, ["r0", "r1"])
    assert states(room, 0) == [("Live", 0, 11), ("Unknown", 11, 17), ("Live", 17, 30)]
    assert states(room, 1) == [("Live", 0, 10), ("NoMedia", 10, 15), ("Live", 15, 30)]


def test_spans_that_the_ring_has_dropped_are_unknown() -> None:
    first = feed(spans("r0", [(L, 5)]), clock=5)
    later = feed(spans("r0", [(L, 10)], start=20), clock=30, first=9)
    assert states(timeline(first, later).view(WHOLE, ["r0"])) == [("Live", 0, 5), ("Unknown", 5, 20), ("Live", 20, 30)]


def test_intended_residents_that_never_called_are_unknown_throughout() -> None:
    room = timeline(feed(spans("r0", [(L, 30)]), clock=30))
    by_name, by_count = room.view(WHOLE, ["r0", "r1"]), room.view(WHOLE, 2)
    assert states(by_name, 1) == states(by_count, 1) == [("Unknown", 0, 30)]
    assert [track.listener for track in by_name.residents] == ["r0", "r1"]


def test_more_residents_than_intended_all_count_but_by_name_only_those_that_are_meant() -> None:
    room = timeline(feed([*spans("r0", [(L, 30)]), *spans("r1", [(Q, 30)])], clock=30))
    assert len(room.view(WHOLE, 1).residents) == 2
    assert [track.listener for track in room.view(WHOLE, ["r1"]).residents] == ["r1"]


def test_one_that_was_only_there_outside_of_the_window_does_not_count_as_seen() -> None:
    room = timeline(feed([*spans("r0", [(L, 30)]), *spans("r1", [(L, 5)])], clock=30))
    assert [track.listener for track in room.view(window(10, 20), 1).residents] == ["r0"]


def test_the_best_reading_of_the_clocks_is_used_whatever_the_order() -> None:
    good = feed(spans("r0", [(L, 10)]), clock=10, offset=EPOCH, uncertainty=0.001)
    late = feed(spans("r0", [(L, 10)], start=10), clock=20, offset=EPOCH + 0.4, uncertainty=0.5)
    for order in itertools.permutations([good, late]):
        assert states(timeline(*order).view(WHOLE, ["r0"])) == [("Live", 0, 20), ("Unknown", 20, 30)]


def test_an_old_reading_gives_way_to_a_newer_one_that_is_nearly_as_good() -> None:
    old = feed(spans("r0", [(L, 10)]), clock=10, offset=EPOCH, uncertainty=0.001)
    new = feed([], clock=3000, offset=EPOCH + 0.2, uncertainty=0.002)
    assert states(timeline(old, new).view(WHOLE, ["r0"]))[0] == ("Unknown", 0, 0.2)


@pytest.mark.parametrize("by", [30.0, -30.0, 0.5])
def test_a_step_of_our_own_clock_moves_all_that_is_known_at_once(by: float) -> None:
    before = feed(spans("r0", [(L, 10)]), clock=10, offset=EPOCH, uncertainty=0.001)
    after = feed(spans("r0", [(L, 10)], start=10), clock=20, offset=EPOCH + by, uncertainty=0.01)
    told = timeline(before, after).view(window(by, by + 20), ["r0"])
    assert [span.state for span in told.residents[0].spans] == [L]


def test_how_far_a_pods_wall_clock_is_ahead_is_told_by_its_newest_answer() -> None:
    before = feed([], clock=10, uncertainty=0.001, wall=EPOCH + 10)
    after = feed([], clock=20, uncertainty=0.5, wall=EPOCH + 23)
    assert timeline(before, after).ahead() == {"pod-0": pytest.approx(3.0)}


def test_the_timeline_knows_what_to_ask_next_and_which_boot_it_asks() -> None:
    room = timeline(feed(spans("r0", [(L, 5), (Q, 5)]), clock=10))
    assert (room.after("pod-0"), room.boot("pod-0")) == (2, "boot-1")
    assert (room.after("pod-9"), room.boot("pod-9")) == (0, None)
    room.add(feed(spans("r0", [(L, 5)], start=12), clock=17, boot="boot-2"))
    assert (room.after("pod-0"), room.boot("pod-0")) == (1, "boot-2")


def test_known_until_is_where_the_slowest_pod_has_come_to() -> None:
    room = timeline(
        feed([], spans("r0", [(L, 20)]), clock=20.1),
        feed([], spans("r1", [(L, 12)]), clock=12.1, pod="pod-1", boot="boot-9"),
    )
    assert room.known_until() == EPOCH + 12
    assert room.known_until(["pod-0"]) == EPOCH + 20
    assert room.known_until(["pod-0", "pod-7"]) is None
    assert room.seen_until() == pytest.approx(EPOCH + 20.1)
    assert Timeline().known_until() is None
    assert Timeline().seen_until() is None


def test_current_and_latest_tell_of_those_who_are_in_on_our_clock() -> None:
    room = timeline(
        feed(spans("gone", [(L, 5)]), [*spans("gone", [(L, 9)], start=5), *spans("r0", [(L, 9)])], clock=9),
        feed([], spans("r0", [(Q, 3)], start=9), clock=12, listeners=[sample_json("r0", 11.5)]),
    )
    assert {name: span.state for name, span in room.current().items()} == {"r0": Q}
    sample = room.latest()["r0"]
    assert sample.sampled_at == EPOCH + 11.5
    assert sample.last_packet_at == pytest.approx(EPOCH + 11.48)


def test_a_sample_without_a_packet_has_no_time_of_one() -> None:
    room = timeline(feed([], clock=12, listeners=[sample_json("r0", 11.5, lastPacketAt=None)]))
    assert room.latest()["r0"].last_packet_at is None


def test_an_open_span_that_begins_before_the_last_closed_one_ends_only_adds_what_is_new() -> None:
    answer = feed(spans("r0", [(L, 10)]), spans("r0", [(Q, 12)]), clock=12)
    assert states(timeline(answer).view(window(0, 12), ["r0"])) == [("Live", 0, 10), ("Silent", 10, 12)]


def test_nothing_is_forgotten_while_a_run_needs_it() -> None:
    """A baseline of 15 s, a fault of 30 min and a recovery of 31 min: then the baseline is judged."""
    room = Timeline()
    room.held = True
    for at in range(0, 3700, 10):
        room.add(feed(spans("r0", [(L, 10)], start=at), clock=at + 10))
    assert states(room.view(window(0, 15), ["r0"])) == [("Live", 0, 15)]
    room.held = False
    room.add(feed(spans("r0", [(L, 10)], start=3800), clock=3810))
    assert states(room.view(window(0, 15), ["r0"])) == [("Unknown", 0, 15)]


def test_what_is_forgotten_stays_forgotten() -> None:
    answer = feed(
        spans("r0", [(L, 10), (Q, 5), (L, 15)]), clock=30, arrivals=[arrival_json("a1", 1.0, 9.0, joined=2.0)]
    )
    room = timeline(answer)
    room.forget(EPOCH + 12)
    room.add(answer)
    view = room.view(WHOLE, ["r0"])
    assert states(view) == [("Unknown", 0, 10), ("Silent", 10, 15), ("Live", 15, 30)]
    assert view.calls == ()


def test_memory_is_bounded_by_what_is_kept() -> None:
    room = Timeline(keep=60)
    for step in range(400):
        call = arrival_json(f"a{step}", step + 0.1, step + 0.9)
        room.add(
            feed(spans("r0", [(L, 0.5), (Q, 0.5)], start=step), clock=step + 1, first=2 * step + 1, arrivals=[call])
        )
        room.add(
            feed(spans(f"a{step}", [(L, 1)], start=step, kind=Kind.ARRIVAL), boot=f"b{step}", pod="p", clock=step + 1)
        )
    kept = room.view(window(0, 400), 1)
    assert sum(span.state is not U for span in kept.residents[0].spans) <= 2 * 62
    assert len(kept.calls) <= 2 * 62
    assert len(room._boots) <= 63


def test_hearing_the_same_again_takes_no_memory() -> None:
    answer = feed(spans("r0", [(L, 10), (Q, 5), (L, 15)]), clock=30)
    room = timeline(*[answer] * 50)
    (boot,) = room._boots.values()
    assert len(boot._rings["r0"].closed) == 3


def test_pods_are_known_by_their_listeners_whatever_order_they_come_in() -> None:
    answers = [feed(spans(f"r{pod}", [(L, 30)]), clock=30, pod=f"pod-{pod}", boot=f"b{pod}") for pod in range(3)]
    views = {timeline(*order).view(WHOLE, 3) for order in itertools.permutations(answers)}
    assert len(views) == 1


def test_only_boots_that_know_a_listener_are_asked_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room of a thousand listeners in a thousand pods is not a million questions."""
    asked, spans_of = [], Boot.spans

    def counted_spans(boot: Boot, listener: str, window: Window) -> list[Span]:
        asked.append((boot.id, listener))
        return spans_of(boot, listener, window)

    monkeypatch.setattr(Boot, "spans", counted_spans)
    answers = [feed(spans(f"r{pod}", [(L, 30)]), clock=30, pod=f"pod-{pod}", boot=f"b{pod}") for pod in range(9)]
    again = feed(spans("r3", [(J, 1), (L, 4)], start=25), clock=30, pod="pod-3", boot="b3-again")
    assert len(timeline(*answers, again).view(WHOLE, 9).residents) == 9
    assert sorted(asked) == sorted([("b3-again", "r3"), *((f"b{pod}", f"r{pod}") for pod in range(9))])


def test_a_newcomers_visit_is_known_by_its_record_or_by_its_spans() -> None:
    staying = spans("a1", [(L, 6)], start=20, kind=Kind.ARRIVAL)
    visit = spans("a0", [(L, 8)], start=5, kind=Kind.ARRIVAL)
    record = arrival_json("a0", 4.5, 13.0, joined=4.9, audio=5.0, live=5.0)
    view = timeline(feed(visit, staying, clock=26, arrivals=[record])).view(WHOLE, 0)
    assert [(call.listener, call.left) for call in view.calls] == [("a0", EPOCH + 13), ("a1", None)]
    assert [(track.listener, track.left) for track in view.arrivals] == [("a0", True), ("a1", False)]
    assert [
        track.listener
        for track in timeline(feed(visit, staying, clock=26, arrivals=[record])).view(window(14, 19), 0).arrivals
    ] == []


def test_a_visit_that_ends_as_the_window_begins_is_seen_with_and_without_its_record() -> None:
    visit = spans("a0", [(L, 8)], start=5, kind=Kind.ARRIVAL)
    for records in ([], [arrival_json("a0", 5.0, 13.0)]):
        assert len(timeline(feed(visit, clock=26, arrivals=records)).view(window(13, 19), 0).calls) == 1


def test_the_record_of_a_visit_counts_even_if_the_ring_has_lost_its_spans() -> None:
    view = timeline(feed([], clock=26, arrivals=[arrival_json("a0", 4.5, 13.0)])).view(WHOLE, 0)
    assert [(call.listener, call.joined) for call in view.calls] == [("a0", None)]


@given(known_stories(), st.floats(-1e6, 1e6))
def test_shifting_all_clocks_shifts_nothing_but_times(story: Story, by: float) -> None:
    answers = polls(story)
    moved = [dataclasses.replace(answer, offset=answer.offset + by) for answer in answers]
    here = timeline(*answers).view(WHOLE, 1).residents[0].spans
    there = timeline(*moved).view(window(by, by + 30), 1).residents[0].spans
    assert [(span.state, round(span.seconds, 5)) for span in here] == [
        (span.state, round(span.seconds, 5)) for span in there
    ]


def test_a_span_of_no_length_is_nothing() -> None:
    point = Span("r0", Kind.RESIDENT, Q, 5.0, 5.0)
    room = timeline(parse_feed(document([Span("r0", Kind.RESIDENT, L, 0.0, 5.0), point], clock=6.0), EPOCH))
    assert states(room.view(window(0, 5), ["r0"])) == [("Live", 0, 5)]


def counted(room: Timeline, start: float = 0.0, end: float = 30.0) -> list[tuple[float, float, float]]:
    """Edges, in seconds from the epoch, and packets of the first resident's rows."""
    (resident, *_) = room.view(window(start, end), ["r0"]).residents
    return [(round(row.start - EPOCH, 6), round(row.end - EPOCH, 6), row.received) for row in resident.statistics]


def test_statistics_stand_beside_the_spans_of_the_window() -> None:
    room = timeline(feed(spans("r0", [(L, 6)]), clock=6, statistics=[row(0, 2), row(2, 4), row(4, 6)]))
    assert counted(room) == [(0, 2, 100), (2, 4, 100), (4, 6, 100)]
    assert counted(room, 1, 4) == [(1, 2, 50), (2, 4, 100)]
    assert room.view(WHOLE, ["r1"]).residents[0].statistics == ()


def test_a_row_that_goes_on_counts_as_far_as_no_closed_one_does() -> None:
    early = feed(spans("r0", [(L, 3)]), clock=3, statistics=[row(0, 2)], counting=[row(2, 3)])
    later = feed([], clock=5, statistics=[row(2, 4)], counting=[row(4, 5)])
    assert counted(timeline(early)) == [(0, 2, 100), (2, 3, 50)]
    for order in itertools.permutations([early, later]):
        assert counted(timeline(*order)) == [(0, 2, 100), (2, 4, 100), (4, 5, 50)]


def test_statistics_of_the_next_boot_count_from_where_it_begins() -> None:
    old = feed([], clock=8, statistics=[row(0, 2), row(2, 4), row(4, 6)], counting=[row(6, 8)])
    new = feed([], clock=12, statistics=[row(7, 9), row(9, 11)], boot="boot-2")
    assert counted(timeline(new, old)) == [(0, 2, 100), (2, 4, 100), (4, 6, 100), (6, 7, 50), (7, 9, 100), (9, 11, 100)]


def test_statistics_are_forgotten_with_the_spans() -> None:
    answer = feed(spans("r0", [(L, 6)]), clock=6, statistics=[row(0, 2), row(2, 4), row(4, 6)])
    room = timeline(answer)
    room.forget(EPOCH + 3)
    room.add(answer)
    assert counted(room) == [(2, 4, 100), (4, 6, 100)]


def test_memory_of_statistics_is_bounded_by_what_is_kept() -> None:
    room = Timeline(keep=60)
    for step in range(400):
        room.add(feed([], clock=2.0 * step + 2, statistics=[row(2 * step, 2 * step + 2)], first=step + 1))
    assert len(counted(room, 0, 800)) <= 32


def test_a_row_says_how_far_the_wall_clock_that_measured_its_delay_is_ahead_of_ours() -> None:
    for ahead in (0.0, 0.25, -0.5):
        told = feed([], clock=4, statistics=[row(0, 2)], counting=[row(2, 4)], wall=EPOCH + 4 + ahead)
        rows = timeline(told).view(WHOLE, ["r0"]).residents[0].statistics
        assert [each.ahead for each in rows] == [ahead, ahead]
        assert [each.delay for each in rows] == pytest.approx([0.06, 0.06])


def test_a_delay_by_a_wall_clock_that_was_never_read_is_not_known() -> None:
    told = dataclasses.replace(feed([], clock=4, statistics=[row(0, 2)]), wall=None)
    assert [each.delay for each in timeline(told).view(WHOLE, ["r0"]).residents[0].statistics] == [None]


def test_a_pod_that_dropped_nothing_tells_from_its_first_span_on() -> None:
    room = timeline(feed(spans("r0", [(J, 2), (L, 10)], start=5), clock=20))
    assert room.known_from(["pod-0"]) == EPOCH + 5
    assert room.known_from(["pod-0", "pod-1"]) == float("inf")


def test_what_a_ring_dropped_ended_before_the_oldest_that_is_left() -> None:
    left = feed(spans("r0", [(L, 10), (Q, 2), (L, 8)], start=5), clock=30)
    room = timeline(dataclasses.replace(left, lost=3))
    assert room.known_from(["pod-0"]) == EPOCH + 15
    room.add(feed([], spans("r0", [(L, 10)], start=25), clock=35, first=4))
    assert room.known_from(["pod-0"]) == EPOCH + 15


def test_an_answer_of_which_all_was_dropped_tells_of_now_alone() -> None:
    left = dataclasses.replace(feed([], spans("r0", [(L, 20)], start=5), clock=25), lost=3)
    assert timeline(left).known_from(["pod-0"]) == EPOCH + 25


def test_who_is_known_to_have_been_in_does_not_join_for_the_first_time() -> None:
    room = timeline(feed(spans("r0", [(J, 3), (L, 27)]), clock=30))
    assert states(room.view(WHOLE, ["r0"])) == [("Joining", 0, 3), ("Live", 3, 30)]
    assert states(room.view(WHOLE, ["r0"], were_in=["r0"])) == [("Unknown", 0, 3), ("Live", 3, 30)]
