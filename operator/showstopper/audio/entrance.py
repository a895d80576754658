"""The entrance: how a client gets what lets it in. It signs its own token, or asks the room's door for one.

The door is anybody's endpoint of the form that LiveKit's client SDKs ask (`TokenSource.endpoint`): a POST of JSON with
room_name and participant_identity, answered with server_url and participant_token.
https://docs.livekit.io/frontends/authentication/tokens/endpoint
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from showstopper.audio.settings import RoomSettings
from showstopper.audio.tokens import token
from showstopper.errors import ShowstopperError

LARGEST_ANSWER = 64 << 10
LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where to join, and with which token."""

    url: str
    token: str = field(repr=False)


class TurnedAway(ShowstopperError):
    """The door gave no token. The message says what it answered.

    Attributes:
        status: of its answer, 0 if it did not answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def own(settings: RoomSettings, identity: str, *, publish: bool) -> Ticket:
    """The ticket of a client that signs its token itself."""
    return Ticket(settings.url, token(settings, identity, publish=publish))


async def ask(door: str, room: str, identity: str, *, seconds: float) -> Ticket:
    """The ticket that a door gives, within so many seconds.

    Raises:
        TurnedAway: it gives none, or something else.
    """
    wanted = {"room_name": room, "participant_identity": identity}
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        # Somebody who comes for the first time has no connection to the door either.
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(door, json=wanted) as answer:
            return _ticket(answer.status, await _read(answer))
    except TimeoutError as error:
        raise TurnedAway(0, f"the door did not answer within {seconds:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise TurnedAway(0, f"the door did not answer: {error}") from error


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = b""
    async for part in answer.content.iter_any():
        content += part
        if len(content) > LARGEST_ANSWER:
            break
    return content


def _ticket(status: int, content: bytes) -> Ticket:
    if status not in {200, 201}:
        words = _words(content)[:LONGEST_WORDS]
        raise TurnedAway(status, f"the door answered HTTP {status}{f': {words}' if words else ''}")
    document = _parsed(content)
    url, given = (
        _text(document, *names) for names in (("server_url", "serverUrl"), ("participant_token", "participantToken"))
    )
    if not url or not given:
        raise TurnedAway(status, f"the door answered HTTP {status} without server_url and participant_token")
    return Ticket(url, given)


def _text(document: Any, *names: str) -> str:
    """A field by its name in JSON or, as Protobuf allows too, in camel case."""
    if not isinstance(document, dict):
        return ""
    return next((value for name in names if isinstance(value := document.get(name), str)), "")


def _words(content: bytes) -> str:
    """Why, as far as the answer says it."""
    document = _parsed(content)
    return _text(document, "error", "message") or content.decode(errors="replace").strip()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
