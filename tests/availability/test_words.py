from showstopper.api.verdicts import Verdict


def test_only_a_pass_exits_with_zero() -> None:
    assert {str(verdict): verdict.exit_code for verdict in Verdict} == {
        "Passed": 0,
        "Failed": 1,
        "Inconclusive": 2,
        "Aborted": 3,
        "Error": 4,
    }
