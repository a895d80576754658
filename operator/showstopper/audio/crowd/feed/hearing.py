"""Hearing: what was found out of one listener of a crowd, kept until it is settled. No clock, no I/O."""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from dataclasses import dataclass, field

from showstopper.audio.crowd.ledger import Ledger, Stretch
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.availability.spans import NOISE


@dataclass(slots=True)
class Hearing:
    """Of one newcomer: what the matcher told, and the stretches without packets, and with digital silence."""

    heard: list[HeardSpan] = field(default_factory=list)
    pauses: list[Stretch] = field(default_factory=list)
    silences: list[Stretch] = field(default_factory=list)


def add(known: MutableSequence[HeardSpan], heard: HeardSpan) -> None:
    """Add what was heard next: one piece with what was before, if it is the same and follows without a hole."""
    if known and known[-1].state is heard.state and heard.start - known[-1].end <= NOISE:
        known[-1] = HeardSpan(heard.state, known[-1].start, max(known[-1].end, heard.end))
    else:
        known.append(heard)


def going_on(ledger: Ledger, slot: int, paused_since: float | None) -> tuple[list[Stretch], list[Stretch]]:
    """What is in no list of stretches that have ended: those without packets, and those with digital silence.

    There were none before the first packet. `paused_since`: since when there are none now. None: there are.
    """
    first, silent_since = float(ledger.first_at[slot]), float(ledger.silent_since[slot])
    pauses = [Stretch(slot, -math.inf, math.inf if math.isnan(first) else first)]
    if paused_since is not None:
        pauses.append(Stretch(slot, paused_since, math.inf))
    return pauses, [] if math.isnan(silent_since) else [Stretch(slot, silent_since, math.inf)]
