"""Endings: why a game day ends, and the verdict on all of it, which is never better than the worst act. Pure."""

from collections.abc import Callable, Iterable

from showstopper.api import conditions
from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.days import programme
from showstopper.engine.days.steps import Draft, Step

_WORST_FIRST = (Verdict.FAILED, Verdict.ERROR, Verdict.ABORTED, Verdict.INCONCLUSIVE, Verdict.PASSED)
"""The worst first. What was missed for certain was missed, whatever came of the rest."""


def find(draft: Draft) -> Finding | None:
    """Why no further act begins, or None if the next act may begin."""
    return next((finding for ask in QUESTIONS if (finding := ask(draft)) is not None), None)


def all_over(draft: Draft) -> Finding | None:
    """There is no act left."""
    if draft.current is not None:
        return None
    if all(record.verdict == Verdict.PASSED for record in draft.status.acts):
        return Finding(Reason.ALL_ACTS_PASSED, f"all {len(draft.status.acts)} acts passed", Verdict.PASSED)
    return Finding(Reason.ACT_NOT_PASSED, "not every act passed", Verdict.INCONCLUSIVE)


def not_passed(draft: Draft) -> Finding | None:
    """The last act did not pass, and the day does not go on after that."""
    day, last = draft.situation.day, draft.last
    if last is None or programme.goes_on_after(day, programme.act_of(day, last.name), last.verdict):
        return None
    return Finding(Reason.ACT_NOT_PASSED, f"the day ends after act {last.name} (onFailure: Stop)")


def stopped(draft: Draft) -> Finding | None:
    """The stop switch is on, or ended the last act: whatever onFailure says."""
    if draft.situation.stopped is not None:
        return draft.situation.stopped
    if (last := draft.last) is not None and last.reason == Reason.STOPPED:
        return Finding(Reason.STOPPED, last.message or "stopped", Verdict.ABORTED)
    return None


def aborted(draft: Draft) -> Finding | None:
    """A person ended the day."""
    if not draft.situation.day.spec.abort:
        return None
    return Finding(Reason.ABORT_REQUESTED, "spec.abort was set on the game day", Verdict.ABORTED)


def window_passed(draft: Draft) -> Finding | None:
    """A day that is not through by the end of its window is never silently continued."""
    window = draft.situation.day.spec.window
    if window is None or not draft.situation.window_passed:
        return None
    message = f"the window passed at {window.end} before the day was through: write a window and a revision for another"
    return Finding(Reason.WINDOW_PASSED, message, Verdict.ABORTED)


QUESTIONS: tuple[Callable[[Draft], Finding | None], ...] = (all_over, stopped, aborted, not_passed, window_passed)


def end(draft: Draft, finding: Finding) -> Step:
    """The last step: the verdict on the whole day."""
    status = draft.status
    for record in status.acts:
        if record.verdict is None:
            record.run = record.started_at = None  # it was about to begin, and did not
    verdict = worst([finding.verdict, *(_known(record.verdict) for record in status.acts if record.verdict)])
    status.verdict, status.reason = verdict, finding.reason
    status.message = _message(draft, finding)[:1024]
    status.finished_at, status.paused_at = draft.situation.timestamp, None
    draft.tell(finding.reason, f"{verdict}: {status.message}", "Judge", warning=verdict is not Verdict.PASSED)
    return over(draft)


def over(draft: Draft) -> Step:
    """Where a day stands that is over."""
    status = draft.status
    build = conditions.succeeded if status.verdict == Verdict.PASSED else conditions.failed
    again = 0.0 if programme.asks_for_another(draft.situation.day, status) else None
    outlook = build(Reason.parse(status.reason or Reason.JUDGED), f"{status.verdict}: {status.message}")
    return draft.step(outlook, again=again)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of these verdicts, or Inconclusive if there are none."""
    given = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in given), Verdict.INCONCLUSIVE)


def _known(verdict: str) -> Verdict:
    """One that this operator does not know is no pass."""
    return Verdict(verdict) if verdict in set(Verdict) else Verdict.ERROR


def _message(draft: Draft, finding: Finding) -> str:
    bad = [record for record in draft.status.acts if record.verdict not in {None, Verdict.PASSED}]
    left = [record.name for record in draft.status.acts if record.verdict is None]
    parts = [finding.message, *(f"act {act.name}: {act.verdict} ({act.reason}): {act.message}" for act in bad)]
    return "; ".join([*parts, *([f"not performed: {', '.join(left)}"] if left else [])])
