"""A door as tests open it: with a real HTTP server, and without a LiveKit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from showstopper.audio.door.application import Door, application
from showstopper.audio.door.counts import Counts
from showstopper.audio.door.desk import Desk
from showstopper.audio.door.limits import RateLimit
from showstopper.audio.door.settings import DoorSettings

KEY, SECRET = "devkey", "secretsecretsecretsecretsecretsecret"


def made(*, burst: float = 100, rooms: tuple[str, ...] = ("stage",)) -> Door:
    """A door to these rooms."""
    settings = DoorSettings("door-0", "ws://relay:7880", "http://relay:7880", rooms, KEY, SECRET)
    return Door(settings, Counts(rooms), Desk(), RateLimit(1, burst))


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The door behind a real server, for the time of the block."""
    async with TestClient(TestServer(application(door))) as client:
        yield client
