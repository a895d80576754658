import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.spans import Kind, Span, State, Window, merge, without_holes
from tests.availability.build import EPOCH, H, L, Q, Story, U, known_stories, spans, stories


def resident(state: State, start: float, end: float, **fields: float) -> Span:
    return Span("r0", Kind.RESIDENT, state, start, end, **fields)


def test_a_clipped_span_keeps_its_part_of_the_missing_media() -> None:
    assert resident(Q, 10, 20, missing=4.0).clipped(15, 30) == resident(Q, 15, 20, missing=2.0)


@pytest.mark.parametrize(("start", "end"), [(0, 10), (20, 30), (15, 15), (18, 12)])
def test_a_span_outside_of_the_window_leaves_nothing(start: float, end: float) -> None:
    assert resident(Q, 10, 20).clipped(start, end) is None


def test_an_empty_span_leaves_nothing() -> None:
    assert resident(Q, 10, 10).clipped(0, 20) is None


def test_neighbours_in_one_state_become_one_and_their_delay_is_weighted_by_length() -> None:
    joined = list(merge([resident(L, 0, 1, delay=0.125, missing=0.5), resident(L, 1, 4, delay=0.375, missing=0.25)]))
    assert joined == [resident(L, 0, 4, delay=0.3125, missing=0.75)]


@pytest.mark.parametrize(("first", "second", "mean"), [(None, 0.2, 0.2), (0.2, None, 0.2), (None, None, None)])
def test_an_unknown_delay_does_not_spoil_a_known_one(first: float, second: float, mean: float) -> None:
    assert next(iter(merge([resident(L, 0, 1, delay=first), resident(L, 1, 2, delay=second)]))).delay == mean


def test_spans_of_one_state_with_a_hole_between_them_stay_two() -> None:
    assert len(list(merge([resident(L, 0, 1), resident(L, 2, 3)]))) == 2


def test_holes_become_unknown() -> None:
    gapless = without_holes([resident(L, 2, 3), resident(L, 5, 6)], "r0", Kind.RESIDENT, 0, 8)
    assert [(span.state, span.start, span.end) for span in gapless] == [
        (U, 0, 2), (L, 2, 3), (U, 3, 5), (L, 5, 6), (U, 6, 8),
    ]  # fmt: skip


def test_a_hole_of_rounding_is_none() -> None:
    assert [
        span.state for span in without_holes([resident(L, 0, 3), resident(H, 3.0009, 8)], "r0", Kind.RESIDENT, 0, 8)
    ] == [L, H]


def test_who_was_never_seen_is_unknown_throughout() -> None:
    assert without_holes([], "r0", Kind.RESIDENT, 3, 8) == (resident(U, 3, 8),)


def test_of_two_spans_that_overlap_the_first_is_kept_whole() -> None:
    gapless = without_holes([resident(L, 0, 5), resident(Q, 4, 8)], "r0", Kind.RESIDENT, 0, 8)
    assert [(span.state, span.end) for span in gapless] == [(L, 5), (Q, 8)]


def test_an_inverted_window_has_no_length() -> None:
    assert Window(5, 3).seconds == 0


@given(stories(), st.floats(-5, 35), st.floats(0, 40))
def test_without_holes_covers_the_window_exactly_and_no_neighbours_are_alike(
    story: Story, start: float, length: float
) -> None:
    gapless = without_holes(spans("r0", story), "r0", Kind.RESIDENT, EPOCH + start, EPOCH + start + length)
    assert sum(span.seconds for span in gapless) == pytest.approx(length, abs=2e-6)
    for span, following in itertools.pairwise(gapless):
        assert span.end == following.start
        assert span.state is not following.state


@given(known_stories(), st.lists(st.floats(0.001, 29.999), max_size=5))
def test_splitting_spans_changes_nothing(story: Story, cuts: list[float]) -> None:
    whole = spans("r0", story)
    pieces = list(whole)
    for cut in cuts:
        at = EPOCH + cut
        pieces = [
            part
            for span in pieces
            for part in (span.clipped(span.start, min(at, span.end)), span.clipped(max(at, span.start), span.end))
            if part is not None
        ]
    end = EPOCH + 30
    merged = without_holes(pieces, "r0", Kind.RESIDENT, EPOCH, end)
    assert merged == without_holes(whole, "r0", Kind.RESIDENT, EPOCH, end)
