"""Memory: the verdicts on releases that an experiment's status keeps, also of runs that were deleted. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence

from showstopper.api.experiment import ComponentRelease, Experiment, ReleaseVerdict
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.api.verdicts import UNDECIDED, Verdict
from showstopper.engine.rooms import releases
from showstopper.engine.rooms.releases import Release
from showstopper.engine.runs import requests

MOST_RELEASES = 16


def remember(before: Sequence[ReleaseVerdict], runs: Iterable[ExperimentRun]) -> list[ReleaseVerdict]:
    """The newest verdict on each release, the newest last, and no more than so many.

    Args:
        before: what the status says: all runs that were over before its newest one are in it, as far as they count.
        runs: of the experiment, also of others that had its name. Those without a verdict on the release count nothing.
    """
    since = max((each.finished_at for each in before), default="")
    over = [run for run in runs if run.finished and (run.status.finished_at or "") > since]
    decided = [run for run in over if run.status.verdict not in UNDECIDED]
    newest: dict[tuple[object, ...], ReleaseVerdict] = {}
    for each in sorted([*before, *map(_of_run, decided)], key=lambda each: each.finished_at):
        newest.pop(_place(each), None)
        newest[_place(each)] = each
    return list(newest.values())[-MOST_RELEASES:]


def recall(
    experiment: Experiment, room: AudioRoom, release: Release, components: Collection[str]
) -> ReleaseVerdict | None:
    """The newest verdict on that release of these components, by experiment and room as they are declared now.

    A run that ended before its baseline does not know the pod templates: it never passes, but counts by its images.
    """
    if not experiment.status.verdicts:
        return None
    wanted, here, now = requests.wanted(experiment).hash, room_hash(room), _components(release)
    known = [
        each
        for each in experiment.status.verdicts
        if (each.hash, each.room) == (wanted, here) and all(_is_same(each, now.get(name)) for name in components)
    ]
    return max(known, key=lambda each: each.finished_at, default=None)


def room_hash(room: AudioRoom) -> str:
    """Sixteen characters that are those of a room of this name and spec alone."""
    return hashlib.sha256(repr([room.metadata.name, dump(room.spec)]).encode()).hexdigest()[:16]


def _is_same(known: ReleaseVerdict, now: ComponentRelease | None) -> bool:
    then = next((each for each in known.components if now is not None and each.name == now.name), None)
    if now is None or then is None or then.images != now.images:
        return False
    by_images = not now.template or (known.verdict != Verdict.PASSED and not then.template)
    return by_images or then.template == now.template


def _of_run(run: ExperimentRun) -> ReleaseVerdict:
    origin, status = run.spec.experiment, run.status
    return ReleaseVerdict(
        run=run.metadata.name,
        verdict=status.verdict or "",
        finished_at=status.finished_at or "",
        hash=origin.hash,
        room=room_hash(run.room),
        components=list(_components(releases.of(run.release)).values()),
    )


def _components(release: Release) -> dict[str, ComponentRelease]:
    return {name: _component(release, name) for name in sorted(release.components)}


def _component(release: Release, name: str) -> ComponentRelease:
    images = Release(frozenset(place for place in release.digests if place[0] == name))
    template = "+".join(sorted(template for component, template in release.templates if component == name))
    return ComponentRelease(name=name, images=images.identity, template=template[:64])


def _place(each: ReleaseVerdict) -> tuple[object, ...]:
    return each.hash, each.room, *((part.name, part.images, part.template) for part in each.components)
