"""Recording: the records of runs and game days as reports need them, of those that are gone from the cluster too.

What listeners heard is the archive's to tell. Where it is not there, the room's listeners are asked: they keep an hour.
"""

import asyncio
import json

from showstopper import __version__
from showstopper.api.game_day import Act as DeclaredAct
from showstopper.api.game_day import ActRecord, GameDay
from showstopper.api.quantities import format_duration
from showstopper.api.run import ExperimentRun
from showstopper.archive import reading
from showstopper.availability.spans import State
from showstopper.availability.timeline import KEEP_SECONDS, Timeline
from showstopper.availability.tracks import View
from showstopper.cli.kube import lookup
from showstopper.cli.kube.feeds import Feeds
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, GAME_DAY
from showstopper.engine.days.holds import TIMEOUT
from showstopper.engine.rooms.fleet import names
from showstopper.errors import ArchiveError, ClusterError, NotFound
from showstopper.report.record import NOT_KNOWN, Act, Day, Hold, Record, in_order, window_of

Subject = ExperimentRun | GameDay
"""What a report can be about."""


async def subject(client: Client, namespace: str, name: str) -> Subject:
    """The run of that name, the newest run of the experiment, or the game day; a run that is gone, from the archive.

    Raises:
        NotFound: none of these is there.
    """
    try:
        return await lookup.newest_run(client, namespace, name)
    except NotFound as missing:
        try:
            return GameDay.parse(await client.get(GAME_DAY, namespace, name))
        except NotFound:
            gone = await _kept(client, namespace, name)
            if gone is None:
                raise missing from None
            return gone


async def record(client: Client, run: ExperimentRun, *, spans: bool = True) -> Record:
    """A finished run with all that is known of it. Without `spans` nobody is asked what listeners heard."""
    body = await _body(client, run)
    if not spans:
        return Record(run, body)
    (heard, note), kubernetes = await asyncio.gather(_heard(client, run), _kubernetes(client))
    return Record(run, body, heard, note, versions(run, kubernetes))


async def day(client: Client, found: GameDay, *, spans: bool = True) -> Day:
    """A game day that is over, with the records of its acts' runs, in the order of its acts."""
    body = await client.get(GAME_DAY, *found.key)
    body.get("metadata", {}).pop("managedFields", None)
    told = {one.name: one for one in found.status.acts}
    acts = [await _act(client, found, act, told.get(act.name), spans=spans) for act in found.spec.acts]
    status = found.status
    return Day(
        namespace=found.metadata.namespace,
        name=found.metadata.name,
        verdict=status.verdict or "",
        reason=status.reason or "",
        message=status.message or "",
        acts=tuple(acts),
        started_at=status.started_at or "",
        finished_at=status.finished_at or "",
        body=body,
    )


def versions(run: ExperimentRun, kubernetes: str) -> dict[str, str]:
    """The images that were deployed when the run was asked for, and what is there now."""
    found = {"showstopper (this report)": __version__}
    if kubernetes:
        found["Kubernetes (now)"] = kubernetes
    for image in run.spec.release:
        digest = f" {image.digest}" if image.digest and image.digest not in image.image else ""
        found[f"{image.component}/{image.container}"] = f"{image.image}{digest}"
    return found


async def _act(client: Client, found: GameDay, act: DeclaredAct, told: ActRecord | None, *, spans: bool) -> Act:
    """One act, with its run's record if that is known anywhere."""
    hold = _hold(act, told)
    if told is None:
        return Act(act.name, hold=hold)
    run = await _run_of(client, found.metadata.namespace, told)
    kept = await record(client, run, spans=spans) if run is not None and run.finished else None
    message = told.message or ""
    if told.run is not None and kept is None and told.verdict:
        message = f"{message} (run {told.run} is gone, and no archive kept it)".strip()
    return Act(act.name, told.verdict or "", message, hold, kept)


def _hold(act: DeclaredAct, told: ActRecord | None) -> Hold | None:
    if act.hold is None:
        return None
    if act.hold.for_ is not None:
        return Hold(f"for {format_duration(act.hold.for_)}")
    began = told.hold if told is not None else None
    approved_at = (began.ended_at or "") if began and began.approver else ""
    words = f"approval, within {format_duration(act.hold.timeout or TIMEOUT)}"
    return Hold(words, (began.approver or "") if began else "", approved_at)


async def _run_of(client: Client, namespace: str, told: ActRecord) -> ExperimentRun | None:
    if told.run is None:
        return None
    try:
        run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, told.run))
    except NotFound:
        pass
    else:
        if told.run_uid in {None, run.metadata.uid}:
            return run
    try:
        return (await reading.record(client, told.run_uid)).run if told.run_uid else None
    except ArchiveError:
        return None


async def _kept(client: Client, namespace: str, name: str) -> ExperimentRun | None:
    """The run of that name, or the newest of the experiment, as the archive keeps it; None: it has none, or is away."""
    try:
        listed = await reading.runs(client, of=namespace, name=name, limit=1)
        listed = listed or await reading.runs(client, of=namespace, experiment=name, limit=1)
        return (await reading.record(client, listed[0]["uid"])).run if listed else None
    except ArchiveError:
        return None


async def _body(client: Client, run: ExperimentRun) -> Object:
    """The run's resource, as it is, or as the archive saw it last."""
    try:
        body = await client.get(EXPERIMENT_RUN, *run.key)
    except NotFound:
        body = {}
    if body.get("metadata", {}).get("uid") != run.metadata.uid:
        body = (await reading.record(client, run.metadata.uid)).body
    body.get("metadata", {}).pop("managedFields", None)
    return body


async def _heard(client: Client, run: ExperimentRun) -> tuple[View | None, str]:
    """What the room's listeners told of that time; None, and why, where nobody knows."""
    if window_of(run) is None:
        return None, "the run never began, so there is nothing that listeners heard of it"
    try:
        kept = await reading.record(client, run.metadata.uid)
    except ArchiveError:
        pass
    else:
        if (view := _view(run, kept.timeline)) is not None:
            return view, ""
    feeds = Feeds(client, run.metadata.namespace, run.spec.room.name, Clock(), keep=KEEP_SECONDS)
    await feeds.once()
    view = _view(run, feeds.timeline)
    return view, "" if view is not None else feeds.note or NOT_KNOWN


def _view(run: ExperimentRun, timeline: Timeline) -> View | None:
    """What the timeline knows of the run's time; None: nothing."""
    window = window_of(run)
    assert window is not None, "asked before"
    view = timeline.view(window, names.residents(run.room))
    known = any(span.state is not State.UNKNOWN for track in view.tracks for span in track.spans)
    return in_order(view) if known else None


async def _kubernetes(client: Client) -> str:
    """The version of the API server; empty where that may not be asked."""
    try:
        return str(json.loads(await client.raw("/version")).get("gitVersion", ""))
    except (ClusterError, ValueError):
        return ""
