import json
import math

from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability import summary
from showstopper.availability.expectations import Expectation, judge
from showstopper.availability.indicators import INDICATORS, Recovery
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import State
from tests.availability.build import EPOCH, L, O, Q, Story, U, stories, view

HIT = view([(L, 5), (Q, 1.5), (O, 8), (L, 45.5)], [(L, 60)])


def test_an_exact_figure_is_a_value_and_its_worst_listener() -> None:
    assert summary.measurement(LONGEST_DEAD_AIR.measure(HIT, None)) == {
        "indicator": "LongestDeadAir",
        "value": "9.5s",
        "samples": 2,
        "worstListener": "r0",
        "worst": "9.5s",
    }


def test_bounds_are_told_only_where_the_truth_is_not_known() -> None:
    measured = summary.measurement(Measurement(AUDIBLE_RATIO, 0.75, 2, 0.6, 0.8))
    assert (measured["value"], measured["atLeast"], measured["atMost"]) == ("75%", "60%", "80%")
    endless = summary.measurement(Measurement(RECOVERY_TIME, None, 2, 40.0, math.inf, "not yet"))
    assert endless == {"indicator": "RecoveryTime", "atLeast": "40s", "samples": 2, "reason": "not yet"}


def test_a_room_that_did_not_recover_has_what_its_recovery_takes_at_least() -> None:
    measured = RECOVERY_TIME.measure(view([(L, 5), (Q, 35)]), Recovery(EPOCH))
    assert summary.shown(measured) == "at least 40s"
    assert summary.judgement(judge(Expectation(RECOVERY_TIME, maximum=25.0), measured))["value"] == "at least 40s"
    assert summary.shown(Measurement(RECOVERY_TIME, None, 2, 0.0, math.inf)) is None
    assert summary.shown(Measurement(RECOVERY_TIME, 4.5, 2, 4.5, 4.5)) == "4.5s"


def test_a_window_tells_every_indicator_and_how_much_is_unknown() -> None:
    window_summary = summary.window(HIT, Recovery(EPOCH))
    assert (window_summary["duration"], window_summary["residents"], window_summary["unknown"]) == ("60s", 2, "0%")
    assert [entry["indicator"] for entry in window_summary["indicators"]] == [
        str(indicator) for indicator in INDICATORS
    ]


def test_a_judgement_tells_bound_value_margin_and_sentence() -> None:
    judged = judge(Expectation(LONGEST_DEAD_AIR, maximum=20.0), LONGEST_DEAD_AIR.measure(HIT, None))
    assert summary.judgement(judged) == {
        "indicator": "LongestDeadAir",
        "max": "20s",
        "outcome": "Met",
        "value": "9.5s",
        "margin": "10.5s",
        "message": "LongestDeadAir 9.5 s ≤ 20 s, margin 10.5 s",
    }


def test_the_worst_outages_come_first_with_silence_and_missing_media_beside_dead_air() -> None:
    assert summary.worst_outages(HIT) == [
        {
            "listener": "r0",
            "after": "5s",
            "deadAir": "9.5s",
            "silence": "1.5s",
            "missing": "0s",
            "recovered": True,
            "ended": "Recovered",
        }
    ]
    many = view(*[[(L, 5.0), (Q, 1.0 + index), (L, 40.0)] for index in range(5)], end=40)
    assert [outage["deadAir"] for outage in summary.worst_outages(many, most=3)] == ["5s", "4s", "3s"]


def test_a_row_for_each_resident() -> None:
    rows = summary.rows(view([(L, 15), (Q, 5)], [(U, 20)]))
    assert rows == (summary.Row("r0", State.SILENT, 0.75, 5.0, 1), summary.Row("r1", State.UNKNOWN, None, 0.0, 0))


@given(st.lists(stories(), min_size=1, max_size=3))
def test_a_summary_is_plain_json_without_nan_or_infinity(room: list[Story]) -> None:
    room_view = view(*room)
    json.dumps([summary.window(room_view, Recovery(EPOCH)), summary.worst_outages(room_view)], allow_nan=False)
    assert "inf" not in json.dumps(summary.window(room_view, Recovery(EPOCH)))
