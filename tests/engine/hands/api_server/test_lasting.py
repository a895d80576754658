"""Faults that last and that the operator carries out itself: what their changes and targets tell of them."""

from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.run import ChangeRecord, FaultRecord, TargetRecord
from showstopper.engine.hands.api_server import lasting
from showstopper.engine.hands.protocol import FaultState

DOWN = Fault.model_validate(
    {"name": "down", "target": {"component": "relay", "max": 2}, "scaleDown": {"replicas": 1}, "duration": "20s"}
)
RECORD = FaultRecord(name="down", kind="scaleDown", targets=2)


def at(seconds: int) -> str:
    return f"2026-06-01T00:{seconds // 60:02d}:{seconds % 60:02d}Z"


def change(**known: Any) -> ChangeRecord:
    place = {"kind": "Deployment", "name": "relay", "uid": "u", "field": "/spec/replicas"}
    return ChangeRecord(fault="down", before="2", after="1", **place, **known)


def state(*gone: int | None, **known: Any) -> FaultState:
    """Of two targets, one of which went after so many seconds."""
    targets = [
        TargetRecord(fault="down", pod=name, uid=name, gone_at=at(moment) if moment is not None else None)
        for name, moment in zip("ab", (*gone, None, None), strict=False)
    ]
    return lasting.state(DOWN, RECORD, [change(**known)], targets)


def test_what_is_noted_and_not_made_is_not_in_force() -> None:
    found = state()
    assert [found.touched, found.armed, found.over, found.record.proven, found.record.reverted] == [False] * 5
    assert found.trouble is None


def test_it_is_armed_when_the_field_was_read_back_and_proven_when_the_pods_went() -> None:
    found = state(changed_at=at(0))
    assert (found.armed, found.over, found.record.armed_at) == (True, False, at(0))
    assert "2 of 2 pods were still there" in (found.record.message or "")
    found = state(3, changed_at=at(0))
    assert (found.record.proven, found.record.reverted) == (True, False)
    assert found.record.message == "proven on every target: 1 of 2 pods gone, the last after 3.0 s"


def test_it_is_over_when_the_field_was_read_back_as_it_was() -> None:
    found = state(3, changed_at=at(0), restored_at=at(20))
    assert (found.over, found.record.proven, found.record.reverted) == (True, True, True)
    assert (found.record.lifted_at, found.record.asked_for, found.record.in_force) == (at(20), "40.00s", "40.00s")
    assert all(target.lifted_at == at(20) for target in found.targets)


def test_what_nobody_put_back_in_time_is_proven_and_its_time_is_recorded() -> None:
    found = state(3, changed_at=at(0), restored_at=at(95))
    assert found.record.proven
    assert (found.record.asked_for, found.record.in_force) == ("40.00s", "190.00s")


@pytest.mark.parametrize(("reason", "verdict"), [("InjectionForbidden", "Error"), ("ChangedMeanwhile", "Inconclusive")])
def test_what_could_not_be_made_is_trouble(reason: str, verdict: str) -> None:
    found = state(reason=reason, message="why")
    assert found.trouble is not None
    assert (found.trouble.reason, found.trouble.verdict, found.trouble.message) == (reason, verdict, "why")
    assert found.record.cut_short is None, "it has not begun"


def test_what_somebody_else_changed_is_cut_short_and_left_and_not_verified() -> None:
    found = state(3, changed_at=at(0), left_at=at(9), reason="ChangedMeanwhile", message="it is 5")
    assert (found.over, found.record.reverted, found.record.cut_short) == (True, False, "ChangedMeanwhile")
    assert found.record.message == "it is 5"
