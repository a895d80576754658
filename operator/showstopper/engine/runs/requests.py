"""Requests: when an experiment asks for a new run, and what the run is called. Pure."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.run import DayOrigin, ExperimentRun
from showstopper.api.schema.base import GROUP, Spec, dump
from showstopper.api.verdicts import Verdict
from showstopper.clock import from_timestamp

RUN_REQUESTED = f"{GROUP}/run-requested"
# A change of anything else (suspend, historyLimit, dryRun) asks for nothing.
_HASHED = ("revision", "roomRef", "timing", "faults", "expect", "abortIf")
_UNWANTED = {Reason.SUPERSEDED, Reason.SUSPENDED}


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a run: the hash of what is to be run, the value of the annotation that asks for one, a firing, or an
    act of a game day.

    The rest does not tell two requests apart: whether what is declared was run, hash and annotation say.

    Attributes:
        scheduled_at: the firing (RFC 3339).
        released: the release that came.
        after: the newest run when it was asked for. An annotation may come back to an earlier value.
        day: the act of a game day.
    """

    hash: str
    run_request: str
    scheduled_at: str = field(default="", compare=False)
    released: str = field(default="", compare=False)
    after: str = field(default="", compare=False)
    day: DayOrigin | None = field(default=None, compare=False)

    def is_answered_by(self, handled: "Request | None") -> bool:
        """Whether the run of that request is the one that this asks for. An annotation that is gone asks for none."""
        return handled is not None and handled.hash == self.hash and self.run_request in {"", handled.run_request}


def wanted(experiment: Experiment) -> Request:
    """What the experiment asks for now."""
    asked = experiment.metadata.annotations.get(RUN_REQUESTED, "")[:256]
    return Request(digest(experiment.spec, _HASHED), asked)


def next_of(experiment: Experiment, runs: Iterable[ExperimentRun]) -> Request:
    """What it asks for now, told apart from what it asked for before its newest run."""
    newest = newest_of(experiment, runs)
    return replace(wanted(experiment), after=newest.metadata.name if newest is not None else "")


def digest(spec: Spec, fields: Iterable[str]) -> str:
    """The hash of some fields of a spec, by their names in YAML."""
    written = dump(spec)
    content = json.dumps({field: written.get(field) for field in fields}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def of_run(run: ExperimentRun) -> Request:
    """What the run was made for."""
    return Request(run.spec.experiment.hash, run.spec.experiment.run_request)


def handled(experiment: Experiment, newest: ExperimentRun | None) -> Request | None:
    """The newest request that has its run. The run itself tells it first: it is written before any status.

    The status remembers it when somebody has deleted the run.
    """
    if newest is not None:
        return of_run(newest)
    if experiment.status.last_hash:
        return Request(experiment.status.last_hash, experiment.status.last_handled_run_request or "")
    return None


def answered(experiment: Experiment, runs: Iterable[ExperimentRun]) -> Request | None:
    """The newest request that has its run. Of a scheduled experiment, what is declared at first asks for none.

    A run that nobody wanted any more before it began answers nothing: what it was made for is asked for again as soon
    as it is wanted again. A firing is not.
    """
    newest = current(experiment, runs)
    if newest is not None and ended_unwanted(newest) and not newest.spec.experiment.scheduled_at:
        return None
    known = handled(experiment, newest)
    if known is None and experiment.spec.schedule is not None:
        return Request(wanted(experiment).hash, "")
    return known


def ended_unwanted(run: ExperimentRun) -> bool:
    """Whether it ended before it began, because its experiment did not want it any more. It says nothing of a release.

    A run of a game day that was changed is another matter: that was Aborted.
    """
    return run.finished and run.status.verdict == Verdict.INCONCLUSIVE and run.status.reason in _UNWANTED


def run_name(experiment: Experiment, request: Request) -> str:
    """The same request always has the same name, so that it cannot be made twice.

    A spec that returns to an earlier form has a new generation, and so a new run. A recreated experiment has a new UID.
    A firing has one run, whatever is changed before the status shows it, and so has an act of a performance.
    """
    metadata, day = experiment.metadata, request.day
    asked = request.scheduled_at or f"{metadata.generation}/{request.hash}/{request.run_request}/{request.after}"
    if request.released:
        asked = f"{request.released}/{request.after}"
    content = f"{metadata.uid}/{asked}"
    if day is not None:
        content = f"{day.uid}/{day.performance}/{day.hash}/{day.act}"
    digest = base64.b32encode(hashlib.sha256(content.encode()).digest()).decode().lower()[:8]
    return f"{metadata.name[:54]}-{digest}"


def seed(experiment: Experiment, request: Request) -> int:
    """What the choice of targets rests on: the same request makes the same choice."""
    return int.from_bytes(run_name(experiment, request).encode()[-6:], "big")


def newest_of(experiment: Experiment, runs: Iterable[ExperimentRun]) -> ExperimentRun | None:
    """The newest run of this very experiment (by UID: a recreated one starts anew)."""
    own = [run for run in runs if run.spec.experiment.uid == experiment.metadata.uid]
    return max(own, key=lambda run: (run.spec.experiment.generation, order(run)), default=None)


def current(experiment: Experiment, runs: Iterable[ExperimentRun]) -> ExperimentRun | None:
    """The newest run, unless somebody has deleted it: then none, and what the status remembers of it stands.

    An older run that is still there says nothing of what is asked for now. Taken for the newest, it would have the
    fault injected once more, because somebody cleared a record away.
    """
    newest, shown = newest_of(experiment, runs), experiment.status.run
    if newest is None or shown is None or shown.name == newest.metadata.name or not newest.finished:
        return newest
    asked = newest.spec.experiment.asked_at or newest.metadata.creation_timestamp
    if not asked:
        return newest
    began_later = shown.started_at is None or from_timestamp(asked) < from_timestamp(shown.started_at)
    return None if began_later else newest


def order(run: ExperimentRun) -> tuple[str, str, str]:
    """First come, first served. What the API's whole seconds leave open, the operator's clock settles, or the name."""
    return run.metadata.creation_timestamp, run.spec.experiment.asked_at or "", run.metadata.name
