"""Deciding: what follows for a game day: the same situation always gives the same answer. Pure."""

from showstopper.engine.days import acts, endings, holds, preludes, programme
from showstopper.engine.days.steps import Draft, Situation, Step


def decide(situation: Situation) -> Step:
    """One step, level by level. What is decided is written before anything is done."""
    day = situation.day
    if programme.is_asked(day):
        return preludes.decide(situation)
    draft = Draft.of(situation)
    if day.finished:
        return endings.over(draft)
    record = draft.current
    if record is not None and record.begun:
        return acts.carry(draft, programme.act_of(day, record.name), record)
    if (ending := endings.find(draft)) is not None:
        return endings.end(draft, ending)
    assert record is not None, "a day without an act left has ended"
    act = programme.act_of(day, record.name)
    return holds.hold(draft, act, record) or holds.paused(draft, record) or acts.begin(draft, act, record)
