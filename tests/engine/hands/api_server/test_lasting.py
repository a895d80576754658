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
    fault = state()
    assert [fault.touched, fault.armed, fault.over, fault.record.proven, fault.record.reverted] == [False] * 5
    assert fault.trouble is None


def test_it_is_armed_when_the_field_was_read_back_and_proven_when_the_pods_went() -> None:
    fault = state(changed_at=at(0))
    assert (fault.armed, fault.over, fault.record.armed_at) == (True, False, at(0))
    assert "2 of 2 pods were still there" in (fault.record.message or "")
    fault = state(3, changed_at=at(0))
    assert (fault.record.proven, fault.record.reverted) == (True, False)
    assert fault.record.message == "proven on every target: 1 of 2 pods gone, the last after 3.0 s"


def test_it_is_over_when_the_field_was_read_back_as_it_was() -> None:
    fault = state(3, changed_at=at(0), restored_at=at(20))
    assert (fault.over, fault.record.proven, fault.record.reverted) == (True, True, True)
    assert (fault.record.lifted_at, fault.record.asked_for, fault.record.in_force) == (at(20), "40.00s", "40.00s")
    assert all(target.lifted_at == at(20) for target in fault.targets)


def test_what_nobody_put_back_in_time_is_proven_and_its_time_is_recorded() -> None:
    fault = state(3, changed_at=at(0), restored_at=at(95))
    assert fault.record.proven
    assert (fault.record.asked_for, fault.record.in_force) == ("40.00s", "190.00s")


@pytest.mark.parametrize(("reason", "verdict"), [("InjectionForbidden", "Error"), ("ChangedMeanwhile", "Inconclusive")])
def test_what_could_not_be_made_is_trouble(reason: str, verdict: str) -> None:
    fault = state(reason=reason, message="why")
    assert fault.trouble is not None
    assert (fault.trouble.reason, fault.trouble.verdict, fault.trouble.message) == (reason, verdict, "why")
    assert fault.record.cut_short is None, "it has not begun"


def test_what_somebody_else_changed_is_cut_short_and_left_and_not_verified() -> None:
    fault = state(3, changed_at=at(0), left_at=at(9), reason="ChangedMeanwhile", message="it is 5")
    assert (fault.over, fault.record.reverted, fault.record.cut_short) == (True, False, "ChangedMeanwhile")
    assert fault.record.message == "it is 5"
