"""Holds: what an act waits for before it begins: some time, or a person who approves. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from showstopper.api import conditions
from showstopper.api.game_day import APPROVE, Act, ActRecord, GameDay, HoldRecord
from showstopper.api.reasons import Reason
from showstopper.api.schema.quantities import parse_duration
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.days import endings
from showstopper.engine.days.steps import Draft, Step
from showstopper.engine.experiments.schedule import stamp

TIMEOUT = parse_duration("1h")


@dataclass(frozen=True, slots=True)
class Approval:
    """What the annotation says: which act may begin, and who says so (the API server has checked that)."""

    act: str
    approver: str


def approval(day: GameDay) -> Approval | None:
    """The approval in the day's annotation, or None if there is no valid one. User names may contain slashes."""
    act, slash, approver = day.metadata.annotations.get(APPROVE, "").partition("/")
    return Approval(act, approver) if slash and act and approver else None


def hold(draft: Draft, act: Act, record: ActRecord) -> Step | None:
    """What to do while the act is held, or None if it may begin."""
    if act.hold is None:
        return None
    if record.hold is None:
        record.hold = _begun(draft, act)
        draft.tell(Reason.HELD, f"{draft.called(record)}, waits until {record.hold.until}", "Hold")
    elif act.hold.approval and record.hold.hash != draft.situation.form(act):
        # Whoever may edit Experiments need not be allowed to approve: what was approved is what runs.
        before, record.hold = record.hold, _begun(draft, act)
        if before.ended_at is None:
            record.hold.until = before.until  # edits make no hold longer
        note = f"{draft.called(record)}: its experiment was changed, and has to be approved as it is now"
        draft.tell(Reason.HELD, note, "Hold", warning=True)
    hold = record.hold
    if hold.ended_at is not None:
        return None
    left = from_timestamp(hold.until) - draft.situation.now
    if act.hold.approval:
        return _approved(draft, act, record, hold, left)
    if left <= 0:
        hold.ended_at = draft.situation.timestamp
        return None
    message = f"{draft.called(record)}, is held until {stamp(from_timestamp(hold.until))}"
    return draft.step(conditions.in_progress(Reason.HELD, message), again=_until(draft, left))


def _approved(draft: Draft, act: Act, record: ActRecord, hold: HoldRecord, left: float) -> Step | None:
    day = draft.situation.day
    if left <= 0:  # also where an approval is there: nothing tells that it came in time
        message = f"nobody approved act {act.name} by {hold.until}"
        return endings.end(draft, Finding(Reason.HOLD_TIMED_OUT, message, _of_what_was_begun(draft)))
    given = approval(day)
    if _said(day) != hold.standing:
        hold.standing = None
        if given is not None and given.act == act.name:
            hold.approver, hold.ended_at = given.approver[:256], draft.situation.timestamp
            draft.tell(Reason.APPROVED, f"{draft.called(record)}, was approved by {given.approver}", "Approve")
            return None
    message = (
        f"{draft.called(record)}, waits for approval until {stamp(from_timestamp(hold.until))}: "
        f"showstopper -n {day.metadata.namespace} gameday approve {day.metadata.name} {act.name} --hash {hold.hash}"
    )
    if given is not None and given.act == act.name:
        message += f' (annotation {APPROVE} said "{hold.standing}" before this hold began: remove it first)'
    return draft.step(conditions.waiting_for_person(Reason.AWAITING_APPROVAL, message), again=_until(draft, left))


def _begun(draft: Draft, act: Act) -> HoldRecord:
    assert act.hold is not None, "only such an act is held"
    length = act.hold.for_ or act.hold.timeout or TIMEOUT
    return HoldRecord(
        started_at=draft.situation.timestamp,
        until=to_timestamp(draft.situation.now + length.total_seconds()),
        standing=_said(draft.situation.day) if act.hold.approval else None,
        hash=draft.situation.form(act) if act.hold.approval else None,
    )


def _said(day: GameDay) -> str | None:
    return day.metadata.annotations.get(APPROVE, "")[:256] or None


def _until(draft: Draft, left: float) -> float:
    """When to look again: at the end of the hold, or of the window."""
    window = draft.situation.day.spec.window
    if window is None:
        return left
    return max(0.0, min(left, from_timestamp(window.end) - draft.situation.now))


def _of_what_was_begun(draft: Draft) -> Verdict:
    """The verdict of a day that ended early: Inconclusive if nothing was performed, else Aborted."""
    return Verdict.INCONCLUSIVE if draft.last is None else Verdict.ABORTED


def paused(draft: Draft, record: ActRecord) -> Step | None:
    """What to do while the day is suspended before an act, or None if it is not suspended."""
    status, now = draft.status, draft.situation.now
    if not draft.situation.day.spec.suspend:
        status.paused_at = None
        return None
    status.paused_at = status.paused_at or draft.situation.timestamp
    left = from_timestamp(status.paused_at) + TIMEOUT.total_seconds() - now
    if left <= 0:
        message = f"suspended since {status.paused_at}, for longer than {_hours(TIMEOUT)}, before act {record.name}"
        return endings.end(draft, Finding(Reason.SUSPENDED_TOO_LONG, message, _of_what_was_begun(draft)))
    message = f"suspended before {draft.called(record)}: set spec.suspend to false to go on"
    return draft.step(conditions.waiting_for_person(Reason.SUSPENDED, message), again=_until(draft, left))


def _hours(length: timedelta) -> str:
    return f"{length.total_seconds() / 3600:g} h"
