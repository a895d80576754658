"""Records: runs and game days with all that reports need, including those deleted from the cluster.

What listeners heard is read from the archive. Without an archive the room's listeners are asked, who keep an hour.
"""

import asyncio
import json
from dataclasses import dataclass

from showstopper import __version__
from showstopper.api.game_day import Act as DeclaredAct
from showstopper.api.game_day import ActRecord, GameDay
from showstopper.api.run import ExperimentRun, ReleaseImage
from showstopper.api.schema.quantities import format_duration
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
from showstopper.errors import ArchiveError, ClusterError, NotFound, NotRunYet, RunDeleted
from showstopper.report.record import NOT_KNOWN, Act, Day, Hold, Record, by_container, in_order, window_of

Subject = ExperimentRun | GameDay
"""What a report can be about."""


async def find(client: Client, namespace: str, name: str) -> Subject:
    """The run of that name, the newest run of the experiment, or the game day. Deleted runs come from the archive.

    Raises:
        NotFound: there is none of these.
        NotRunYet: the experiment has no run. Those that the archive has are of another one that had its name.
        RunDeleted: the experiment's newest run is gone, and the archive does not have it.
    """
    try:
        return await lookup.run_or_game_day(client, namespace, name)
    except NotRunYet:
        raise
    except RunDeleted as deleted:
        archived = await _archived(client, namespace, name=deleted.run)
        if archived is None:
            raise
    except NotFound as missing:
        archived = await _archived(client, namespace, name=name) or await _archived(client, namespace, experiment=name)
        if archived is None:
            raise missing from None
    return archived


async def of_run(client: Client, run: ExperimentRun, *, spans: bool = True) -> Record:
    """The record of a finished run. `spans`: with what listeners heard."""
    body = await _body(client, run)
    if not spans:
        return Record(run, body)
    told, kubernetes = await asyncio.gather(_told(client, run), _server_version(client))
    return Record(run, body, told.heard, told.note, versions(run, kubernetes), told.crowd)


async def of_game_day(client: Client, day: GameDay, *, spans: bool = True) -> Day:
    """The record of a finished game day, with those of its acts' runs in the order of the acts."""
    body = await client.get(GAME_DAY, *day.key)
    body.get("metadata", {}).pop("managedFields", None)
    recorded = {act.name: act for act in day.status.acts}
    acts = [await _act(client, day, act, recorded.get(act.name), spans=spans) for act in day.spec.acts]
    status = day.status
    return Day(
        namespace=day.metadata.namespace,
        name=day.metadata.name,
        verdict=status.verdict or "",
        reason=status.reason or "",
        message=status.message or "",
        acts=tuple(acts),
        started_at=status.started_at or "",
        finished_at=status.finished_at or "",
        body=body,
    )


def versions(run: ExperimentRun, kubernetes: str) -> dict[str, str]:
    """By what it is the version of: the images that were tested, and today's software."""
    known = {"showstopper (this report)": __version__}
    if kubernetes:
        known["Kubernetes (now)"] = kubernetes
    for (component, container), images in by_container(run.release).items():
        known[f"{component}/{container}"] = ", ".join(map(_image, images))
    return known


def _image(image: ReleaseImage) -> str:
    return f"{image.image} {image.digest}" if image.digest and image.digest not in image.image else image.image


async def _act(client: Client, day: GameDay, act: DeclaredAct, recorded: ActRecord | None, *, spans: bool) -> Act:
    """An act, with its run's record if that exists anywhere."""
    hold = _hold(act, recorded)
    if recorded is None:
        return Act(act.name, hold=hold)
    run = await _run_of(client, day.metadata.namespace, recorded)
    record = await of_run(client, run, spans=spans) if run is not None and run.finished else None
    message = recorded.message or ""
    if recorded.run is not None and record is None and recorded.verdict:
        message = f"{message} (run {recorded.run} was deleted, and no archive has it)".strip()
    return Act(act.name, recorded.verdict or "", message, hold, record)


def _hold(act: DeclaredAct, recorded: ActRecord | None) -> Hold | None:
    if act.hold is None:
        return None
    if act.hold.for_ is not None:
        return Hold(f"for {format_duration(act.hold.for_)}")
    hold = recorded.hold if recorded is not None else None
    approved_at = (hold.ended_at or "") if hold and hold.approver else ""
    words = f"approval, within {format_duration(act.hold.timeout or TIMEOUT)}"
    return Hold(words, (hold.approver or "") if hold else "", approved_at)


async def _run_of(client: Client, namespace: str, recorded: ActRecord) -> ExperimentRun | None:
    if recorded.run is None:
        return None
    try:
        run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, recorded.run))
    except NotFound:
        pass
    else:
        if recorded.run_uid in {None, run.metadata.uid}:
            return run
    try:
        return (await reading.record(client, recorded.run_uid)).run if recorded.run_uid else None
    except ArchiveError:
        return None


async def _archived(client: Client, namespace: str, *, name: str = "", experiment: str = "") -> ExperimentRun | None:
    """The newest archived run of that name, or of that experiment. None: there is none, or no archive."""
    try:
        runs = await reading.runs(client, of=namespace, name=name, experiment=experiment, limit=1)
        return (await reading.record(client, runs[0]["uid"])).run if runs else None
    except ArchiveError:
        return None


async def _body(client: Client, run: ExperimentRun) -> Object:
    """The run's resource, or the last form of it that the archive has."""
    try:
        body = await client.get(EXPERIMENT_RUN, *run.key)
    except NotFound:
        body = {}
    if body.get("metadata", {}).get("uid") != run.metadata.uid:
        body = (await reading.record(client, run.metadata.uid)).body
    body.get("metadata", {}).pop("managedFields", None)
    return body


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of a run's listeners and of its crowd. `note`: why nothing is known of the listeners."""

    heard: View | None = None
    note: str = ""
    crowd: View | None = None


async def _told(client: Client, run: ExperimentRun) -> _Told:
    """What the room's listeners and its crowd reported of the run's time."""
    if window_of(run) is None:
        return _Told(note="the run never began, so listeners have heard nothing of it")
    heard, crowd = await _archived_timelines(client, run)
    clock, note = Clock(), ""
    there = [timeline for timeline in (heard, crowd) if timeline is not None]
    if heard is None or any(_may_be_completed(timeline, run, clock.now()) for timeline in there):
        namespace, room = run.metadata.namespace, run.spec.room.name
        feeds = Feeds(client, namespace, room, clock, keep=KEEP_SECONDS, known=heard, crowd=crowd)
        await feeds.once()
        heard, note = feeds.timeline, feeds.note
    view = _view_in(run, heard, names.residents(run.room))
    of_crowd = _view_in(run, crowd, names.crowd_listeners(run.room)) if crowd is not None else None
    return _Told(view, "" if view is not None else note or NOT_KNOWN, of_crowd)


async def _archived_timelines(client: Client, run: ExperimentRun) -> tuple[Timeline | None, Timeline | None]:
    """What the archive has of a run's listeners (None: nothing, or there is no archive), and of its crowd.

    None for the crowd: the room has none. An empty one is to be filled by its pods.
    """
    empty = Timeline(KEEP_SECONDS) if names.crowd_listeners(run.room) else None
    try:
        archived = await reading.record(client, run.metadata.uid)
    except ArchiveError:
        return None, empty
    return archived.timeline if archived.told else None, archived.crowd if empty is not None else None


def _may_be_completed(heard: Timeline, run: ExperimentRun, now: float) -> bool:
    """Whether listeners may still have what an archive lacks, which copies from them every few seconds."""
    window, known = window_of(run), heard.known_until()
    assert window is not None, "the run has begun"
    return now - window.end < KEEP_SECONDS and (known is None or known < window.end)


def _view_in(run: ExperimentRun, timeline: Timeline, listeners: tuple[str, ...]) -> View | None:
    """What a timeline has of these listeners in the run's time. None: nothing."""
    window = window_of(run)
    assert window is not None, "the run has begun"
    view = timeline.view(window, listeners)
    known = any(span.state is not State.UNKNOWN for track in view.tracks for span in track.spans)
    return in_order(view) if known else None


async def _server_version(client: Client) -> str:
    """The version of the API server. Empty: it cannot be read."""
    try:
        return str(json.loads(await client.raw("/version")).get("gitVersion", ""))
    except (ClusterError, ValueError):
        return ""
