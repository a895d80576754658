"""Wrong counts: what each is in the place of the true one."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.door.counts import Count
from showstopper.audio.door.skewing import Skew, SkewedCount

BEGUN = Count(now=6, peak=8, cumulative=20, measured_at=100.0, looks=50)
TRUE = Count(now=4, peak=8, cumulative=23, measured_at=110.0, looks=57)


def shown(way: Skew, factor: int = 1, true: Count = TRUE) -> tuple[int, int, int]:
    skewed = SkewedCount(way, factor, BEGUN).shown(true)
    assert skewed.measured_at == true.measured_at
    return skewed.now, skewed.peak, skewed.cumulative


def test_every_figure_is_too_large_by_a_factor() -> None:
    assert shown(Skew.MULTIPLIED, 700) == (2800, 5600, 16100)


def test_all_who_ever_came_are_shown_as_being_in() -> None:
    assert shown(Skew.CUMULATIVE) == (23, 23, 23)


def test_who_leaves_is_still_counted() -> None:
    assert shown(Skew.LEAVES_UNCOUNTED) == (9, 9, 23), "six were in, and three have come"
    assert shown(Skew.LEAVES_UNCOUNTED, true=BEGUN) == (6, 8, 20)


def test_everybody_who_looks_is_counted() -> None:
    assert shown(Skew.IMPRESSIONS) == (11, 11, 23), "four are in, and seven have looked"


counts = st.builds(
    Count,
    now=st.integers(0, 99),
    peak=st.integers(0, 99),
    cumulative=st.integers(0, 99),
    measured_at=st.just(0.0),
    looks=st.integers(0, 99),
)


@given(st.sampled_from(Skew), counts, counts)
def test_no_wrong_count_is_below_the_true_one_also_of_a_room_that_is_made_anew(
    way: Skew, begun: Count, true: Count
) -> None:
    skewed = SkewedCount(way, 2, begun).shown(true)
    assert skewed.now >= true.now
    assert skewed.peak >= true.peak
    assert skewed.cumulative >= true.cumulative
