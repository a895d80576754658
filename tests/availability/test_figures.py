import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.indicators import Unit
from showstopper.availability.figures import apart, difference, duration, figure, margin, parse, sentence_figure, share


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.764, "76.4%"), (1.0, "100%"), (0.9999, "99.9%"), (0.7, "70%"), (0.0, "0%"), (0.29, "29%")]
)
def test_a_share_is_never_shown_better_than_it_is(ratio: float, text: str) -> None:
    assert share(ratio) == text


@pytest.mark.parametrize(("seconds", "text"), [(9.484, "9.48s"), (20.0, "20s"), (0.0, "0s"), (120.5, "120.5s")])
def test_durations_are_seconds_with_two_decimals(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_sentence_has_a_space_before_the_unit_and_a_status_none() -> None:
    assert [sentence_figure(unit, 1.0) for unit in Unit] == ["100 %", "1 s", "1"]
    assert [figure(unit, 1.0) for unit in Unit] == ["100%", "1s", "1"]


def test_margins_of_shares_are_points() -> None:
    assert [difference(unit, 0.064) for unit in Unit] == ["6.4 points", "0.06 s", "0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2647, "26.4 points"), (-0.2473, "-24.8 points"), (0.29, "29 points"), (-0.0004, "-0.04 points")],
)
def test_a_margin_is_never_shown_better_than_it_is(value: float, text: str) -> None:
    assert difference(Unit.SHARE, value) == margin(Unit.SHARE, value) == text


@given(st.floats(0, 1), st.integers(0, 1000))
def test_share_bound_and_margin_add_up_as_they_are_shown(ratio: float, thousandths: int) -> None:
    """As people do the sum: 96.4 % against 70 % is 26.4 points."""
    bound = thousandths / 1000
    if abs(ratio - bound) >= 0.001:
        shown = float(share(ratio)[:-1]) - float(share(bound)[:-1])
        assert float(margin(Unit.SHARE, ratio - bound).split()[0]) == pytest.approx(shown, abs=1e-6)


@given(st.sampled_from(Unit), st.floats(-1e4, 1e4))
def test_a_status_and_a_sentence_have_the_same_margin(unit: Unit, value: float) -> None:
    assert margin(unit, value).replace(" ", "") == difference(unit, value).replace(" ", "")


def test_a_tiny_margin_is_not_rounded_to_nothing() -> None:
    assert difference(Unit.SHARE, 0.00003) == "0.003 points"
    assert difference(Unit.DURATION, 0.0004) == "0.0004 s"


def test_a_value_beside_its_bound_gets_the_decimals_that_tell_them_apart() -> None:
    assert apart(Unit.SHARE, 0.69996, 0.7) == ("69.9 %", "70 %")
    assert apart(Unit.SHARE, 0.70004, 0.7) == ("70.004 %", "70 %")
    assert apart(Unit.DURATION, 20.0004, 20.0) == ("20.0004 s", "20 s")
    assert apart(Unit.COUNT, 3.0, 3.0) == ("3", "3")


@given(st.floats(0, 1))
def test_shares_round_down_by_less_than_a_tenth_of_a_point(ratio: float) -> None:
    shown = float(share(ratio)[:-1]) / 100
    assert -1e-9 <= ratio - shown < 0.001 + 1e-9


@pytest.mark.parametrize(
    ("unit", "text", "value"), [(Unit.SHARE, "76.4%", 0.764), (Unit.DURATION, "9.48s", 9.48), (Unit.COUNT, "3", 3.0)]
)
def test_a_status_s_figure_is_read_back(unit: Unit, text: str, value: float) -> None:
    assert parse(unit, text) == pytest.approx(value)
    assert figure(unit, parse(unit, text)) == text
