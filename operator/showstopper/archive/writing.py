"""Writing: what feeds and runs say, into the database. Everything may be written again, and changes nothing then."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Table, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from showstopper.api.run import ExperimentRun
from showstopper.archive.tables import boots, runs, spans, visits
from showstopper.availability.boots import DRIFT
from showstopper.availability.feed import Arrival, Feed
from showstopper.availability.spans import Span
from showstopper.clock import from_timestamp
from showstopper.errors import InvalidResource

log = structlog.get_logger()

Row = dict[str, Any]
AROUND_SECONDS = 60.0
"""A run's window and a little around it are kept with the run."""

LONGEST_VISIT_SECONDS = 2 * 3600.0
"""A newcomer stays for an hour at most (api/room.py), after it has joined."""


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """One answer of a pod of a namespace.

    Attributes:
        namespace: of the pod.
        feed: what it said.
        at: when it came, in unix seconds.
        settled: of a crowd, up to when everything is known, on its own clock. None: a pod of listeners.
        written: of a crowd, what began before that is written already, and follows on what this answer tells.
    """

    namespace: str
    feed: Feed
    at: float
    settled: float | None = None
    written: float = -math.inf


def keep_feed(connection: Connection, answer: FeedAnswer) -> None:
    """Keep what a feed says, and how far it was read: both or, if the transaction fails, neither."""
    if answer.settled is not None:
        _keep_crowd(connection, answer)
        return
    feed = answer.feed
    number = _keep_boot(connection, answer)
    rows = [_span(number, span, closed=False) for span in feed.open if span.end > span.start]
    rows += [_span(number, span, closed=True) for span in feed.spans if span.end > span.start]
    if rows:
        stored, new = spans.c, _insert(connection, spans).excluded
        grown = and_(stored.closed.is_(False), or_(new.closed, new.end > stored.end))
        _upsert(connection, spans, rows, ("end", "state", "delay", "missing", "closed"), where=grown)
    _keep_visits(connection, number, feed.arrivals)


def _keep_visits(connection: Connection, number: int, arrivals: Iterable[Arrival]) -> None:
    """Keep the visits that are over. What goes on is told again."""
    rows = [
        {
            "boot_id": number,
            "called": visit.called,
            "listener": visit.listener,
            "joined": visit.joined,
            "first_audio": visit.first_audio,
            "first_live": visit.first_live,
            "left": visit.left,
            "error": visit.error.replace("\0", ""),  # a server's words, and PostgreSQL keeps no NUL in a text
            "sure": visit.sure_until if visit.surely_left is None else None,
        }
        for visit in arrivals
        if visit.left is not None
    ]
    if rows:
        _upsert(connection, visits, rows, ())


def _keep_crowd(connection: Connection, answer: FeedAnswer) -> None:
    """Keep what is new of a crowd: spans and visits that are over, and of spans that go on those that have begun."""
    if answer.feed.lost:
        _close(connection, answer)
    number = _keep_boot(connection, answer)
    rows = [_span(number, span, closed=False) for span in answer.feed.open if span.start >= answer.written]
    rows += [_span(number, span, closed=True) for span in answer.feed.spans]
    if rows := [row for row in rows if row["end"] > row["start"]]:
        stored, new = spans.c, _insert(connection, spans).excluded
        more = or_(new.closed, new.end > stored.end)
        _upsert(connection, spans, rows, ("end", "state", "closed"), where=more)
    _keep_visits(connection, number, answer.feed.arrivals)


def _close(connection: Connection, answer: FeedAnswer) -> None:
    """End what goes on where it was known last: what became of it is lost. Whoever is still in it opens it again."""
    feed = answer.feed
    place = {"namespace": answer.namespace, "room": feed.room, "pod": feed.pod, "boot": feed.boot}
    wanted = select(boots.c.id, boots.c.settled).where(*(boots.c[name] == value for name, value in place.items()))
    if (boot := connection.execute(wanted).one_or_none()) is not None:
        going = spans.c.boot_id == boot.id, spans.c.closed.is_(False)
        connection.execute(update(spans).where(*going).values(end=boot.settled, closed=True))


def keep_runs(connection: Connection, bodies: Iterable[Mapping[str, Any]], at: float) -> None:
    """Keep runs as they were read at that time. A verdict that is kept is never replaced by a run without one."""
    rows = list(_rows(bodies, at))
    if not rows:
        return
    new = _insert(connection, runs).excluded
    changing = tuple(column.name for column in runs.columns if column.name not in {"uid", "gone"})
    _upsert(connection, runs, rows, changing, where=or_(runs.c.verdict.is_(None), new.verdict.is_not(None)))


def note_gone(connection: Connection, uids: Iterable[str], at: float) -> None:
    """Note that these runs were deleted from the cluster. What is kept of them stays."""
    wanted = sorted(set(uids))
    for first in range(0, len(wanted), 500):
        some = runs.c.uid.in_(wanted[first : first + 500])
        connection.execute(update(runs).where(some, runs.c.gone.is_(None)).values(gone=at))


def not_gone(connection: Connection) -> set[str]:
    """The runs that were in the cluster when it was last looked at."""
    return set(connection.scalars(select(runs.c.uid).where(runs.c.gone.is_(None))))


def positions(connection: Connection) -> dict[tuple[str, str, str], tuple[str, int]]:
    """By namespace, room and pod: the newest boot, and how far its feed is kept."""
    newest = select(boots.c.namespace, boots.c.room, boots.c.pod, boots.c.boot, boots.c.next).order_by(boots.c.seen)
    return {(row.namespace, row.room, row.pod): (row.boot, row.next) for row in connection.execute(newest)}


def forget(connection: Connection, *, before: float, idle_before: float) -> int:
    """Drop what is too old. Returns how many spans were dropped.

    Args:
        connection: in a transaction.
        before: runs, and what listeners told, are dropped if they ended before that.
        idle_before: what belongs to no run is dropped if it ended before that.

    Boots that have long been silent go, too.

    A run that was deleted before its end never gets one: it ends when it was gone, or it would keep all that its room
    tells from then on.
    """
    connection.execute(delete(runs).where(func.coalesce(runs.c.finished, runs.c.asked) < before))
    connection.execute(delete(boots).where(boots.c.seen < before))
    over = func.coalesce(runs.c.finished, runs.c.gone)
    gone = 0
    for table, start, end in ((spans, spans.c.start, spans.c.end), (visits, visits.c.called, visits.c.left)):
        began, ended = start + boots.c.offset, end + boots.c.offset
        of_a_run = select(runs.c.uid).where(
            runs.c.namespace == boots.c.namespace,
            runs.c.room == boots.c.room,
            runs.c.started <= ended + AROUND_SECONDS,
            or_(over.is_(None), over >= began - AROUND_SECONDS),
        )
        unneeded = and_(ended < idle_before, ~of_a_run.correlate(boots, table).exists())
        old = select(boots.c.id).where(boots.c.id == table.c.boot_id, or_(ended < before, unneeded))
        done = connection.execute(delete(table).where(old.correlate(table).exists(), *_over(table)))
        gone += done.rowcount if table is spans else 0
    return gone


def _over(table: Table) -> list[ColumnElement[bool]]:
    """What is not over is not old."""
    return [spans.c.closed] if table is spans else []


def _rows(bodies: Iterable[Mapping[str, Any]], at: float) -> Iterator[Row]:
    """The rows of runs, without those that an older or newer CRD let through."""
    for body in bodies:
        try:
            yield run_row(body, at)
        except InvalidResource as error:
            log.warning("invalid_resource", error=str(error))


def run_row(body: Mapping[str, Any], at: float) -> Row:
    """The row of a run's resource.

    Raises:
        InvalidResource: when it is none.
    """
    run = ExperimentRun.parse(body)
    origin, status, metadata = run.spec.experiment, run.status, run.metadata
    slim = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {
        "uid": metadata.uid,
        "namespace": metadata.namespace,
        "name": metadata.name,
        "experiment": origin.name,
        "room": run.spec.room.name,
        "revision": origin.revision.replace("\0", ""),  # PostgreSQL keeps no NUL in a text
        "asked": from_timestamp(origin.asked_at or metadata.creation_timestamp),
        "started": _maybe(status.started_at),
        "finished": _maybe(status.finished_at),
        "verdict": status.verdict,
        "reason": status.reason,
        "audible": status.audible,
        "dead_air": status.dead_air,
        "recovery": status.recovery,
        "seen": at,
        "body": {**body, "metadata": slim},
    }


def _maybe(stamp: str | None) -> float | None:
    return None if stamp is None else from_timestamp(stamp)


def _keep_boot(connection: Connection, answer: FeedAnswer) -> int:
    """The number of the feed's boot, with the better of both readings of its clock."""
    feed = answer.feed
    row = {
        "namespace": answer.namespace,
        "room": feed.room,
        "pod": feed.pod,
        "boot": feed.boot,
        "next": feed.next,
        "lost": feed.lost,
        "clock": feed.clock,
        "offset": feed.offset,
        "worth": feed.uncertainty - DRIFT * feed.clock,
        "seen": answer.at,
        "settled": answer.settled,
    }
    statement = _insert(connection, boots)
    stored, new = boots.c, statement.excluded
    newer, better = new.clock >= stored.clock, new.worth < stored.worth
    done = statement.on_conflict_do_update(
        index_elements=["namespace", "room", "pod", "boot"],
        set_={
            "next": case((newer, new.next), else_=stored.next),
            "lost": stored.lost + case((newer, new.lost), else_=0),
            "clock": case((newer, new.clock), else_=stored.clock),
            "seen": case((newer, new.seen), else_=stored.seen),
            "settled": case((newer, new.settled), else_=stored.settled),
            "offset": case((better, new.offset), else_=stored.offset),
            "worth": case((better, new.worth), else_=stored.worth),
        },
    ).returning(boots.c.id)
    return int(connection.execute(done, row).scalar_one())


def _span(number: int, span: Span, *, closed: bool) -> Row:
    return {
        "boot_id": number,
        "kind": span.kind.value,
        "start": span.start,
        "listener": span.listener,
        "end": span.end,
        "state": span.state.value,
        "delay": span.delay,
        "missing": span.missing,
        "closed": closed,
    }


def _insert(connection: Connection, table: Table) -> Any:
    """An INSERT of the dialect. Both write ON CONFLICT alike, but SQLAlchemy has it in each dialect only."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _upsert(
    connection: Connection, table: Table, rows: list[Row], changing: tuple[str, ...], where: Any = None
) -> None:
    """Insert rows, or update the `changing` columns of those that exist, `where` that holds."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    done: Insert
    if changing:
        values = {name: statement.excluded[name] for name in changing}
        done = statement.on_conflict_do_update(index_elements=keys, set_=values, where=where)
    else:
        done = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(done, rows)
