from typing import Any

import pytest

from bench.losses import LossTiming, figures
from bench.streams import Packet, first_lost
from showstopper.clock import to_timestamp

APPLIED = 1_790_000_000.0


def run(*, reverted: bool = False, looked: bool = False, verdict: str | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {"name": "Reverting", "startedAt": to_timestamp(APPLIED)}
    if looked:
        step["completedAt"] = to_timestamp(APPLIED + 1)
    status = {"steps": [step], "faults": [{"name": "loss", "reverted": reverted}], "verdict": verdict}
    return {"metadata": {"name": "loss-1"}, "status": status}


def injection(**target: Any) -> dict[str, Any]:
    return {"spec": {"run": {"name": "loss-1"}}, "status": {"targets": [target] if target else []}}


def test_the_moments_of_a_run() -> None:
    timing = LossTiming("1", accepted=APPLIED)
    timing.seen({"metadata": {"name": "loss-1"}}, APPLIED + 0.010)
    timing.asked(injection(), APPLIED + 0.020)
    timing.asked(injection(armedAt=to_timestamp(APPLIED + 0.030)), APPLIED + 0.040)
    timing.asked(injection(armedAt=to_timestamp(APPLIED + 0.030), first={"matched": 1}), APPLIED + 0.050)
    assert timing.run == "loss-1"
    assert timing.after_apply("created") == pytest.approx(0.010, abs=1e-5)
    assert timing.after_apply("asked") == pytest.approx(0.020, abs=1e-5)
    assert timing.after_apply("armed") == pytest.approx(0.030, abs=1e-5)
    assert timing.after_apply("told") == pytest.approx(0.050, abs=1e-5)


def test_clean_is_only_what_was_looked_for_and_not_found() -> None:
    timing = LossTiming("1", accepted=APPLIED)
    timing.moments["aborted"] = APPLIED + 1
    timing.seen(run(reverted=True), APPLIED + 1.1)
    timing.seen(run(looked=True), APPLIED + 1.2)
    assert timing.clean_after is None
    timing.seen(run(reverted=True, looked=True, verdict="Aborted"), APPLIED + 1.3)
    assert timing.clean_after == pytest.approx(0.3)
    assert timing.verdict == "Aborted"


def test_a_run_that_lost_nothing_is_counted_and_has_no_figure() -> None:
    proven, idle = LossTiming("1", accepted=APPLIED), LossTiming("2", accepted=APPLIED)
    proven.moments["matched"] = APPLIED + 0.045
    results = figures([proven, idle])
    assert (results["packet_loss_p50_ms"], results["packet_loss_p95_ms"]) == (45.0, 45.0)
    assert results["loss_runs_without_a_match"] == 1
    assert results["loss_runs_not_clean"] == 2


def test_the_first_lost_packet() -> None:
    packets = [Packet(1.0, (1.001,)), Packet(1.004), Packet(1.008, (1.009,)), Packet(1.012)]
    assert first_lost(packets) == 1.004
    assert first_lost(packets[:1]) is None
