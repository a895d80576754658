"""Looks: how states and verdicts are told apart: by a character, by words, by a pattern, and last by a colour.

Colours are those of Okabe and Ito, which colour-blind people tell apart ("Color Universal Design", 2008), or darker
ones of the same hue where text stands on them. Nothing but the verdict Passed is green.
"""

from dataclasses import dataclass

from showstopper.api.verdicts import Verdict
from showstopper.availability.expectations import Outcome
from showstopper.availability.spans import State


@dataclass(frozen=True, slots=True)
class StateStyle:
    """A state: its character, what the listener hears, its colour, and its pattern (matplotlib's hatches)."""

    character: str
    words: str
    colour: str
    hatch: str


STATES = {
    State.LIVE: StateStyle("█", "hears the host", "#56B4E9", ""),
    State.HOLD: StateStyle("H", "hold music", "#E69F00", "|||"),
    State.STALE: StateStyle("S", "old sound", "#F0E442", "\\\\\\"),
    State.SILENT: StateStyle("-", "silence", "#D55E00", "---"),
    State.GARBLED: StateStyle("G", "garbled or foreign sound", "#E69F00", "..."),
    State.UNCLEAR: StateStyle("u", "unclear sound", "#FFFFFF", "ooo"),
    State.NO_MEDIA: StateStyle("x", "no media", "#D55E00", "xxx"),
    State.OFFLINE: StateStyle("O", "offline", "#333333", ""),
    State.JOINING: StateStyle("J", "joining", "#CC79A7", "///"),
    State.UNKNOWN: StateStyle("?", "not known", "#FFFFFF", "////"),
}


@dataclass(frozen=True, slots=True)
class VerdictLook:
    """A verdict: its symbol, the colours of its background and of the text on it, its border: dashed if not known."""

    symbol: str
    background: str
    text: str = "#FFFFFF"
    border: str = "solid"


PASSED = VerdictLook("✓", "#006B4F")
VERDICTS = {
    Verdict.PASSED: PASSED,
    Verdict.FAILED: VerdictLook("✗", "#A84300"),
    Verdict.INCONCLUSIVE: VerdictLook("?", "#F0E442", "#000000", "dashed"),
    Verdict.ABORTED: VerdictLook("■", "#4D4D4D"),
    Verdict.ERROR: VerdictLook("!", "#7A1F5C"),
}
NO_VERDICT = VerdictLook("…", "#FFFFFF", "#000000", "dashed")
OUTCOMES = {Outcome.MET: "✓", Outcome.MISSED: "✗", Outcome.UNMEASURED: "?"}


def of_verdict(verdict: str | None) -> VerdictLook:
    """The look of a verdict as a record has it. One that we do not know never looks like a pass."""
    known = next((member for member in Verdict if member == verdict), None)
    return VERDICTS[known] if known is not None else NO_VERDICT


def of_outcome(outcome: str) -> str:
    """The symbol of an expectation's outcome."""
    known = next((member for member in Outcome if member == outcome), Outcome.UNMEASURED)
    return OUTCOMES[known]
