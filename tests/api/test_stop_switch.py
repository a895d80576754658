"""The stop switch: any reason stops, none does not."""

import pytest

from showstopper.api.stop_switch import stop_reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, None),
        ({}, None),
        ({"reason": ""}, None),
        ({"reason": "  \n"}, None),
        ({"reason": "the show is on"}, "the show is on"),
        ({"why": "no"}, "no"),
        ({"a": "x", "reason": "this one"}, "this one"),
        ({"reason": "x" * 999}, "x" * 256),
    ],
)
def test_a_reason_stops(data: dict[str, str] | None, reason: str | None) -> None:
    assert stop_reason({"data": data}) == reason
