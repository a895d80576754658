"""What a door serves: LiveKit's standard token endpoint, the public listener count, and what LiveKit tells it."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from livekit import api

from showstopper.audio import serving
from showstopper.audio.door import requests
from showstopper.audio.door.counts import Counts
from showstopper.audio.door.desk import Desk
from showstopper.audio.door.limits import RateLimit
from showstopper.audio.door.requests import BadRequest
from showstopper.audio.door.settings import DoorSettings
from showstopper.audio.tokens import listeners_token

log = structlog.get_logger()

TOKEN_LIFE = datetime.timedelta(minutes=10)
"""A token is for coming in. LiveKit renews the token of whoever is in."""

LARGEST_REQUEST = 64 << 10
LIMITED = frozenset({"/token", "/rooms/{name}"})
NOT_AVAILABLE = "this room is not available"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Door:
    """All that a door answers from."""

    settings: DoorSettings
    counts: Counts
    desk: Desk
    limit: RateLimit


DOOR = web.AppKey("door", Door)


def application(door: Door) -> web.Application:
    """For clients `POST /token` and `GET /rooms/NAME`, for LiveKit `POST /webhooks/livekit`, for the other replicas
    `GET /v1/tallies`, for the kubelet `/healthz` (the loop runs) and `/readyz` (it is not about to end).
    """
    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[_for_browsers, _limited])
    app[DOOR] = door
    app.router.add_post("/token", _token)
    app.router.add_get("/rooms/{name}", _room)
    app.router.add_post("/webhooks/livekit", _webhook)
    app.router.add_get("/v1/tallies", _tallies)
    app.router.add_get("/healthz", serving.healthy)
    app.router.add_get("/readyz", _ready)
    return app


def refused(status: int, why: str, **headers: str) -> web.Response:
    """An answer that says why there is none, for a program."""
    return web.json_response(
        {"error": why}, status=status, headers={name.replace("_", "-"): headers[name] for name in headers}
    )


@web.middleware
async def _for_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of any origin ask: a token endpoint is asked by browsers (CORS)."""
    if request.method == "OPTIONS":
        answer: web.StreamResponse = web.Response(status=204)
    else:
        answer = await handler(request)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
    answer.headers["Access-Control-Allow-Headers"] = "*"
    return answer


@web.middleware
async def _limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have clients that ask too often wait."""
    resource = request.match_info.route.resource
    if resource is not None and resource.canonical in LIMITED:
        client = request.remote or ""
        if after := request.app[DOOR].limit.take(client, time.monotonic()):
            log.info("asked_too_often", client=client)
            return refused(429, "you ask too often: come back later", Retry_After=str(after))
    return await handler(request)


async def _token(request: web.Request) -> web.Response:
    """A token, in the answer that LiveKit's client SDKs expect: 201, server_url and participant_token."""
    door = request.app[DOOR]
    try:
        room, participant = requests.read(await request.json(), door.settings.rooms)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return refused(400, "send JSON, with room_name and participant_identity")
    except BadRequest as error:
        return refused(400, str(error))
    if room not in door.settings.rooms:
        return refused(404, NOT_AVAILABLE)
    if await door.desk.turns_away(participant.identity):
        return refused(503, NOT_AVAILABLE)
    settings = door.settings
    token = listeners_token(settings.key, settings.secret, room, participant, TOKEN_LIFE)
    log.info("let_in", room=room, identity=participant.identity)
    return web.json_response({"server_url": settings.url, "participant_token": token}, status=201)


async def _room(request: web.Request) -> web.Response:
    """The public count of a room."""
    door, name = request.app[DOOR], request.match_info["name"]
    if name not in door.settings.rooms:
        return refused(404, NOT_AVAILABLE)
    door.counts.looked_at(name, door.settings.name)
    true = door.counts.count(name)
    if true is None:
        return refused(503, "nothing has been counted yet")
    count = door.desk.shown(name, true)
    return web.json_response(
        {
            "name": name,
            "listeners": {"now": count.now, "peak": count.peak, "cumulative": count.cumulative},
            "measuredAt": round(count.measured_at, 3),
        }
    )


async def _webhook(request: web.Request) -> web.Response:
    """What LiveKit tells, if it is LiveKit: it signs with the key that the door has too."""
    door = request.app[DOOR]
    receiver = api.WebhookReceiver(api.TokenVerifier(door.settings.key, door.settings.secret))
    try:
        event = receiver.receive((await request.read()).decode(), request.headers.get("Authorization", ""))
    except Exception as error:  # noqa: BLE001  # the receiver raises bare exceptions, and the token's library its own
        log.warning("webhook_refused", client=request.remote, error=repr(error))
        return refused(401, "not signed by the key of this room")
    door.counts.told(event)
    return web.Response(text="ok\n")


async def _tallies(request: web.Request) -> web.Response:
    return web.json_response(request.app[DOOR].counts.document())


async def _ready(request: web.Request) -> web.Response:
    if request.app[DOOR].desk.draining:
        return web.Response(status=503, text="about to end\n")
    return web.Response(text="ok\n")
