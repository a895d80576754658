import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.indicators.aggregates import Count, Figure, percentile, share, unknown_seconds
from showstopper.availability.measurements import Measurement
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import View
from showstopper.availability.units import FLAW_SHARE, MILLISECONDS, Unit
from tests.availability.build import counted, row


@dataclass(frozen=True)
class Anything:
    """Something to measure."""

    name: str = "Anything"
    unit: Unit = FLAW_SHARE


LOST = Count(lambda row: row.lost, lambda row: row.expected, 50.0)
NOTHING = "no packet was expected"


def lost(view: View) -> Measurement:
    return share(Anything(), view, LOST, NOTHING)


def jitter(view: View, quantile: float = 0.95) -> Measurement:
    def of(row: Statistics) -> Figure | None:
        return None if row.jitter is None else Figure(row.jitter, row.jitter, row.jitter)

    return percentile(Anything(unit=MILLISECONDS), view, of, quantile, "no packet came")


def test_a_share_is_of_all_residents_together_and_names_the_worst() -> None:
    measured = lost(counted([row(0, 10, received=450, lost=50)], [row(0, 10, received=500)], end=10))
    assert (measured.value, measured.lower, measured.upper) == (0.05, 0.05, 0.05)
    assert (measured.samples, measured.worst_listener, measured.worst_value) == (2, "r0", 0.1)


def test_without_a_flaw_nobody_is_the_worst() -> None:
    assert lost(counted([row(0, 10)], end=10)).worst_listener == ""


def test_packets_that_came_late_do_not_make_a_share_negative() -> None:
    rows = [row(0, 2, received=95, lost=5), row(2, 4, received=105, lost=-5)]
    assert lost(counted(rows, end=4)).value == 0
    assert lost(counted(rows[1:], end=4)).value == 0


def test_what_is_not_known_may_all_have_been_lost_or_none_of_it() -> None:
    measured = lost(counted([row(0, 8, received=396, lost=4)], end=10))
    assert (measured.value, measured.lower, measured.upper) == pytest.approx((0.01, 4 / 500, 104 / 500))


def test_a_resident_without_statistics_is_unknown_throughout() -> None:
    room = counted([row(0, 10)], [], end=10)
    assert [unknown_seconds(track, room) for track in room.residents] == [0, 10]
    assert (lost(room).value, lost(room).upper) == (0, 0.5)


def test_holes_of_rounding_are_none() -> None:
    room = counted([row(0, 2), row(2.0005, 4)], end=4)
    assert unknown_seconds(room.residents[0], room) == 0


@pytest.mark.parametrize("rows", [[], [row(0, 10, received=0)]])
def test_without_anything_to_count_nothing_is_measured(rows: list[Statistics]) -> None:
    measured = lost(counted(rows, end=10))
    assert (measured.value, measured.samples, measured.upper, measured.reason) == (None, 0, 1.0, NOTHING)


def jitters(*values: float | None) -> list[Statistics]:
    return [row(2 * index, 2 * index + 2, jitter=value) for index, value in enumerate(values)]


def test_a_percentile_is_the_figure_that_was_not_exceeded_for_that_part_of_the_time() -> None:
    rows = jitters(*[0.001] * 18, 0.005, 0.03)
    assert jitter(counted(rows, end=40)).value == 0.005
    assert jitter(counted(rows, end=40), 1.0).value == 0.03
    assert jitter(counted(rows, end=40), 0.5).value == 0.001


def test_a_percentile_is_of_all_residents_and_names_the_one_with_the_highest_of_its_own() -> None:
    measured = jitter(counted(jitters(*[0.001] * 20), jitters(*[0.001] * 18, 0.02, 0.03), end=40))
    assert (measured.value, measured.worst_listener, measured.worst_value) == (0.001, "r1", 0.02)


def test_time_without_the_figure_is_left_out_and_is_not_unknown() -> None:
    measured = jitter(counted(jitters(0.001, None, None, 0.004), end=8))
    assert (measured.value, measured.lower, measured.upper) == (0.004, 0.004, 0.004)


def test_unknown_time_may_hide_any_figure() -> None:
    rows = jitters(*[0.001] * 18, 0.005, 0.03)
    measured = jitter(counted([*rows[:10], *rows[11:]], end=40))
    assert (measured.lower, measured.value, measured.upper) == (0.005, 0.03, 0.03)
    measured = jitter(counted(rows, end=50))
    assert (measured.lower, measured.value, measured.upper) == (0.005, 0.005, math.inf)


def test_without_a_figure_nothing_is_measured() -> None:
    measured = jitter(counted(jitters(None, None), end=4))
    assert (measured.value, measured.samples, measured.reason) == (None, 0, "no packet came")


rows = st.builds(
    lambda received, lost, jitter: {"received": float(received), "lost": float(lost), "jitter": jitter},
    st.integers(0, 90),
    st.integers(0, 10),
    st.none() | st.floats(0, 1, width=32),
)


@given(st.lists(rows, min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_the_bounds_hold_whatever_was_hidden(told: Sequence[dict[str, Any]], hidden: set[int]) -> None:
    whole = [row(2 * index, 2 * index + 2, **figures) for index, figures in enumerate(told)]
    seen = [each for index, each in enumerate(whole) if index not in hidden]
    end = 2.0 * len(whole)
    for measure in (lost, jitter):
        truth, partial = measure(counted(whole, end=end)), measure(counted(seen, end=end))
        assert partial.lower <= truth.lower + 1e-9
        assert partial.upper >= truth.upper - 1e-9 or truth.value is None
        if partial.value is not None:
            assert partial.lower - 1e-9 <= partial.value <= partial.upper + 1e-9
