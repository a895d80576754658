"""Serving: what is kept, over HTTP and read-only, with health and metrics."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from showstopper.api.reasons import Reason
from showstopper.archive import queries
from showstopper.archive.feeds import Feeds
from showstopper.archive.keeper import Keeper
from showstopper.archive.runs import Runs
from showstopper.errors import ArchiveError

USUAL_LIMIT = 100
"""Without an experiment or a namespace, people look at the newest."""


class ArchiveCollector(Collector):
    """Reads the figures when they are asked for."""

    def __init__(self, keeper: Keeper, feeds: Feeds, runs: Runs) -> None:
        self._keeper = keeper
        self._feeds = feeds
        self._runs = runs

    def collect(self) -> list[Metric]:
        """The database, the listener pods, and what was kept since the start."""
        gauges = (
            ("database_up", "1 while the database takes what is written.", float(not self._keeper.trouble)),
            ("last_kept_timestamp_seconds", "When something was kept last.", self._keeper.kept_at),
            ("listener_pods", "Listener pods that are asked.", len(self._feeds.pods)),
            ("listener_pods_unheard", "Listener pods of which nothing can be kept now.", len(self._feeds.problems)),
        )
        counters = (
            ("answers_kept", "Answers of listener pods kept since the start.", self._feeds.answers),
            ("runs_kept", "Looks at runs kept since the start.", self._runs.kept),
        )
        prefix = "showstopper_archive_"
        return [
            *(GaugeMetricFamily(prefix + name, text, value=value) for name, text, value in gauges),
            *(CounterMetricFamily(prefix + name, text, value=value) for name, text, value in counters),
        ]


def application(keeper: Keeper, feeds: Feeds, runs: Runs) -> web.Application:
    """`/v1/runs`, `/v1/runs/{uid}`, `/v1/runs/{uid}/spans`, and `/healthz`, `/readyz`, `/metrics`."""
    registry = CollectorRegistry()
    registry.register(ArchiveCollector(keeper, feeds, runs))

    async def list_runs(request: web.Request) -> web.Response:
        query = _query(request)
        limit = _limit(query.pop("limit", str(USUAL_LIMIT)))

        def listed(connection: Connection) -> bytes | None:
            runs_in_short = queries.list_runs(connection, limit=limit, **query)
            return None if runs_in_short is None else _dumped({"runs": runs_in_short})

        return await _answer(keeper, listed, query.get("before", ""))

    async def one_run(request: web.Request) -> web.Response:
        return await _about(keeper, request, queries.one_run)

    async def spans(request: web.Request) -> web.Response:
        return await _about(keeper, request, queries.told)

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        problem = keeper.trouble or ("" if runs.followed else "the runs are not read yet")
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/runs", list_runs),
            web.get("/v1/runs/{uid}", one_run),
            web.get("/v1/runs/{uid}/spans", spans),
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
        ]
    )
    return app


async def _about(
    keeper: Keeper, request: web.Request, query: Callable[[Connection, str], queries.Document | None]
) -> web.Response:
    uid = request.match_info["uid"]

    def answered(connection: Connection) -> bytes | None:
        document = query(connection, uid)
        return None if document is None else _dumped(document)

    return await _answer(keeper, answered, uid)


async def _answer(keeper: Keeper, work: Callable[[Connection], bytes | None], uid: str) -> web.Response:
    """The JSON that the work makes in its thread. None means that there is no run of that UID."""
    try:
        content = await keeper.read(work)
    except ArchiveError as error:
        return _refusal(503, Reason.DATABASE_UNAVAILABLE, str(error))
    if content is None:
        return _refusal(404, Reason.RUN_NOT_FOUND, f"no run with the UID {uid} is kept in the archive")
    return web.Response(body=content, content_type="application/json")


def _query(request: web.Request) -> dict[str, str]:
    """The query's words.

    Raises:
        web.HTTPBadRequest: for one that is not known: a filter that does nothing would look like an answer.
    """
    known = {"namespace", "experiment", "name", "limit", "before"}
    if unknown := sorted(set(request.query) - known):
        raise _bad(f"{', '.join(unknown)[:100]}: not known; there is {', '.join(sorted(known))}")
    return dict(request.query)


def _limit(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= queries.MOST:
        raise _bad(f"limit is {text[:40]!r}: write a whole number from 1 to {queries.MOST}")
    return int(text)


def _bad(message: str) -> web.HTTPBadRequest:
    content = _dumped({"message": message, "reason": Reason.INVALID})
    return web.HTTPBadRequest(text=content.decode(), content_type="application/json")


def _refusal(status: int, reason: Reason, message: str) -> web.Response:
    return web.json_response({"message": message, "reason": reason}, status=status)


def _dumped(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
