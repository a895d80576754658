import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.figures import apart, difference, duration, figure, margin, parse, sentence_figure, share
from showstopper.availability.units import COUNT, DURATION, FLAW_SHARE, MILLISECONDS, SHARE, Unit

UNITS = [SHARE, FLAW_SHARE, DURATION, MILLISECONDS, COUNT]


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.764, "76.4%"), (1.0, "100%"), (0.9999, "99.9%"), (0.7, "70%"), (0.0, "0%"), (0.29, "29%")]
)
def test_a_share_is_never_shown_better_than_it_is(ratio: float, text: str) -> None:
    assert share(ratio) == text


@pytest.mark.parametrize(("seconds", "text"), [(9.484, "9.48s"), (20.0, "20s"), (0.0, "0s"), (120.5, "120.5s")])
def test_durations_are_seconds_with_two_decimals(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_sentence_has_a_space_before_the_unit_and_a_status_none() -> None:
    assert [sentence_figure(unit, 1.0) for unit in (SHARE, DURATION, COUNT)] == ["100 %", "1 s", "1"]
    assert [figure(unit, 1.0) for unit in (SHARE, DURATION, COUNT)] == ["100%", "1s", "1"]


def test_margins_of_shares_are_points() -> None:
    assert [difference(unit, 0.064) for unit in (SHARE, DURATION, COUNT)] == ["6.4 points", "0.06 s", "0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2647, "26.4 points"), (-0.2473, "-24.8 points"), (0.29, "29 points"), (-0.0004, "-0.04 points")],
)
def test_a_margin_is_never_shown_better_than_it_is(value: float, text: str) -> None:
    assert difference(SHARE, value) == margin(SHARE, value) == text


@given(st.floats(0, 1), st.integers(0, 1000))
def test_share_bound_and_margin_add_up_as_they_are_shown(ratio: float, thousandths: int) -> None:
    """As people do the sum: 96.4 % against 70 % is 26.4 points."""
    bound = thousandths / 1000
    if abs(ratio - bound) >= 0.001:
        shown = float(share(ratio)[:-1]) - float(share(bound)[:-1])
        assert float(margin(SHARE, ratio - bound).split()[0]) == pytest.approx(shown, abs=1e-6)


@given(st.sampled_from(UNITS), st.floats(-1e4, 1e4))
def test_a_status_and_a_sentence_have_the_same_margin(unit: Unit, value: float) -> None:
    assert margin(unit, value).replace(" ", "") == difference(unit, value).replace(" ", "")


def test_a_tiny_margin_is_not_rounded_to_nothing() -> None:
    assert difference(SHARE, 0.00003) == "0.003 points"
    assert difference(DURATION, 0.0004) == "0.0004 s"


def test_a_value_beside_its_bound_gets_the_decimals_that_tell_them_apart() -> None:
    assert apart(SHARE, 0.69996, 0.7) == ("69.9 %", "70 %")
    assert apart(SHARE, 0.70004, 0.7) == ("70.004 %", "70 %")
    assert apart(DURATION, 20.0004, 20.0) == ("20.0004 s", "20 s")
    assert apart(COUNT, 3.0, 3.0) == ("3", "3")


@given(st.floats(0, 1))
def test_shares_round_down_by_less_than_a_tenth_of_a_point(ratio: float) -> None:
    shown = float(share(ratio)[:-1]) / 100
    noise = 1e-7  # what sums of doubles are off by is no reason to show a tenth of a point less
    assert -noise <= ratio - shown < 0.001 + noise


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (SHARE, "76.4%", 0.764),
        (FLAW_SHARE, "0.35%", 0.0035),
        (DURATION, "9.48s", 9.48),
        (MILLISECONDS, "4.2ms", 0.0042),
        (COUNT, "3", 3.0),
    ],
)
def test_a_status_s_figure_is_read_back(unit: Unit, text: str, value: float) -> None:
    assert parse(unit, text) == pytest.approx(value)
    assert figure(unit, parse(unit, text)) == text


@given(st.floats(0, 1))
def test_a_share_of_flaws_rounds_up_by_less_than_a_hundredth_of_a_point(ratio: float) -> None:
    """But for what is taken for the noise of floats: half of the fourth decimal of that hundredth."""
    shown, noise = parse(FLAW_SHARE, figure(FLAW_SHARE, ratio)), 0.5e-4 * 0.0001 + 1e-12
    assert -noise <= shown - ratio < 0.0001 + noise


def test_a_margin_of_flaws_is_not_embellished_either() -> None:
    """4.261 % of 5 % allowed is shown as 4.27 %, and what is left as 0.73."""
    assert sentence_figure(FLAW_SHARE, 0.04261) == "4.27 %"
    assert difference(FLAW_SHARE, 0.05 - 0.04261) == "0.73 points"
    assert difference(FLAW_SHARE, 0.00004) == "0.004 points"


def test_milliseconds_are_seconds_shown_in_thousandths() -> None:
    assert sentence_figure(MILLISECONDS, 0.0042) == "4.2 ms"
    assert difference(MILLISECONDS, 0.00003) == "0.03 ms"
    assert apart(MILLISECONDS, 0.03001, 0.03) == ("30.01 ms", "30 ms")
