"""Durations and shares: read as they are written, written as they can be read, never shown better than they are."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.expectations.indicators import bound_value
from showstopper.api.schema.quantities import DurationBounds, Share, format_duration, parse_duration
from showstopper.availability.indicators import INDICATORS, Indicator
from showstopper.availability.units import COUNT, DURATION, SHARE
from showstopper.errors import InvalidQuantity

milliseconds = st.integers(0, 99_999 * 3_600_000).map(lambda count: timedelta(milliseconds=count))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("1500ms", 1.5), ("1m30s", 90), ("1h0m0s1ms", 3600.001), ("90s", 90), ("99999h", 359_996_400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "1.5s", "-1s", "1d", "s", "1s ", "1s\n", "100000s", "1h1h1h1h1h", 5, None, "٣s"]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(InvalidQuantity, match="is not a valid duration: write whole hours"):
        parse_duration(text)


@given(milliseconds)
def test_a_duration_comes_back_as_it_was(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(st.floats(0, 1e6))
def test_a_duration_is_written_to_the_millisecond(seconds: float) -> None:
    written = parse_duration(format_duration(timedelta(seconds=seconds)))
    assert abs(written.total_seconds() - seconds) <= 0.0005 + 1e-6


def test_a_negative_duration_counts_as_none() -> None:
    assert format_duration(timedelta(seconds=-1)) == "0s"


@pytest.mark.parametrize(
    ("text", "value"), [("0%", 0), ("99.5%", 0.995), ("100%", 1), ("100.000%", 1), ("7.125%", 0.07125)]
)
def test_shares_are_read(text: str, value: float) -> None:
    assert float(Share.parse(text)) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "%", "50", "101%", "100.1%", "-1%", "1.2345%", ".5%", "50 %", "5%\n", 0.5, None])
def test_what_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(InvalidQuantity, match="is not a valid share: write a percentage"):
        Share.parse(text)


@given(st.integers(0, 100_000))
def test_a_share_comes_back_as_it_was(thousandths: int) -> None:
    written = str(Share(thousandths / 100_000))
    assert Share.parse(written) == pytest.approx(thousandths / 100_000)
    assert str(Share.parse(written)) == written


@given(st.floats(0, 1))
def test_a_share_is_never_shown_better_than_it_is(value: float) -> None:
    assert float(Share.parse(str(Share(value)))) <= value + 1e-11
    assert value < 1 - 1e-11 or str(Share(value)) == "100%"


@pytest.mark.parametrize(("value", "text"), [(0.999999, "99.999%"), (2 / 3, "66.666%"), (0.7, "70%"), (0.0, "0%")])
def test_shares_are_rounded_down(value: float, text: str) -> None:
    assert str(Share(value)) == text


@given(milliseconds, st.booleans())
def test_bounds_are_inside_the_bounds(value: timedelta, whole: bool) -> None:
    bounds = DurationBounds("1s", "1h", whole_seconds=whole)
    inside = timedelta(seconds=1) <= value <= timedelta(hours=1)
    if inside and not (whole and value % timedelta(seconds=1)):
        assert bounds.check(value) is value
    else:
        with pytest.raises(ValueError, match='write a duration from "1s" to "1h"'):
            bounds.check(value)


def test_zero_can_have_a_meaning_beside_the_bounds() -> None:
    bounds = DurationBounds("100ms", "1h", zero="no newcomers")
    assert not bounds.check(timedelta())
    with pytest.raises(ValueError, match='"50ms": write a duration from "100ms" to "1h", or "0s" for no newcomers'):
        bounds.check(timedelta(milliseconds=50))


@pytest.mark.parametrize("indicator", INDICATORS, ids=str)
def test_a_bound_is_read_in_its_indicators_unit_only(indicator: Indicator) -> None:
    right = {SHARE: ("50%", 0.5), DURATION: ("1500ms", 1.5), COUNT: ("3", 3.0)}
    for unit, (text, value) in right.items():
        if unit.pattern == indicator.unit.pattern:
            assert bound_value(indicator, text) == value
        else:
            with pytest.raises(ValueError, match=f"{indicator} is a .*: write"):
                bound_value(indicator, text)
