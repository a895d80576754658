import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability import coverage
from showstopper.availability.expectations import Expectation, Judgement, judge
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import State
from showstopper.availability.verdict import CHAIN, Evidence, FaultEvidence, Finding, decide
from tests.availability.build import C, H, J, L, Q, Story, U, view

RATIO, DEAD_AIR = AUDIBLE_RATIO, LONGEST_DEAD_AIR


def seen(*stories: Story) -> coverage.Coverage:
    return coverage.of(view(*stories))


def ratio(value: float) -> Judgement:
    return judge(Expectation(RATIO, minimum=0.7), Measurement(RATIO, value, 2, value, value))


MET, MISSED = ratio(0.764), ratio(0.5)
WANTED = judge(Expectation(DEAD_AIR, minimum=5.0), Measurement(DEAD_AIR, 9.0, 2, 9.0, 9.0))
BLIND = judge(Expectation(DEAD_AIR, maximum=20.0), unmeasured(DEAD_AIR, "nobody was there"))
SOUND = Evidence(
    faults=(FaultEvidence("kill", proven=True, reverted=True),),
    expectations=(MET,),
    baseline=seen([(L, 15)], [(L, 15)]),
    judged=seen([(L, 5), (Q, 9), (L, 46)], [(L, 5), (Q, 9), (L, 46)]),
)
ABORTED = Finding(Reason.ABORT_REQUESTED, "spec.abort was set")
CRASHED = Finding(Reason.ENGINE_FAILED, "the operator failed")
DELETED = Finding(Reason.TARGETS_GONE, "relay-a was deleted")
LEASE = Finding(Reason.LEASE_LOST, "the lease ran out")

# Everything that alone must keep a run from passing: what is wrong, verdict, reason, a word of the message.
FLAWS: list[tuple[dict[str, Any], Verdict, str, str]] = [
    ({"aborted": ABORTED}, Verdict.ABORTED, "AbortRequested", "spec.abort"),
    ({"error": CRASHED}, Verdict.ERROR, "EngineFailed", "operator"),
    ({"doubts": (LEASE,)}, Verdict.INCONCLUSIVE, "LeaseLost", "lease"),
    ({"baseline": None}, Verdict.INCONCLUSIVE, "NoBaseline", "timing.baseline"),
    ({"baseline": coverage.of(view([(L, 15)], start=5, end=5))}, Verdict.INCONCLUSIVE, "NoBaseline", "timing.baseline"),
    ({"baseline": seen([(H, 15)], [(L, 15)])}, Verdict.INCONCLUSIVE, "BaselineBroken", "50 % Hold; least heard by r0"),
    ({"baseline": seen([(L, 14), (Q, 1)])}, Verdict.INCONCLUSIVE, "BaselineBroken", "93.3 % of"),
    ({"baseline": seen(*[[(L, 15.0)]] * 18, [(Q, 15)])}, Verdict.INCONCLUSIVE, "BaselineBroken", "r18"),
    ({"baseline": seen([(L, 15)], [(U, 15)])}, Verdict.INCONCLUSIVE, "TooMuchUnknown", "never seen: r1"),
    ({"baseline": seen([(L, 14.2), (U, 0.8)])}, Verdict.INCONCLUSIVE, "TooMuchUnknown", "5.3 %"),
    ({"baseline": seen([(L, 14), (U, 0.5), (Q, 0.5)])}, Verdict.INCONCLUSIVE, "TooMuchUnknown", "perhaps only 93.3 %"),
    ({"newcomers": (MISSED,)}, Verdict.INCONCLUSIVE, "BaselineBroken", "for those who join"),
    ({"newcomers": (BLIND,)}, Verdict.INCONCLUSIVE, "NotMeasured", "timing.baseline longer"),
    ({"faults": ()}, Verdict.INCONCLUSIVE, "FaultNotProven", "nothing was tested"),
    ({"faults": (FaultEvidence("kill", False, True),)}, Verdict.INCONCLUSIVE, "FaultNotProven", "kill"),
    (
        {"faults": (FaultEvidence("loss", True, False, "left a qdisc"),)},
        Verdict.INCONCLUSIVE,
        "RevertNotVerified",
        "left a",
    ),
    ({"judged": None}, Verdict.INCONCLUSIVE, "TooMuchUnknown", "not watched"),
    ({"judged": seen([(L, 59), (U, 1)])}, Verdict.INCONCLUSIVE, "ListenersGone", "1 of 1"),
    ({"judged": seen([(L, 50), (U, 5), (L, 5)])}, Verdict.INCONCLUSIVE, "TooMuchUnknown", "8.3 %"),
    ({"expectations": ()}, Verdict.INCONCLUSIVE, "NothingExpected", "expect"),
    ({"other_cause": DELETED, "expectations": (MISSED,)}, Verdict.INCONCLUSIVE, "TargetsGone", "deleted (AudibleRatio"),
    ({"other_cause": DELETED, "expectations": (WANTED,)}, Verdict.INCONCLUSIVE, "TargetsGone", "deleted (LongestDead"),
    ({"expectations": (MET, MISSED)}, Verdict.FAILED, "ExpectationMissed", "missed by 20 points"),
    ({"expectations": (MET, BLIND)}, Verdict.INCONCLUSIVE, "NotMeasured", "nobody was there"),
]


def test_sound_evidence_and_met_expectations_pass() -> None:
    decision = decide(SOUND)
    assert (decision.verdict, decision.reason, decision.findings) == (Verdict.PASSED, "ExpectationsMet", ())
    assert "margin 6.4 points" in decision.message


@pytest.mark.parametrize(("flaw", "verdict", "reason", "word"), FLAWS)
def test_each_flaw_alone_keeps_a_run_from_passing(
    flaw: dict[str, Any], verdict: Verdict, reason: str, word: str
) -> None:
    decision = decide(dataclasses.replace(SOUND, **flaw))
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert word in decision.message


def test_every_question_of_the_chain_is_asked_by_a_flaw() -> None:
    answered = {ask for ask in CHAIN for flaw, *_ in FLAWS if ask(dataclasses.replace(SOUND, **flaw))}
    assert answered == set(CHAIN)


@given(st.lists(st.sampled_from(FLAWS), min_size=1, unique_by=lambda flaw: next(iter(flaw[0]))))
def test_no_combination_of_flaws_passes_and_the_first_in_the_chain_decides(
    flaws: list[tuple[dict[str, Any], Verdict, str, str]],
) -> None:
    evidence = dataclasses.replace(SOUND, **{field: value for flaw, *_ in flaws for field, value in flaw.items()})
    decision = decide(evidence)
    assert decision.verdict is not Verdict.PASSED
    assert decision.findings == tuple(finding for ask in CHAIN if (finding := ask(evidence)))
    assert (decision.reason, decision.verdict) == (decision.findings[0].reason, decision.findings[0].verdict)


def test_what_is_missed_for_certain_fails_whatever_else_is_unmeasured() -> None:
    assert decide(dataclasses.replace(SOUND, expectations=(BLIND, MISSED))).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    "flaw", [flaw for flaw, verdict, *_ in FLAWS if verdict is Verdict.INCONCLUSIVE and "expectations" not in flaw]
)
def test_a_missed_expectation_on_evidence_that_is_not_sound_is_no_failure(flaw: dict[str, Any]) -> None:
    assert decide(dataclasses.replace(SOUND, **{**flaw, "expectations": (MISSED,)})).verdict is Verdict.INCONCLUSIVE


def test_a_room_that_stood_a_fault_and_something_else_has_passed() -> None:
    assert decide(dataclasses.replace(SOUND, other_cause=DELETED)).verdict is Verdict.PASSED


def test_one_unproven_fault_among_proven_ones_is_enough() -> None:
    faults = (*SOUND.faults, FaultEvidence("drop", proven=False, reverted=True))
    decision = decide(dataclasses.replace(SOUND, faults=faults))
    assert decision.reason == "FaultNotProven"
    assert "drop" in decision.message
    assert "kill" not in decision.message


def test_a_late_probe_now_and_then_does_not_spoil_a_baseline() -> None:
    assert decide(dataclasses.replace(SOUND, baseline=seen([(L, 10), (U, 0.5), (L, 4.5)]))).verdict is Verdict.PASSED


def test_what_the_room_made_unclear_spoils_no_run_by_itself() -> None:
    judged = seen([(L, 40), (C, 15), (L, 4), (C, 1)])
    assert decide(dataclasses.replace(SOUND, judged=judged)).verdict is Verdict.PASSED
    decision = decide(dataclasses.replace(SOUND, baseline=seen([(L, 14), (C, 1)])))
    assert (decision.verdict, decision.reason) == (Verdict.INCONCLUSIVE, "TooMuchUnknown")


@pytest.mark.parametrize(("residents", "other"), [(20, Q), (500, J), (40, U)])
def test_one_deaf_or_unknown_listener_of_twenty_spoils_no_baseline(residents: int, other: State) -> None:
    baseline = seen(*[[(L, 15.0)]] * (residents - 1), [(other, 15.0)])
    assert decide(dataclasses.replace(SOUND, baseline=baseline)).verdict is Verdict.PASSED


@pytest.mark.parametrize("count", [3, 40])
def test_a_message_names_a_few_listeners_only(count: int) -> None:
    gone = seen(*[[(L, 59.0), (U, 1.0)]] * count)
    message = decide(dataclasses.replace(SOUND, judged=gone)).message
    assert ("and 35 more" in message) is (count == 40)
    assert len(message) < 200


@pytest.mark.parametrize("ask", CHAIN)
def test_every_reason_is_camel_case_and_every_message_a_sentence(ask: Callable[[Evidence], Finding | None]) -> None:
    for flaw, *_ in FLAWS:
        finding = ask(dataclasses.replace(SOUND, **flaw))
        if finding:
            assert finding.reason.isalpha()
            assert finding.reason[0].isupper()
            assert " " in finding.message
