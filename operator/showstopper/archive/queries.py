"""Queries: what is kept, for whoever asks: lists of runs, one run, and what the room's listeners told in its course."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, tuple_

from showstopper.archive.tables import boots, runs, spans, visits
from showstopper.archive.writing import LONGEST_VISIT_SECONDS
from showstopper.availability.spans import Kind, Window
from showstopper.clock import to_timestamp

Document = dict[str, Any]
MOST = 10_000

_LISTED = [column for column in runs.columns if column.name not in {"body", "seen"}]


def list_runs(
    connection: Connection,
    *,
    namespace: str = "",
    experiment: str = "",
    name: str = "",
    limit: int = 100,
    before: str = "",
) -> list[Document] | None:
    """Runs in short, newest first, with `before` only those asked for before that run. None if there is no such run."""
    wanted = select(*_LISTED).order_by(runs.c.asked.desc(), runs.c.uid.desc()).limit(min(limit, MOST))
    if namespace:
        wanted = wanted.where(runs.c.namespace == namespace)
    if experiment:
        wanted = wanted.where(runs.c.experiment == experiment)
    if name:
        wanted = wanted.where(runs.c.name == name)
    if before:
        there = connection.execute(select(runs.c.asked, runs.c.uid).where(runs.c.uid == before)).one_or_none()
        if there is None:
            return None
        wanted = wanted.where(tuple_(runs.c.asked, runs.c.uid) < tuple_(*there))
    return [_listed(run) for run in connection.execute(wanted)]


def one_run(connection: Connection, uid: str) -> Document | None:
    """The resource of a run as it was last seen, when that was, and when it was deleted. None if it is unknown."""
    run = connection.execute(select(runs.c.body, runs.c.seen, runs.c.gone).where(runs.c.uid == uid)).one_or_none()
    if run is None:
        return None
    return {"run": run.body, "seenAt": to_timestamp(run.seen), "goneAt": _stamp(run.gone)}


def told(connection: Connection, uid: str) -> Document | None:
    """What the room's listeners told of a run's time: its window, and a feed for each boot, as pods answer them.

    Every feed has its `offset`, what to add to its times to get unix seconds. The crowd is apart, and shorter. None if
    there is no such run.
    """
    run = connection.execute(
        select(runs.c.namespace, runs.c.room, runs.c.asked, runs.c.started, runs.c.finished, runs.c.seen).where(
            runs.c.uid == uid
        )
    ).one_or_none()
    if run is None:
        return None
    start = run.asked if run.started is None else run.started
    window = Window(start, max(start, run.seen if run.finished is None else run.finished))
    place = run.namespace, run.room
    return {
        "from": window.start,
        "to": window.end,
        "feeds": feeds(connection, *place, window),
        "crowd": crowd(connection, *place, window),
    }


def feeds(connection: Connection, namespace: str, room: str, window: Window) -> list[Document]:
    """A feed for each boot of the room's listener pods that tells of the window."""
    documents = []
    for boot in _boots(connection, namespace, room, window, boots.c.settled.is_(None)):
        own = Window(window.start - boot.offset, window.end - boot.offset)
        entries, calls = _spans(connection, boot.id, own), _visits(connection, boot.id, own)
        touching = {span.listener for span in entries if span.end > own.start} | {call.listener for call in calls}
        entries = [span for span in entries if span.listener in touching]
        if entries or calls:
            documents.append(_feed(boot, entries, calls))
    return documents


def crowd(connection: Connection, namespace: str, room: str, window: Window) -> list[Document]:
    """What the crowd of each boot of the room's crowd pods heard in the window, as `changes` of each listener.

    A change is [at, state]: from then on it is in that state. With [at, null] nothing is known. What is changed last
    goes on until `until`. `arrivals` are newcomers whose visits are over. Times are of the boot's clock.
    """
    documents = []
    for boot in _boots(connection, namespace, room, window, boots.c.settled.is_not(None)):
        own = Window(window.start - boot.offset, window.end - boot.offset)
        ended = and_(spans.c.closed, spans.c.end <= own.start)
        own_spans = spans.c.boot_id == boot.id, spans.c.kind == Kind.RESIDENT.value
        wanted = select(spans).where(*own_spans, spans.c.start < own.end, ~ended)
        changes: dict[str, list[list[float | str | None]]] = {}
        for span in connection.execute(wanted.order_by(spans.c.start)):
            _change(changes.setdefault(span.listener.rpartition("/")[2], []), span)
        calls = _visits(connection, boot.id, own)
        if changes or calls:
            documents.append(_crowd(boot, changes, calls))
    return documents


def _change(changes: list[list[float | str | None]], span: Row[Any]) -> None:
    """Add a span to the changes of its listener, which follow from each other if there is no hole between them."""
    if changes and changes[-1] == [span.start, None]:
        changes.pop()
    changes.append([span.start, span.state])
    if span.closed:
        changes.append([span.end, None])


def _crowd(
    boot: Row[Any], changes: Mapping[str, list[list[float | str | None]]], calls: Iterable[Row[Any]]
) -> Document:
    arrivals = [_call(call) | {"sureUntil": call.left if call.sure is None else call.sure} for call in calls]
    return {**_heading(boot), "until": boot.settled, "changes": changes, "arrivals": arrivals}


def _heading(boot: Row[Any]) -> Document:
    """Who tells it, and how its clock is read."""
    return {
        "boot": boot.boot,
        "room": boot.room,
        "pod": boot.pod,
        "offset": boot.offset,
        "clock": {"monotonic": boot.clock, "wall": boot.seen},
    }


def _boots(
    connection: Connection, namespace: str, room: str, window: Window, kind: ColumnElement[bool]
) -> Iterable[Row[Any]]:
    """The boots of the room's pods of a kind that were seen since the window began, in the order of their answers."""
    there = boots.c.namespace == namespace, boots.c.room == room, boots.c.seen >= window.start
    return connection.execute(select(boots).where(*there, kind).order_by(boots.c.seen, boots.c.id))


def _spans(connection: Connection, boot: int, window: Window) -> list[Row[Any]]:
    """Residents' spans that touch the window, and all of newcomers who may have been in then."""
    resident = and_(spans.c.kind == Kind.RESIDENT.value, spans.c.end > window.start)
    newcomer = and_(spans.c.kind == Kind.ARRIVAL.value, spans.c.start > window.start - LONGEST_VISIT_SECONDS)
    wanted = select(spans).where(spans.c.boot_id == boot, spans.c.start < window.end, or_(resident, newcomer))
    return list(connection.execute(wanted.order_by(spans.c.start)))


def _visits(connection: Connection, boot: int, window: Window) -> list[Row[Any]]:
    wanted = select(visits).where(visits.c.boot_id == boot, visits.c.called < window.end, visits.c.left >= window.start)
    return list(connection.execute(wanted.order_by(visits.c.called)))


def _feed(boot: Row[Any], entries: Iterable[Row[Any]], calls: Iterable[Row[Any]]) -> Document:
    return {
        **_heading(boot),
        "next": boot.next,
        "lost": boot.lost,
        "spans": [
            {
                "listener": span.listener,
                "kind": span.kind,
                "state": span.state,
                "from": span.start,
                "to": span.end,
                "delaySeconds": span.delay,
                "missingSeconds": span.missing,
            }
            for span in entries
        ],
        "open": [],
        "listeners": [],
        "arrivals": [_call(call) for call in calls],
    }


def _call(call: Row[Any]) -> Document:
    """A newcomer's visit."""
    return {
        "listener": call.listener,
        "calledAt": call.called,
        "joinedAt": call.joined,
        "firstAudioAt": call.first_audio,
        "firstLiveAt": call.first_live,
        "leftAt": call.left,
        "error": call.error,
    }


def _listed(run: Row[Any]) -> Document:
    return {
        "uid": run.uid,
        "namespace": run.namespace,
        "name": run.name,
        "experiment": run.experiment,
        "room": run.room,
        "revision": run.revision,
        "askedAt": _stamp(run.asked),
        "startedAt": _stamp(run.started),
        "finishedAt": _stamp(run.finished),
        "goneAt": _stamp(run.gone),
        "verdict": run.verdict,
        "reason": run.reason,
        "audible": run.audible,
        "deadAir": run.dead_air,
        "recovery": run.recovery,
    }


def _stamp(seconds: float | None) -> str | None:
    return None if seconds is None else to_timestamp(seconds)
