"""The span feed and the health of a listener pod over HTTP: read-only, and without a secret in it."""

from __future__ import annotations

from aiohttp import web

from showstopper.audio.crew import Crew

CREW = web.AppKey("crew", Crew)


def application(crew: Crew) -> web.Application:
    """`GET /v1/spans?after=N` and `GET /healthz`."""
    app = web.Application()
    app[CREW] = crew
    app.router.add_get("/v1/spans", _spans)
    app.router.add_get("/healthz", _health)
    return app


async def _spans(request: web.Request) -> web.Response:
    text = request.query.get("after", "0")
    if not text.isdecimal() or len(text) > 18:
        raise web.HTTPBadRequest(text=f"after is {text[:40]!r}; it must be the last `next`, a whole number from 0\n")
    return web.json_response(request.app[CREW].document(int(text)))


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
