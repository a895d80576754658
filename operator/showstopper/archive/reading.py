"""Reading: what the archive keeps of a run, asked through the API server's service proxy with the caller's own rights.

Needs no database driver: the archive's process has that. What listeners told comes as feeds, as from their pods, so
that the same Timeline tells the same of a run an hour and a month later.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Arrival, Feed, Reader, parse_feed, read_arrival, read_document
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.timeline import Timeline
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import SERVICE
from showstopper.errors import ArchiveError, ClusterError, Forbidden, NotFound

SERVICE_NAME = "showstopper-archive"
PORT_NAME = "http"
TIMEOUT_SECONDS = 15.0
"""A list of 10,000 runs is 4 MB."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of a run. The run may be gone from the cluster, and so may its room.

    Attributes:
        body: the run's resource as it was last seen.
        run: the same, typed.
        gone: whether it was deleted since.
        window: from its begin to its end, or as far as it was seen.
        timeline: what the room's listeners told in that time. What it does not tell is Unknown.
        told: whether anything of any listener is kept.
        crowd: what the room's crowd told.
    """

    body: Object
    run: ExperimentRun
    gone: bool
    window: Window
    timeline: Timeline
    told: bool
    crowd: Timeline


def system_namespace() -> str:
    """Where Showstopper is installed: $SHOWSTOPPER_NAMESPACE, or the namespace that the README uses."""
    return os.environ.get("SHOWSTOPPER_NAMESPACE") or "showstopper-system"


async def record(client: Client, uid: str, *, namespace: str | None = None) -> Record:
    """The record of the run with that UID. `namespace`: where the archive is.

    Raises:
        ArchiveError: it is not there, does not answer, knows no such run, or the caller may not ask it.
    """
    place = f"/v1/runs/{quote(uid, safe='')}"
    return record_of(
        await ask(client, place, namespace=namespace), await ask(client, f"{place}/spans", namespace=namespace)
    )


def record_of(kept: Mapping[str, Any], spans: Mapping[str, Any]) -> Record:
    """The record in the archive's two answers, `/v1/runs/{uid}` and `/v1/runs/{uid}/spans`.

    Raises:
        ArchiveError: when they are no such answers.
    """
    try:
        body = kept["run"]
        return Record(
            body=body,
            run=ExperimentRun.parse(body),
            gone=kept["goneAt"] is not None,
            window=Window(float(spans["from"]), float(spans["to"])),
            timeline=timeline(spans["feeds"]),
            told=bool(spans["feeds"]),
            crowd=crowd(spans.get("crowd", [])),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, FeedError) as error:
        raise ArchiveError(f"the archive's answer cannot be read: {error}; is it of another version?") from error


def timeline(feeds: list[Mapping[str, Any]]) -> Timeline:
    """All of these feeds, none of it forgotten for its age."""
    heard = Timeline(keep=float("inf"))
    for feed in feeds:
        heard.add(parse_feed(feed, float(feed["offset"])))
    return heard


def crowd(documents: Iterable[Mapping[str, Any]]) -> Timeline:
    """What crowds told, none of it forgotten for its age."""
    heard = Timeline(keep=float("inf"))
    for document in documents:
        heard.add(_crowd_feed(document))
    return heard


def _crowd_feed(document: Mapping[str, Any]) -> Feed:
    """The changes of a crowd's listeners as spans. What goes on is also kept as it is: its pod may tell its end."""
    pod, until = str(document["pod"]), float(document["until"])
    spans: list[Span] = []
    going: list[Span] = []
    for place, changes in document["changes"].items():
        name = f"{pod}/{place}"
        for (start, state), (end, _) in pairwise(changes):
            if state is not None:
                spans.append(Span(name, Kind.RESIDENT, State(state), float(start), float(end)))
        start, state = changes[-1]
        if state is not None:
            going.append(Span(name, Kind.RESIDENT, State(state), float(start), max(float(start), until)))
    return Feed(
        boot=document["boot"],
        room=document["room"],
        pod=pod,
        offset=float(document["offset"]),
        uncertainty=0.0,
        clock=float(document["clock"]["monotonic"]),
        wall=document["clock"]["wall"],
        lag=0.0,
        next=0,
        lost=0,
        spans=(*spans, *going),
        open=tuple(going),
        listeners=(),
        arrivals=tuple(read_document(pod, document).each("arrivals", _arrival, optional=True)),
    )


def _arrival(item: Reader) -> Arrival:
    """A newcomer of a crowd, whose visit is over."""
    left = item.seconds("leftAt")
    return read_arrival(item, left=left, seen_until=left, sure_until=item.seconds("sureUntil"), followed=False)


async def runs(
    client: Client,
    *,
    of: str = "",
    experiment: str = "",
    name: str = "",
    limit: int = 100,
    before: str = "",
    namespace: str | None = None,
) -> list[Object]:
    """Runs in short, newest first: of a namespace, an experiment, a name, asked for before the run of that UID.

    Raises:
        ArchiveError: as `record` does.
    """
    query = {"namespace": of, "experiment": experiment, "name": name, "limit": str(limit), "before": before}
    answer = await ask(
        client, f"/v1/runs?{urlencode({key: word for key, word in query.items() if word})}", namespace=namespace
    )
    listed: list[Object] = answer["runs"]
    return listed


async def ask(client: Client, path: str, *, namespace: str | None = None) -> Object:
    """The archive's answer to a GET.

    Raises:
        ArchiveError: saying what is wrong, and what to do.
    """
    where = namespace or system_namespace()
    proxy = f"{SERVICE.path(where, f'{SERVICE_NAME}:{PORT_NAME}')}/proxy{path}"
    try:
        answer: Object = json.loads(await client.raw(proxy, timeout=TIMEOUT_SECONDS))
    except (ClusterError, ValueError) as error:
        raise ArchiveError(_why(where, error)) from error
    return answer


def _why(namespace: str, error: ClusterError | ValueError) -> str:
    if isinstance(error, ClusterError) and error.reason == Reason.RUN_NOT_FOUND:
        return str(error)
    if isinstance(error, NotFound):
        return (
            f"there is no archive in namespace {namespace}: install the chart with archive.enabled=true, or name its "
            "namespace in SHOWSTOPPER_NAMESPACE"
        )
    if isinstance(error, Forbidden):
        return (
            f"you may not read the archive in namespace {namespace}: it needs get of services/proxy on "
            f"{SERVICE_NAME}:{PORT_NAME} (archive.readers in the chart)"
        )
    return f"the archive in namespace {namespace} does not answer: {error}"
