import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.comparing import compare
from bench.packets import Gap
from showstopper.availability.outages import Outage, OutageEnd


def gap(start: float, end: float) -> Gap:
    return Gap(start, end, missing=end - start)


def outage(start: float, end: float, missing: float | None = None) -> Outage:
    length = end - start
    lost = length if missing is None else missing
    return Outage("pod/0", start, end, length, length, length, length, lost, ended=OutageEnd.RECOVERED)


def test_an_outage_is_compared_with_its_gap_by_what_is_missing() -> None:
    report = compare([gap(10.0, 17.0)], [outage(10.25, 17.05, missing=7.01)])
    (comparison,) = report.compared
    assert comparison.difference == pytest.approx(0.01)
    assert comparison.heard == pytest.approx(6.8)
    assert comparison.starts_late == pytest.approx(0.25)
    assert comparison.ends_late == pytest.approx(0.05)
    assert not report.missed
    assert not report.invented


def test_a_long_gap_that_nobody_reports_is_missed() -> None:
    assert compare([gap(10.0, 10.6)], []).missed == (gap(10.0, 10.6),)


def test_a_short_gap_that_the_codec_bridges_is_not_missed() -> None:
    assert not compare([gap(10.0, 10.4)], []).missed


def test_an_outage_that_no_gap_explains_is_invented() -> None:
    told = outage(30.0, 31.0)
    report = compare([gap(10.0, 17.0)], [outage(10.2, 17.0), told])
    assert report.invented == (told,)
    assert len(report.compared) == 1


def test_a_gap_with_a_burst_in_its_middle_may_be_heard_as_one_outage() -> None:
    (comparison,) = compare([gap(10.0, 13.0), gap(13.1, 17.0)], [outage(10.2, 17.0, missing=6.9)]).compared
    assert comparison.captured == pytest.approx(6.9)
    assert comparison.difference == pytest.approx(0.0)


def test_an_outage_far_from_a_gap_is_both_missed_and_invented() -> None:
    report = compare([gap(10.0, 12.0)], [outage(14.0, 16.0)])
    assert len(report.missed) == len(report.invented) == 1
    assert not report.compared


stretches = st.lists(st.tuples(st.floats(0, 500), st.floats(0.11, 20)), max_size=8)


@given(stretches, stretches)
def test_nothing_is_lost_between_compared_missed_and_invented(
    gone: list[tuple[float, float]], told: list[tuple[float, float]]
) -> None:
    gaps = [gap(start, start + length) for start, length in gone]
    outages = [outage(start, start + length) for start, length in told]
    report = compare(gaps, outages)
    missing = sum(comparison.missing for comparison in report.compared) + sum(
        invented.missing for invented in report.invented
    )
    assert missing == pytest.approx(sum(reported.missing for reported in outages))
    captured = sum(comparison.captured for comparison in report.compared) + sum(
        missed.seconds for missed in report.missed
    )
    short = sum(true_gap.seconds for true_gap in gaps if true_gap.seconds <= 0.5)
    assert captured <= sum(true_gap.seconds for true_gap in gaps) + 1e-6
    assert captured >= sum(true_gap.seconds for true_gap in gaps) - short - 1e-6


def test_media_that_was_only_late_is_missing_in_neither() -> None:
    (comparison,) = compare([Gap(10.0, 10.25, missing=0.0)], [outage(10.2, 10.3, missing=0.0)]).compared
    assert comparison.difference == 0
    assert comparison.heard == pytest.approx(0.1)


def test_a_gap_that_the_codec_bridges_beside_an_outage_is_no_part_of_it() -> None:
    (comparison,) = compare([gap(9.5, 9.65), gap(10.0, 17.0)], [outage(10.25, 17.05, missing=7.0)]).compared
    assert comparison.difference == pytest.approx(0.0)
    assert comparison.starts_late == pytest.approx(0.25)


def test_a_short_gap_within_the_dead_air_is_part_of_it() -> None:
    (comparison,) = compare([gap(10.0, 16.0), gap(16.1, 16.28)], [outage(10.25, 16.4, missing=6.18)]).compared
    assert comparison.captured == pytest.approx(6.18)


def test_what_the_listener_could_not_see_of_an_outage_is_said() -> None:
    half_blind = Outage("pod/0", 10.3, 17.0, 6.0, 4.0, 6.7, 6.0, 6.2, ended=OutageEnd.RECOVERED)
    (comparison,) = compare([gap(10.0, 17.0)], [half_blind]).compared
    assert comparison.unknown == pytest.approx(0.7)
    assert comparison.difference == pytest.approx(0.8)
