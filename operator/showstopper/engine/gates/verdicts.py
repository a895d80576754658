"""Verdicts: which runs count for a release, and what a gate remembers of those that were deleted. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from showstopper.api.experiment import Experiment, ReleaseVerdict
from showstopper.api.gate import RememberedVerdict
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.api.verdicts import UNDECIDED, Verdict
from showstopper.engine.rooms import releases
from showstopper.engine.rooms.releases import Release
from showstopper.engine.runs import requests

MOST_REMEMBERED = 64
MOST_UNDECIDED = 8


@dataclass(frozen=True, slots=True)
class History:
    """The runs of an experiment, as it is declared now, on a release in a room as that is declared now.

    Attributes:
        decided: the newest run that passed, failed or was aborted. None if there is none, or none any more.
        deleted: the newest such verdict that is only remembered, if it is newer than `decided`.
        undecided: names of the runs since then that gave no verdict, oldest first.
        last_undecided: the newest of these, if it is still there.
        under_way: a run that has no verdict yet.
    """

    decided: ExperimentRun | None
    deleted: RememberedVerdict | None
    undecided: tuple[str, ...]
    last_undecided: ExperimentRun | None
    under_way: ExperimentRun | None


def of_declaration(runs: Iterable[ExperimentRun], experiment: Experiment, room: AudioRoom) -> list[ExperimentRun]:
    """The runs of what experiment and room say now, also those of an experiment of its name that was deleted since."""
    wanted = requests.wanted(experiment).hash
    return [
        run
        for run in runs
        if run.spec.experiment.name == experiment.metadata.name
        and run.spec.experiment.hash == wanted
        and run.spec.room.name == room.metadata.name
        and run.spec.room.spec == room.spec
    ]


def history(
    runs: Iterable[ExperimentRun],
    release: Release,
    components: Collection[str],
    remembered: RememberedVerdict | None,
    *,
    with_templates: bool = True,
) -> History:
    """What is known of a release. `runs`: those of one declaration."""
    own = [run for run in runs if counts(run, release, components, with_templates=with_templates)]
    over = sorted((run for run in own if run.finished), key=requests.order)
    decided = next((run for run in reversed(over) if run.status.verdict not in UNDECIDED), None)
    deleted = remembered if remembered is not None and _is_newer(remembered, decided) else None
    since = deleted.finished_at if deleted is not None else decided.status.finished_at if decided is not None else None
    undecided = [
        run
        for run in over
        if run.status.verdict in UNDECIDED
        and not requests.ended_unwanted(run)  # it is no attempt
        and (since is None or (run.status.finished_at or "") > since)
    ]
    names = [run.metadata.name for run in undecided]
    if remembered is not None and remembered.finished_at == since:
        names = [*(name for name in remembered.undecided if name not in names), *names]
    return History(
        decided=decided,
        deleted=deleted,
        undecided=tuple(names[-MOST_UNDECIDED:]),
        last_undecided=undecided[-1] if undecided else None,
        under_way=next((run for run in own if not run.finished), None),
    )


def counts(run: ExperimentRun, release: Release, components: Collection[str], *, with_templates: bool) -> bool:
    """Whether the run is about that release.

    One that ended before its baseline does not know the pod templates: it never passes, but counts by its images.
    """
    ran = releases.of(run.release, components, with_templates=with_templates)
    if run.status.verdict != Verdict.PASSED and not ran.templates:
        return ran.digests == release.digests
    return ran == release


def newer(
    own: RememberedVerdict | None, experiments: ReleaseVerdict | None, name: str, place: str
) -> RememberedVerdict | None:
    """What is remembered of an experiment on a release: by the gate, or by the experiment, which outlives gates."""
    if experiments is None or (own is not None and (own.finished_at or "") >= experiments.finished_at):
        return own
    return RememberedVerdict(
        experiment=name,
        release=place,
        run=experiments.run,
        verdict=experiments.verdict,
        finished_at=experiments.finished_at,
        undecided=own.undecided if own is not None else [],
    )


def note(experiment: str, release: str, known: History) -> RememberedVerdict | None:
    """What is to be remembered of it. None if there is nothing yet."""
    if known.deleted is not None:
        return known.deleted.model_copy(update={"undecided": list(known.undecided)})
    if known.decided is None and not known.undecided:
        return None
    run = known.decided
    return RememberedVerdict(
        experiment=experiment,
        release=release,
        run=run.metadata.name if run is not None else None,
        verdict=run.status.verdict if run is not None else None,
        finished_at=run.status.finished_at if run is not None else None,
        undecided=list(known.undecided),
    )


def remember(before: Sequence[RememberedVerdict], notes: Iterable[RememberedVerdict]) -> list[RememberedVerdict]:
    """What a gate remembers from now on: the newest last, and no more than so many."""
    by_place = {(each.experiment, each.release): each for each in before}
    for each in notes:
        place = each.experiment, each.release
        if by_place.get(place) != each:
            by_place.pop(place, None)
            by_place[place] = each
    return list(by_place.values())[-MOST_REMEMBERED:]


def place_of(experiment: Experiment, room: AudioRoom, release: Release) -> str:
    """Sixteen characters that are those of this release, experiment and room alone, as they are declared now."""
    content = [release.identity, requests.wanted(experiment).hash, dump(room.spec)]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _is_newer(remembered: RememberedVerdict, decided: ExperimentRun | None) -> bool:
    """Whether the verdict that is remembered is one whose run is gone, and no newer one has come since."""
    if remembered.finished_at is None:
        return False
    return decided is None or remembered.finished_at > (decided.status.finished_at or "")
