"""A scenario: what is done to the staged room, and the verdicts that are right. And what came of carrying it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.support.staged_room import Object, Show, experiment

ANY: frozenset[str] = frozenset()
"""Any reason is right."""

Right = Mapping[str, frozenset[str]]
"""The verdicts that are right, each with the reasons that are."""

PASSES: Right = {"Passed": frozenset({"ExpectationsMet"})}
FAILS: Right = {"Failed": frozenset({"ExpectationMissed"})}


def inconclusive(*reasons: str) -> Right:
    """No verdict is right, for one of these reasons (none: whatever the reason)."""
    return {"Inconclusive": frozenset(reasons)}


def _nothing(_show: Show, _name: str) -> None:
    """The experiment is all that is done."""


def _no_objection(_show: Show, _run: Object) -> str:
    """The verdict says it all."""
    return ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment, what else happens to the room meanwhile, and what the verdict has to be."""

    kind: str
    known: str
    """Why the verdict is known, in a sentence."""
    right: Right
    spec: Mapping[str, Any]
    """What `tests.support.staged_room.experiment` takes: faults, expect, baseline, recovery ..."""
    there: Callable[[Show], Mapping[str, Any]] = field(default=lambda _show: {})
    """What of that is known in the room alone, and goes over it."""
    around: Callable[[Show], AbstractContextManager[object]] = field(default=lambda _show: nullcontext())
    """What the room is like before, during and after the run."""
    meanwhile: Callable[[Show, str], None] = _nothing
    """What is done while the experiment of that name runs."""
    objection: Callable[[Show, Object], str] = _no_objection
    """What is wrong with the run's record beside its verdict. Nothing if it is right."""
    alone: bool = False
    """It takes away what all rooms share: the operator or an agent."""


class Answer(Enum):
    """What a verdict is worth, measured at what is known."""

    RIGHT = "right"
    WRONG = "wrong"
    """A verdict, or a reason, that is not so: the one that a user acts upon."""
    NEEDLESS = "needless"
    """Inconclusive where a verdict could be known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario."""

    scenario: Scenario
    verdict: str
    reason: str
    message: str
    objection: str

    @property
    def answer(self) -> Answer:
        """Whether the verdict is right, by what is known."""
        reasons = self.scenario.right.get(self.verdict)
        if reasons is not None and (not reasons or self.reason in reasons) and not self.objection:
            return Answer.RIGHT
        if self.verdict == "Inconclusive" and "Inconclusive" not in self.scenario.right:
            return Answer.NEEDLESS
        return Answer.WRONG


def carry_out(show: Show, scenario: Scenario, name: str) -> Outcome:
    """Run a scenario in the room, as soon as the room is well.

    Raises:
        AssertionError: the room did not become well, or the run did not end.
    """
    show.wait_until_well()
    try:
        with scenario.around(show):
            show.apply(experiment(name, **{**scenario.spec, **scenario.there(show)}))
            scenario.meanwhile(show, name)
            _, run = show.verdict(name, again=False)
            status = run["status"]
            return Outcome(
                scenario, status["verdict"], status["reason"], status.get("message", ""), scenario.objection(show, run)
            )
    finally:
        show.clean()


def lenient(*indicators: Object) -> Sequence[Object]:
    """Bounds that whoever hears anything meets, so that only the evidence decides."""
    return ({"indicator": "AudibleRatio", "min": "1%"}, *indicators)
