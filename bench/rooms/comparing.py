"""Comparing a verdict with the truth: is it wrong, or needlessly undecided?

Wrong is a verdict, or the judgement of one expectation, that the truth contradicts, and a verdict where none is
allowed. Needless is Inconclusive where every way to fill in what was not told leads to the same verdict.
"""

from bench.rooms import recovery, truth
from bench.rooms.judging import Judged
from bench.rooms.room import Asked, Range, Room
from showstopper.api.verdicts import Verdict
from showstopper.availability.expectations import Outcome
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.recovery import RECOVERY_TIME

LIMIT = 0.05
"""Documented: of the time of all residents, so much may be Unknown, or not heard before the fault."""
NEAR = 1e-4
"""So near to the limit both answers are right."""


def wrong(room: Room, judged: Judged) -> list[str]:
    """What the truth contradicts, in words."""
    objections = [
        f"{asked.indicator} {judgement.outcome}, truly {truth.figure(room, asked.indicator):.4g}"
        for asked, judgement in zip(room.asked, judged.expectations, strict=True)
        if _contradicted(room, asked, judgement.outcome)
    ]
    outcomes = {judgement.outcome for judgement in judged.expectations}
    if judged.verdict is not Verdict.INCONCLUSIVE and (reason := forbidden(room, LIMIT + NEAR)):
        objections.append(f"{judged.verdict}, though {reason}")
    if judged.verdict is Verdict.PASSED and outcomes != {Outcome.MET}:
        objections.append(f"Passed, though expectations are {outcomes}")
    if judged.verdict is Verdict.FAILED and Outcome.MISSED not in outcomes:
        objections.append("Failed, though no expectation is missed")
    return objections


def needless(room: Room, judged: Judged) -> bool:
    """Whether there is no verdict although it does not depend on what was not told."""
    if judged.verdict is not Verdict.INCONCLUSIVE or forbidden(room, LIMIT - NEAR):
        return False
    answers = [_certain(asked, truth.possible(room, asked.indicator)) for asked in room.asked]
    return False in answers or None not in answers


def unseen(room: Room, judged: Judged) -> bool:
    """Whether RecoveryTime was met only because nobody could see a relapse."""
    return any(
        asked.indicator is RECOVERY_TIME
        and not asked.least
        and judgement.outcome is Outcome.MET
        and not asked.met(truth.figure(room, RECOVERY_TIME))
        for asked, judgement in zip(room.asked, judged.expectations, strict=True)
    )


def _contradicted(room: Room, asked: Asked, outcome: Outcome) -> bool:
    if outcome is Outcome.UNMEASURED:
        return False
    figure = truth.figure(room, asked.indicator)
    if asked.indicator is RECOVERY_TIME and (outcome is Outcome.MET) is not asked.least:
        figure = recovery.recovery_as_seen(room)  # what says how long it took at most
    return asked.met(figure) is not (outcome is Outcome.MET)


def _certain(asked: Asked, possible: Range) -> bool | None:
    """Whether it was met, wherever the truth lies. None: that depends."""
    least, most = (asked.met(figure) for figure in possible)
    return least if least is most else None


def forbidden(room: Room, limit: float) -> str:
    """Why there can be no verdict. Empty: there can be one."""
    times, size = room.times, len(room.deaf)
    before, after = slice(0, times.fault), slice(times.fault, times.end)
    if (room.deaf | room.hidden)[:, before].mean() > limit:
        return "the room may have been broken before"
    if room.hidden[:, after].mean() > limit:
        return "too much is not known"
    if room.hidden[:, times.end - 1 :].all(axis=1).sum() > limit * size:
        return "listeners are gone"
    for asked in room.asked:
        possible = truth.before(room, asked.indicator)
        if possible is not None and not _certain(_healthy(asked), possible):
            return "newcomers may have been unwell before"
    return ""


def _healthy(asked: Asked) -> Asked:
    """Documented: what is expected of newcomers has to be so before. If it is a bad figure, they have to be well."""
    higher = asked.indicator.better is Better.HIGHER
    if higher is asked.least:
        return asked
    return Asked(asked.indicator, 1.0 - LIMIT if higher else asked.bound, least=higher)
