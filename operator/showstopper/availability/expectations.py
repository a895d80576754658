"""Expectations: is what was measured within its bound, for certain, and the sentence that says so."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from showstopper.availability.errors import BoundError
from showstopper.availability.figures import apart, difference, sentence_figure
from showstopper.availability.indicators.indicator import Better, Indicator
from showstopper.availability.measurements import Measurable, Measurement, unmeasured

# Far finer than any figure is known: a microsecond, a ten-thousandth of a percentage point. It keeps sums of doubles
# that mean "all of it" from falling short of 100 %.
TOLERANCE = 1e-6
NOT_MEASURED = "the run ended before it could be measured"


class Outcome(StrEnum):
    """Whether an expectation was met."""

    MET = "Met"
    MISSED = "Missed"
    UNMEASURED = "Unmeasured"  # not measured, or not well enough to tell


@dataclass(frozen=True, slots=True)
class Expectation:
    """A bound on something measured, in its unit: at least `minimum`, or at most `maximum`.

    Raises:
        BoundError: when there is none, or two, or one that is no number.

    """

    measured: Measurable
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if (self.minimum is None) == (self.maximum is None):
            raise BoundError(f"{self.measured.name}: an expectation needs either min or max")
        if not math.isfinite(self.bound):
            raise BoundError(f"{self.measured.name}: {self.bound} bounds nothing")

    @property
    def bound(self) -> float:
        """The one bound."""
        return self.minimum if self.minimum is not None else self.maximum or 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """An expectation, what was measured, and what follows.

    `margin` is how much better the figure is than the bound (negative: worse), in its unit, or None if unknown.
    """

    expectation: Expectation
    measurement: Measurement
    outcome: Outcome
    margin: float | None
    sentence: str

    @property
    def done_badly(self) -> bool:
        """Whether the room certainly did as badly as an outage makes it, be that what is asked for or not."""
        if self.outcome is Outcome.UNMEASURED:
            return False
        return (self.outcome is Outcome.MET) is _wants_outage(self.expectation)


def judge(expectation: Expectation, measurement: Measurement) -> Judgement:
    """Met if the bound holds wherever the truth lies, missed if it holds nowhere, else unmeasured."""
    outcome = _outcome(expectation, measurement)
    margin = _margin(expectation, measurement, outcome) if outcome is not Outcome.UNMEASURED else None
    return Judgement(expectation, measurement, outcome, margin, _sentence(expectation, measurement, outcome, margin))


def healthy(expectation: Expectation, least: float) -> Expectation:
    """What a healthy room has to meet before a fault, where an expectation is about what a fault may do to it.

    The same bound, if it asks for a good figure. One that asks for a bad figure expects the fault to make it: then a
    share must have been at least `least`, and anything else must have been better than the bound.
    """
    if not _wants_outage(expectation):
        return expectation
    indicator = expectation.measured
    higher = expectation.maximum is not None
    return Expectation(indicator, minimum=least) if higher else Expectation(indicator, maximum=expectation.bound)


def _wants_outage(expectation: Expectation) -> bool:
    """Whether it asks for a bad figure. Which figures of other sources are bad is not known: they ask for good ones."""
    indicator = expectation.measured
    if not isinstance(indicator, Indicator):
        return False
    return (indicator.better is Better.HIGHER) is (expectation.maximum is not None)


def judge_all(
    expectations: Iterable[Expectation], measurements: Mapping[Measurable, Measurement]
) -> tuple[Judgement, ...]:
    """Each expectation on what was measured, whoever measured it. What is not there is unmeasured."""
    return tuple(
        judge(expectation, measurements.get(expectation.measured) or unmeasured(expectation.measured, NOT_MEASURED))
        for expectation in expectations
    )


def _outcome(expectation: Expectation, measurement: Measurement) -> Outcome:
    best, worst = measurement.upper, measurement.lower
    bound = expectation.bound
    if expectation.minimum is None:
        best, worst, bound = -measurement.lower, -measurement.upper, -bound
    if best < bound - TOLERANCE:
        return Outcome.MISSED
    if measurement.samples and worst >= bound - TOLERANCE:
        return Outcome.MET
    return Outcome.UNMEASURED


def _margin(expectation: Expectation, measurement: Measurement, outcome: Outcome) -> float | None:
    figure = _figure(expectation, measurement, outcome)
    if not math.isfinite(figure):
        return None
    return figure - expectation.bound if expectation.minimum is not None else expectation.bound - figure


def _figure(expectation: Expectation, measurement: Measurement, outcome: Outcome) -> float:
    """What is compared for people: the value, or if there is none the bound that decides."""
    if measurement.value is not None:
        return measurement.value
    at_least = (expectation.minimum is not None) is (outcome is Outcome.MET)
    return measurement.lower if at_least else measurement.upper


def _sentence(expectation: Expectation, measurement: Measurement, outcome: Outcome, margin: float | None) -> str:
    unit, name = measurement.unit, measurement.measured.name
    if outcome is Outcome.UNMEASURED:
        return f"{name} was not measured well enough: {_doubt(expectation, measurement)}"
    if margin is None:
        return f"{name} has no value ({measurement.reason}), which is beyond {sentence_figure(unit, expectation.bound)}"
    value, bound = apart(unit, _figure(expectation, measurement, outcome), expectation.bound)
    met = outcome is Outcome.MET
    sign = ("≥" if met else "<") if expectation.minimum is not None else ("≤" if met else ">")
    shown = value if measurement.value is not None else f"at least {value} ({measurement.reason})"
    tail = (
        f"margin {difference(unit, max(0.0, margin))}" if met else f"missed by {difference(unit, margin).lstrip('-')}"
    )
    return f"{name} {shown} {sign} {bound}, {tail}"


def _doubt(expectation: Expectation, measurement: Measurement) -> str:
    if measurement.value is None and measurement.samples == 0:
        return measurement.reason
    lower = sentence_figure(measurement.unit, measurement.lower)
    upper = sentence_figure(measurement.unit, measurement.upper)
    between = f"at least {lower}" if measurement.upper == math.inf else f"between {lower} and {upper}"
    bound = sentence_figure(measurement.unit, expectation.bound)
    why = measurement.reason or _why(measurement)
    return f"it is {between}, which does not settle the bound of {bound}: {why}"


def _why(measurement: Measurement) -> str:
    if measurement.upper == math.inf:
        return "something was still going on, or not certain, when the window ended"
    return "parts of the window are Unknown or Unclear"
