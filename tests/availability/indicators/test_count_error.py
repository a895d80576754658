"""CountError: by example, and as a property: whatever Unknown held, the truth lies between the bounds."""

import dataclasses
import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.counts import CountSample
from showstopper.availability.feed import Arrival
from showstopper.availability.indicators.count_error import count_error
from showstopper.availability.measurements import Measurement
from showstopper.availability.tracks import View
from tests.availability.build import EPOCH, J, L, N, O, Q, Story, U, hide, known_stories, view

Shown = Sequence[tuple[float, int]]


def every_second(seconds: int, shown: int) -> Shown:
    return [(float(second), shown) for second in range(seconds)]


def counted(room: View, shown: Shown, calls: Sequence[Arrival] = (), unmade: int = 0) -> Measurement:
    samples = tuple(CountSample(EPOCH + at, number) for at, number in shown)
    return count_error(dataclasses.replace(room, counts=samples, calls=tuple(calls), unmade=unmade))


def figures(measured: Measurement) -> tuple[float | None, float, float]:
    return measured.value, measured.lower, measured.upper


def newcomer(called: float, joined: float | None, left: float | None, *, sure: float | None = None) -> Arrival:
    def at(seconds: float | None) -> float | None:
        return None if seconds is None else EPOCH + seconds

    seen = EPOCH + (left if left is not None else (sure if sure is not None else 60.0))
    return Arrival(
        "a", EPOCH + called, at(joined), None, None, at(left), "", seen, seen if sure is None else EPOCH + sure
    )


def test_a_count_that_is_right_has_no_error() -> None:
    assert figures(counted(view([(L, 60)], [(L, 60)]), every_second(60, 2))) == (0, 0, 0)


def test_a_count_that_is_wrong_is_off_by_so_many_listeners_in_both_directions() -> None:
    room = view([(L, 60)], [(L, 60)])
    assert figures(counted(room, every_second(60, 1400))) == (1398, 1398, 1398)
    assert figures(counted(room, every_second(60, 0))) == (2, 2, 2)


def test_who_has_a_connection_is_in_whatever_it_hears() -> None:
    room = view([(L, 30), (Q, 30)], [(N, 60)], [(O, 20), (J, 40)])
    assert figures(counted(room, every_second(60, 2))) == (0, 0, 0)


def test_leaves_that_are_not_counted_are_an_error_from_then_on() -> None:
    room = view([(L, 60)], [(L, 30), (O, 30)])
    assert counted(room, every_second(60, 2)).value == 1
    short = view([(L, 60)], [(L, 58), (O, 2)])
    assert counted(short, every_second(60, 2)).value == 0, "a count may be behind for one second of twenty"


def test_newcomers_are_in_from_their_join_to_their_leaving() -> None:
    room = view([(L, 60)])
    shown = [(float(second), 2 if 10 <= second < 40 else 1) for second in range(60)]
    assert figures(counted(room, shown, [newcomer(8, 10, 40)])) == (0, 0, 0)
    assert figures(counted(room, every_second(60, 1), [newcomer(8, None, 40)])) == (0, 0, 0), "it was refused"


def test_newcomers_of_whom_we_lost_sight_may_be_in() -> None:
    room = view([(L, 60)])
    lost = newcomer(8, 10, None, sure=20)
    assert figures(counted(room, every_second(60, 1), [lost])) == (1, 1, 1), "it was in for ten seconds at least"
    assert figures(counted(room, every_second(60, 1), [newcomer(8, None, None, sure=20)])) == (0, 0, 1)
    assert figures(counted(room, every_second(60, 1), unmade=2)) == (0, 0, 2)


def test_who_is_unknown_may_be_in() -> None:
    room = view([(L, 60)], [(U, 60)])
    assert figures(counted(room, every_second(60, 2))) == (1, 0, 1)
    assert figures(counted(room, every_second(60, 9))) == (8, 7, 8)


def test_what_was_shown_holds_until_the_next_sample_and_three_seconds_at_the_most() -> None:
    room = view([(L, 60)])
    half = [(at, shown) for at, shown in every_second(60, 1) if at < 30]
    measured = counted(room, half)
    assert figures(measured) == (0, 0, math.inf)
    assert measured.reason == "28.0 s of 60.0 s were not sampled"
    assert figures(counted(room, [(at - 0.5, 1) for at, _ in every_second(61, 1)])) == (0, 0, 0)


def test_without_a_sample_nothing_is_measured_and_what_to_write_is_said() -> None:
    measured = counted(view([(L, 60)]), [])
    assert not measured.samples
    assert "write door.counts in the AudioRoom" in measured.reason


HIDDEN = st.lists(st.tuples(st.integers(0, 58), st.integers(1, 12)), max_size=3)


@given(
    st.lists(known_stories(30), min_size=1, max_size=3),
    st.lists(st.integers(0, 4), min_size=30, max_size=30),
    st.data(),
)
def test_the_truth_lies_within_the_bounds_whatever_is_hidden(
    room: list[Story], numbers: list[int], data: st.DataObject
) -> None:
    told = []
    for story in room:
        hidden = story
        for start, size in data.draw(HIDDEN):
            hidden = hide(hidden, start / 2, (start + size) / 2)
        told.append(hidden)
    shown = [(float(second), number) for second, number in enumerate(numbers)]
    truth, measured = counted(view(*room), shown), counted(view(*told), shown)
    assert truth.value is not None
    assert measured.lower <= truth.value <= measured.upper
