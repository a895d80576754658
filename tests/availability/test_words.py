from showstopper.api.indicators import Indicator, Unit
from showstopper.api.verdicts import Verdict


def test_every_indicator_has_a_unit_and_only_shares_are_better_when_bigger() -> None:
    better = {indicator for indicator in Indicator if indicator.bigger_is_better}
    assert better == {Indicator.JOIN_SUCCESS, Indicator.AUDIBLE_RATIO, Indicator.ARRIVAL_AUDIBLE}
    assert {indicator.unit for indicator in Indicator} == set(Unit)


def test_only_a_pass_exits_with_zero() -> None:
    assert {str(verdict): verdict.exit_code for verdict in Verdict} == {
        "Passed": 0,
        "Failed": 1,
        "Inconclusive": 2,
        "Aborted": 3,
        "Error": 4,
    }
