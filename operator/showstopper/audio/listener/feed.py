"""The span feed and the health of a listener pod over HTTP: read-only, and without a secret in it."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from showstopper.audio import serving
from showstopper.audio.listener.crew import Crew, page_document

BATCH = 500
"""Entries that are encoded at a time: some milliseconds. An hour at once holds up the loop for 0.3 s, and a loop that
stands still that long makes everything Unknown that its residents heard meanwhile."""

CREW = web.AppKey("crew", Crew)


def application(crew: Crew) -> web.Application:
    """`GET /v1/spans?after=N` and `GET /healthz`."""
    app = web.Application()
    app[CREW] = crew
    app.router.add_get("/v1/spans", _spans)
    app.router.add_get("/healthz", serving.healthy)
    return app


async def _spans(request: web.Request) -> web.Response:
    body = await encoded(request.app[CREW], serving.after(request))
    return web.Response(body=body, content_type="application/json")


async def encoded(crew: Crew, after: int) -> bytes:
    """The crew's document as JSON, made bit by bit: who asks for all of it disturbs no measurement.

    What goes on is told of the same moment as the last entries, or something that ended in between would be in neither.
    """
    parts: dict[str, list[str]] = {}
    lost = 0
    while len((page := crew.ring.after(after, BATCH)).entries) == BATCH:
        for name, entries in page_document(page).items():
            parts.setdefault(name, []).extend(map(json.dumps, entries))
        after, lost = page.next, lost + page.lost
        await asyncio.sleep(0)
    document = crew.document(after)
    fields = {name: json.dumps(value) for name, value in document.items()}
    fields["lost"] = json.dumps(page.lost + lost)
    for name, encodings in parts.items():
        fields[name] = f"[{', '.join([*encodings, *map(json.dumps, page_document(page)[name])])}]"
    return f"{{{', '.join(f'{json.dumps(name)}: {value}' for name, value in fields.items())}}}".encode()
