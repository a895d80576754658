"""Verdict: a chain of questions on the evidence. The first finding decides, and Passed needs that there is none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.coverage import UNKNOWN_LIMIT, Coverage
from showstopper.availability.expectations import Judgement, Outcome
from showstopper.availability.figures import apart, sentence_figure
from showstopper.availability.units import SHARE

# A healthy room loses nothing at all (measured: 7 minutes, 6 listeners, no gap). Below 95 % it is not the
# fault that listeners hear. Above, a hiccup of our own does not spoil the run. The same 5 % as for Unknown, so that a
# baseline is healthy only if it is known to be.
HEALTHY_RATIO = 1.0 - UNKNOWN_LIMIT
_FLOAT_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a verdict is not Passed: a reason, and a sentence for a person that says what to do."""

    reason: Reason
    message: str
    verdict: Verdict = Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class FaultEvidence:
    """Of one fault: is it proven to have taken effect, and verified that nothing of it is left (or can be)?"""

    name: str
    proven: bool
    reverted: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class CrowdEvidence:
    """Of a crowd that an expectation is about: the coverage of the baseline, and of the judged window."""

    baseline: Coverage | None
    judged: Coverage | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on.

    `baseline` and `judged` are the coverage of the window before the fault and of the one that the expectations were
    judged in. None if there was no such window. `crowd` has the same of the room's crowd, where an expectation is about
    it. `aborted` and `error` are why the run was ended early, or by our own
    failure. `doubts` are what else the engine knows to forbid a verdict (a lost lease, a step that cannot be told to
    have happened). Their reasons are passed on. `newcomers` are the figures of newcomers before the fault that an
    expectation is about, each against what a healthy room has. `other_cause` is what has happened to the room beside
    the faults: a room that stood both has passed, and of one that did not it is not known which it did not stand.
    """

    faults: tuple[FaultEvidence, ...]
    expectations: tuple[Judgement, ...]
    baseline: Coverage | None
    judged: Coverage | None
    aborted: Finding | None = None
    error: Finding | None = None
    doubts: tuple[Finding, ...] = ()
    newcomers: tuple[Judgement, ...] = ()
    other_cause: Finding | None = None
    crowd: CrowdEvidence | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, its reason and message (those of the first finding), and all findings in the order of the chain."""

    verdict: Verdict
    reason: Reason
    message: str
    findings: tuple[Finding, ...] = field(default=())


def decide(evidence: Evidence) -> Decision:
    """The verdict. Fails closed: whatever is not known to be right keeps it from being Passed."""
    findings = tuple(finding for ask in CHAIN if (finding := ask(evidence)) is not None)
    if findings:
        first = findings[0]
        return Decision(first.verdict, first.reason, first.message, findings)
    sentences = "; ".join(judgement.sentence for judgement in evidence.expectations)
    return Decision(Verdict.PASSED, Reason.EXPECTATIONS_MET, f"all expectations were met: {sentences}")


def aborted(evidence: Evidence) -> Finding | None:
    """A run that was ended early was not judged."""
    early = evidence.aborted
    return Finding(early.reason, early.message, Verdict.ABORTED) if early else None


def error(evidence: Evidence) -> Finding | None:
    """Our own failure is not the room's."""
    failure = evidence.error
    return Finding(failure.reason, failure.message, Verdict.ERROR) if failure else None


def doubtful(evidence: Evidence) -> Finding | None:
    """What the engine knows to forbid a verdict."""
    if not evidence.doubts:
        return None
    return Finding(evidence.doubts[0].reason, "; ".join(doubt.message for doubt in evidence.doubts))


def no_baseline(evidence: Evidence) -> Finding | None:
    """Without a look at the room before the fault nothing that came after can be put down to it."""
    if evidence.baseline is not None and evidence.baseline.window.seconds > 0:
        return None
    return Finding(
        Reason.NO_BASELINE, "the room was not watched before the fault: set timing.baseline, for instance to 15s"
    )


def baseline_broken(evidence: Evidence) -> Finding | None:
    """A room that was not healthy before the fault cannot tell what the fault did.

    Healthy is a share of the listening time, so that one deaf listener of twenty spoils no run, and one of ten does.
    """
    fleet = _baseline_broken(evidence.baseline, _FLEET) if evidence.baseline is not None else None
    if fleet is not None or evidence.crowd is None:
        return fleet
    if evidence.crowd.baseline is None:
        return Finding(
            Reason.TOO_MUCH_UNKNOWN, "nothing is known of the crowd before the fault: look at the room's crowd pods"
        )
    return _baseline_broken(evidence.crowd.baseline, _CROWD)


def _baseline_broken(baseline: Coverage, whose: "_Listeners") -> Finding | None:
    if baseline.audible.upper < HEALTHY_RATIO - _FLOAT_NOISE:
        heard, healthy = apart(SHARE, baseline.audible.upper, HEALTHY_RATIO)
        return Finding(
            Reason.BASELINE_BROKEN,
            f"before the fault {whose.listeners} heard the live host only {heard} of the time (healthy: {healthy}; "
            f"{_instead(baseline)}): make the room work, then run again",
        )
    if baseline.too_unknown:
        return _too_unknown(baseline, "before the fault", whose)
    if baseline.audible.lower < HEALTHY_RATIO - _FLOAT_NOISE:
        heard, healthy = apart(SHARE, baseline.audible.lower, HEALTHY_RATIO)
        return Finding(
            Reason.TOO_MUCH_UNKNOWN,
            f"before the fault {whose.listeners} heard the live host perhaps only {heard} of the time (healthy: "
            f"{healthy}), for a part of it is Unknown or Unclear: look at the room's {whose.pods} and their load",
        )
    return None


def newcomers_broken(evidence: Evidence) -> Finding | None:
    """A room that was broken for newcomers before the fault, or in which none called, cannot tell what it did to them.

    Some failures are silent for whoever was already in, and outlive the run that made them.
    """
    missed = [judgement.sentence for judgement in evidence.newcomers if judgement.outcome is Outcome.MISSED]
    if missed:
        return Finding(
            Reason.BASELINE_BROKEN,
            f"before the fault newcomers were not well ({'; '.join(missed)}): make the room work for those who join, "
            "then run again",
        )
    blind = [judgement.sentence for judgement in evidence.newcomers if judgement.outcome is Outcome.UNMEASURED]
    if blind:
        return Finding(
            Reason.NOT_MEASURED,
            f"before the fault {'; '.join(blind)}: make timing.baseline longer, or let arrivals come more often",
        )
    return None


def fault_not_proven(evidence: Evidence) -> Finding | None:
    """A fault that is not known to have taken effect tests nothing."""
    if not evidence.faults:
        return Finding(Reason.FAULT_NOT_PROVEN, "no fault was injected, so nothing was tested")
    return _about_faults(
        Reason.FAULT_NOT_PROVEN,
        [fault for fault in evidence.faults if not fault.proven],
        "is not proven to have taken effect: look at its targets and at the operator's rights",
    )


def revert_not_verified(evidence: Evidence) -> Finding | None:
    """A fault of which something may be left spoils what was measured, and the next run."""
    return _about_faults(
        Reason.REVERT_NOT_VERIFIED,
        [fault for fault in evidence.faults if not fault.reverted],
        "is not verified to be undone: look at its targets before the next run",
    )


def listeners_gone(evidence: Evidence) -> Finding | None:
    """Who is gone at the end cannot tell whether the room came back."""
    for judged, whose in _judged(evidence):
        if judged.listeners_gone:
            return Finding(
                Reason.LISTENERS_GONE,
                f"{len(judged.gone)} of {judged.intended} listeners{whose.suffix} were gone at the end "
                f"({_names(judged.gone)}): look at the room's {whose.pods}",
            )
    return None


def too_much_unknown(evidence: Evidence) -> Finding | None:
    """A window of which too much is Unknown allows no verdict."""
    if evidence.judged is None:
        return Finding(Reason.TOO_MUCH_UNKNOWN, "the room was not watched after the fault, so nothing is known")
    for judged, whose in _judged(evidence):
        if judged.too_unknown:
            return _too_unknown(judged, "after the fault", whose)
    return None


def nothing_expected(evidence: Evidence) -> Finding | None:
    """A run that expects nothing cannot pass."""
    if evidence.expectations:
        return None
    return Finding(
        Reason.NOTHING_EXPECTED, "the experiment expects nothing: write what listeners must hear under expect"
    )


def another_cause(evidence: Evidence) -> Finding | None:
    """What the faults and something else have done together is not known to be the faults' doing."""
    badly = [judgement.sentence for judgement in evidence.expectations if judgement.done_badly]
    other = evidence.other_cause
    return Finding(other.reason, f"{other.message} ({'; '.join(badly)})") if other is not None and badly else None


def expectation_missed(evidence: Evidence) -> Finding | None:
    """Asked before what is unmeasured: one that is missed for certain is a failure, whatever the others are."""
    missed = [judgement.sentence for judgement in evidence.expectations if judgement.outcome is Outcome.MISSED]
    return Finding(Reason.EXPECTATION_MISSED, "; ".join(missed), Verdict.FAILED) if missed else None


def not_measured(evidence: Evidence) -> Finding | None:
    """No data is never a pass."""
    blind = [judgement.sentence for judgement in evidence.expectations if judgement.outcome is Outcome.UNMEASURED]
    return Finding(Reason.NOT_MEASURED, "; ".join(blind)) if blind else None


CHAIN: tuple[Callable[[Evidence], Finding | None], ...] = (
    aborted,
    error,
    doubtful,
    no_baseline,
    baseline_broken,
    newcomers_broken,
    fault_not_proven,
    revert_not_verified,
    listeners_gone,
    too_much_unknown,
    nothing_expected,
    another_cause,
    expectation_missed,
    not_measured,
)


@dataclass(frozen=True, slots=True)
class _Listeners:
    """How sentences speak of one kind of listeners."""

    listeners: str
    suffix: str
    time: str
    pods: str


_FLEET = _Listeners("listeners", "", "listening time", "listener pods")
_CROWD = _Listeners("the crowd's listeners", " of the crowd", "crowd's listening time", "crowd pods")


def _judged(evidence: Evidence) -> Iterator[tuple[Coverage, _Listeners]]:
    """The judged window, as far as expectations are about these listeners. A crowd that told nothing is unmeasured."""
    if evidence.judged is not None:
        yield evidence.judged, _FLEET
    if evidence.crowd is not None and evidence.crowd.judged is not None:
        yield evidence.crowd.judged, _CROWD


def _too_unknown(coverage: Coverage, when: str, whose: _Listeners) -> Finding:
    who = f"; never seen: {_names(coverage.unseen)}" if coverage.unseen else ""
    unknown, limit = apart(SHARE, coverage.unknown_share, UNKNOWN_LIMIT)
    return Finding(
        Reason.TOO_MUCH_UNKNOWN,
        f"{when} {unknown} of the {whose.time} is Unknown (at most {limit} allows a verdict){who}: "
        f"look at the room's {whose.pods} and their load",
    )


def _instead(coverage: Coverage) -> str:
    """What was heard instead of the live host, and who heard least."""
    others = ", ".join(f"{sentence_figure(SHARE, share)} {state}" for state, share in coverage.dead)
    return f"{others}; least heard by {coverage.audible.worst_listener}"


def _about_faults(reason: Reason, faults: list[FaultEvidence], problem: str) -> Finding | None:
    if not faults:
        return None
    details = "; ".join(f"fault {fault.name} {fault.message or problem}" for fault in faults)
    return Finding(reason, details)


def _names(names: tuple[str, ...], most: int = 5) -> str:
    """Some names, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
