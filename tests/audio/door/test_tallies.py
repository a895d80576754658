"""Tallies of replicas: whatever is told in whatever order, they come to the same, and to no more than the truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.door.tallies import Tally

tallies = st.builds(
    Tally,
    created=st.integers(0, 2),
    sid=st.sampled_from(["", "RM_a", "RM_b"]),
    peak=st.integers(0, 9),
    joins=st.integers(0, 9),
    looks=st.dictionaries(st.sampled_from(["door-0", "door-1"]), st.integers(1, 9)),
)


@given(tallies, tallies, tallies)
def test_the_order_does_not_matter_and_nothing_counts_twice(first: Tally, second: Tally, third: Tally) -> None:
    assert first.merged(second).merged(third) == first.merged(second.merged(third))
    assert (first.created, first.sid) != (second.created, second.sid) or first.merged(second) == second.merged(first)
    assert first.merged(first) == first
    assert first.merged(second).merged(second) == first.merged(second)


@given(st.lists(st.sampled_from(["join", "first misses", "second misses", "told", "restart"]), max_size=60))
def test_replicas_that_tell_each_other_agree_and_never_count_too_many(happened: list[str]) -> None:
    begun = Tally(1, "RM_a")
    first = second = begun
    joins = 0
    for each in happened:
        match each:
            case "told":
                first, second = first.merged(second), second.merged(first)
            case "restart":
                second = begun
            case _:
                joins += 1
                first = first if each == "first misses" else first.joined()
                second = second if each == "second misses" else second.joined()
    first, second = first.merged(second), second.merged(first)
    assert first == second
    assert first.joins <= joins


def test_one_that_starts_anew_knows_from_the_other() -> None:
    other = Tally(1, "RM_a", peak=7, joins=12)
    assert Tally(1, "RM_a").merged(other) == other
    assert Tally().merged(other) == other


def test_a_room_that_is_made_anew_begins_at_zero() -> None:
    old, new = Tally(1, "RM_a", peak=7, joins=12), Tally(2, "RM_b")
    assert old.merged(new) == new.merged(old) == new


def test_who_was_in_before_anybody_counted_has_come_in_too() -> None:
    assert Tally(1, "RM_a").seen(5) == Tally(1, "RM_a", peak=5, joins=5)
    assert Tally(1, "RM_a", peak=7, joins=12).seen(5) == Tally(1, "RM_a", peak=7, joins=12)


def test_looks_at_all_replicas_are_added_up_and_none_counts_twice() -> None:
    first, second = Tally(1, "RM_a").looked_at("door-0").looked_at("door-0"), Tally(1, "RM_a").looked_at("door-1")
    assert first.merged(second).all_looks == second.merged(first).merged(first).all_looks == 3


def test_it_is_told_as_it_is_read() -> None:
    tally = Tally(1, "RM_a", peak=7, joins=12, looks={"door-0": 3})
    assert Tally.read(tally.document()) == tally
    with pytest.raises(KeyError):
        Tally.read({"created": 1})
