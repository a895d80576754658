from typing import Any

import pytest

from bench.timings import Timing
from showstopper.clock import to_timestamp

APPLIED = 1_790_000_000.0


def run(*, answered: float | None = None, completed: bool = False, verdict: str | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {"name": "Injecting", "startedAt": to_timestamp(APPLIED)}
    if completed:
        step["completedAt"] = to_timestamp(APPLIED + 1)
    target: dict[str, Any] = {"pod": "spare-1"}
    if answered is not None:
        target |= {"requestedAt": to_timestamp(answered - 0.005), "answeredAt": to_timestamp(answered)}
    return {"status": {"steps": [step], "targets": [target], "verdict": verdict}}


def test_the_moments_of_a_run() -> None:
    timing = Timing("1", accepted=APPLIED)
    timing.seen({"status": {}}, APPLIED + 0.010)
    timing.seen(run(), APPLIED + 0.016)
    timing.seen(run(answered=APPLIED + 0.025, completed=True), APPLIED + 0.033)
    assert timing.pod == "spare-1"
    assert timing.pod_kill == pytest.approx(0.025, abs=1e-5)
    assert timing.status_after == pytest.approx(0.008, abs=1e-5)
    assert timing.after_apply("created") == pytest.approx(0.010, abs=1e-5)
    assert timing.after_apply("noted") == pytest.approx(0.016, abs=1e-5)
    assert timing.after_apply("requested") == pytest.approx(0.020, abs=1e-5)


def test_a_moment_is_the_first_time_that_it_is_seen() -> None:
    timing = Timing("1", accepted=APPLIED)
    done = run(answered=APPLIED + 0.025, completed=True)
    timing.seen(done, APPLIED + 0.033)
    timing.seen(done | {"metadata": {}}, APPLIED + 9)
    assert timing.status_after == pytest.approx(0.008, abs=1e-5)


def test_a_note_before_the_call_is_no_kill() -> None:
    """The write-ahead note carries no answer: without one there is no figure, rather than a good one."""
    timing = Timing("1", accepted=APPLIED)
    timing.seen(run(verdict="Error"), APPLIED + 0.016)
    assert timing.pod_kill is None
    assert timing.status_after is None
    assert timing.verdict == "Error"


def test_a_run_that_is_created_with_its_targets_is_the_note() -> None:
    timing = Timing("1", accepted=APPLIED)
    timing.seen({"spec": {"targets": [{"pod": "spare-1"}]}, "status": {}}, APPLIED + 0.010)
    timing.seen(run(answered=APPLIED + 0.025, completed=True), APPLIED + 0.033)
    assert timing.after_apply("noted") == timing.after_apply("created") == pytest.approx(0.010, abs=1e-5)
