"""Whether fleet and crowd tell the same of an outage that both saw."""

import pytest

from showstopper.availability import agreement
from tests.availability.build import EPOCH, L, N, Q, Story, U, view


def stopped(*, at: float, seconds: float = 3.0) -> Story:
    """Media stops for a listener who heard the host, and comes back."""
    return [(L, at), (N, seconds), (L, 30 - at - seconds)]


WELL: Story = [(L, 30)]
FLEET = [stopped(at=10.004), stopped(at=10.006), stopped(at=10.012)]
CROWD = [stopped(at=10.0 + number / 10_000) for number in range(20)]


def test_the_start_of_an_outage_of_all_is_the_median_of_either_kind() -> None:
    (start,) = agreement.starts(view(*FLEET), view(*CROWD))
    assert start.fleet - EPOCH == pytest.approx(10.006, abs=1e-5)
    assert start.crowd - EPOCH == pytest.approx(10.00095, abs=1e-5)
    assert start.agrees


@pytest.mark.parametrize(("by", "agrees"), [(0.019, True), (-0.019, True), (0.021, False), (-0.021, False)])
def test_they_agree_within_20_ms_on_either_side(by: float, agrees: bool) -> None:
    fleet = view(*[stopped(at=10 + by)] * 3)
    (start,) = agreement.starts(fleet, view(*[stopped(at=10.0)] * 20))
    assert start.apart == pytest.approx(by, abs=1e-5)
    assert start.agrees is agrees


def test_two_outages_are_two_starts() -> None:
    twice: Story = [(L, 5), (N, 2), (L, 8), (N, 4), (L, 11)]
    assert [start.crowd - EPOCH for start in agreement.starts(view(twice, twice), view(*[twice] * 5))] == [5, 15]


@pytest.mark.parametrize(
    ("fleet", "crowd"),
    [
        ([WELL] * 3, CROWD),
        (FLEET, [WELL] * 20),
        ([*FLEET[:1], WELL, WELL], CROWD),
        (FLEET, [*CROWD[:5], *[WELL] * 15]),
        (FLEET, [stopped(at=10 + number / 10) for number in range(20)]),
        (FLEET, [[(L, 10), (Q, 3), (L, 17)]] * 20),
        (FLEET, [[(U, 10), (N, 3), (L, 17)]] * 20),
        (FLEET, [stopped(at=10.0, seconds=0.3)] * 20),
        ([stopped(at=13.0)] * 3, CROWD),
    ],
    ids=[
        "only the crowd",
        "only the fleet",
        "a part of the fleet",
        "a part of the crowd",
        "each at a time of its own",
        "silence is no loss of media",
        "nobody saw it begin",
        "too short",
        "another time",
    ],
)
def test_what_not_both_kinds_saw_together_has_no_start(fleet: list[Story], crowd: list[Story]) -> None:
    assert agreement.starts(view(*fleet), view(*crowd)) == ()


def test_a_few_of_a_crowd_who_lost_media_before_the_others_do_not_hide_its_start() -> None:
    crowd = [stopped(at=9.5), *[stopped(at=10.0)] * 39]
    (start,) = agreement.starts(view(*FLEET), view(*crowd))
    assert start.crowd - EPOCH == pytest.approx(10.0)
