"""Preludes: what keeps a game day from beginning, and where it stands until it may. Pure."""

from collections.abc import Callable

from showstopper.api import conditions
from showstopper.api.game_day import ActRecord, GameDayStatus
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.days import endings, programme
from showstopper.engine.days.steps import Draft, Situation, Step
from showstopper.engine.experiments.outcomes import ROOM_GRACE_SECONDS
from showstopper.engine.experiments.schedule import stamp
from showstopper.engine.experiments.situation import RETRY_SECONDS

APPROVALS_POLICY = "showstopper-approvals"
"""The chart's policy, and its binding, by which the API server checks who approves."""
_MAY_COME = {Reason.EXPERIMENT_NOT_FOUND, Reason.ROOM_NOT_FOUND}
"""They are often applied together, in any order."""


def decide(situation: Situation) -> Step:
    """What to do for a day that is to be performed, and of which nothing was performed yet."""
    # The outcome of an earlier generation stays on its runs. Here it would be taken for this generation's.
    draft = Draft(situation, GameDayStatus(performance=situation.day.status.performance))
    if (running := next((run for run in situation.runs.values() if not run.finished), None)) is not None:
        message = f"run {running.metadata.name} of the performance before ends first"
        return draft.step(conditions.in_progress(Reason.SUPERSEDED, message))
    if (refused := refusal(situation)) is not None:
        waits = refused.reason in _MAY_COME and situation.seen_seconds < ROOM_GRACE_SECONDS
        build = conditions.in_progress if waits else conditions.refused
        return draft.step(build(refused.reason, refused.message), again=RETRY_SECONDS)
    spec = situation.day.spec
    if spec.suspend:
        message = "suspended before anything was performed: set spec.suspend to false to begin"
        return draft.step(conditions.waiting_for_person(Reason.SUSPENDED, message))
    if spec.window is not None and spec.window.start is not None:
        start = from_timestamp(spec.window.start)
        if situation.now < start:
            message = f"has not been performed yet; it begins at {stamp(start)}"
            return draft.step(conditions.idle(Reason.SCHEDULED, message), again=start - situation.now)
    return _begin(situation)


def refusal(situation: Situation) -> Finding | None:
    """Why nothing is performed until somebody changes something. Asked by `showstopper preview`, too."""
    return next((finding for ask in QUESTIONS if (finding := ask(situation)) is not None), None)


def _begin(situation: Situation) -> Step:
    """A new performance, from the first act. Under a stop switch it ends there: it never begins by itself later."""
    day = situation.day
    status = GameDayStatus(
        performance=day.status.performance + 1,
        last_hash=programme.digest(day),
        last_handled_run_request=programme.run_request(day) or None,
        acts=[ActRecord(name=act.name) for act in day.spec.acts],
        started_at=situation.timestamp,
    )
    draft = Draft(situation, status)
    if situation.stopped is not None:
        return endings.end(draft, situation.stopped)
    draft.tell(Reason.STARTED, f"performance {status.performance}: {len(status.acts)} acts", "Begin")
    return draft.step(conditions.in_progress(Reason.STARTED, "the first act follows"), again=0.0)


def window_passed(situation: Situation) -> Finding | None:
    """Nothing begins after the window."""
    window = situation.day.spec.window
    if window is None or not situation.window_passed:
        return None
    message = f"the window passed at {window.end}, and nothing was performed: write a window.end that is to come"
    return Finding(Reason.WINDOW_PASSED, message)


def aborted(situation: Situation) -> Finding | None:
    """Nothing begins while it is to end."""
    if not situation.day.spec.abort:
        return None
    return Finding(Reason.ABORT_REQUESTED, "nothing is performed while spec.abort is set: set it to false")


def unknown_experiment(situation: Situation) -> Finding | None:
    """Every act has something to run, before the first one does."""
    namespace = situation.day.metadata.namespace
    for act in situation.day.spec.acts:
        if act.name not in situation.experiments and act.experiment_ref is not None:
            return Finding(
                Reason.EXPERIMENT_NOT_FOUND,
                f'act {act.name}: there is no Experiment "{act.experiment_ref.name}" in namespace {namespace}: '
                "apply it, or correct experimentRef.name",
            )
    return None


def only_planned(situation: Situation) -> Finding | None:
    """Whoever wrote dryRun meant that nothing is hit."""
    for act in situation.day.spec.acts:
        experiment = situation.experiments.get(act.name)
        if experiment is not None and experiment.spec.dry_run:
            return Finding(
                Reason.ACT_IS_DRY_RUN,
                f"act {act.name}: Experiment {experiment.metadata.name} is a dryRun: set its spec.dryRun to false, and "
                "spec.suspend to true if it should run on game days only",
            )
    return None


def unknown_room(situation: Situation) -> Finding | None:
    """Every act has a room."""
    namespace = situation.day.metadata.namespace
    for act in situation.day.spec.acts:
        experiment = situation.experiments.get(act.name)
        if experiment is not None and (name := experiment.spec.room_ref.name) not in situation.rooms:
            message = f'act {act.name}: there is no AudioRoom "{name}" in namespace {namespace}: apply it, or correct'
            return Finding(Reason.ROOM_NOT_FOUND, f"{message} roomRef.name")
    return None


def unguarded(situation: Situation) -> Finding | None:
    """An approval by nobody knows whom is none."""
    held = programme.approved_acts(situation.day)
    if situation.guarded or not held:
        return None
    return Finding(
        Reason.APPROVAL_POLICY_MISSING,
        f"nobody can approve {', '.join(held)}: this cluster has no ValidatingAdmissionPolicyBinding "
        f"{APPROVALS_POLICY}, which checks who approves: install Showstopper's chart, or write for instead of "
        "approval",
    )


QUESTIONS: tuple[Callable[[Situation], Finding | None], ...] = (
    window_passed,
    aborted,
    unknown_experiment,
    only_planned,
    unknown_room,
    unguarded,
)
