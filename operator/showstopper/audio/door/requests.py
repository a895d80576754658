"""Requests for a token, in the form that LiveKit's client SDKs send them (`TokenSource.endpoint`)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from showstopper.audio.tokens import Participant
from showstopper.errors import ShowstopperError

MOST_IDENTITY, MOST_TEXT, MOST_ATTRIBUTES = 256, 4096, 64
_FIELDS = frozenset(
    {"room_name", "participant_identity", "participant_name", "participant_metadata", "participant_attributes"}
)


class BadRequest(ShowstopperError):
    """What was asked for cannot be given. The message says what to send instead."""


def read(document: Any, rooms: Collection[str]) -> tuple[str, Participant]:
    """The room, and who wants to come in.

    Without a room the only one is meant, and without an identity there is a new one, as the endpoint's schema wants it.

    Raises:
        BadRequest: for whatever else was sent.
    """
    if not isinstance(document, Mapping):
        raise BadRequest("send a JSON object with room_name and participant_identity")
    if others := sorted(set(document) - _FIELDS):
        raise BadRequest(f"{', '.join(others)[:200]} cannot be chosen here: leave it out")
    room = _text(document, "room_name", MOST_IDENTITY)
    if not room:
        if len(rooms) != 1:
            raise BadRequest("send room_name: there are several rooms")
        (room,) = rooms
    participant = Participant(
        identity=_text(document, "participant_identity", MOST_IDENTITY) or f"listener-{uuid.uuid4().hex[:12]}",
        name=_text(document, "participant_name", MOST_IDENTITY),
        metadata=_text(document, "participant_metadata", MOST_TEXT),
        attributes=_attributes(document.get("participant_attributes")),
    )
    return room, participant


def _text(document: Mapping[str, Any], name: str, most: int) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"{name} is a text of {most} characters at the most")
    return value


def _attributes(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if (
        not isinstance(value, dict)
        or len(value) > MOST_ATTRIBUTES
        or not all(isinstance(text, str) and len(text) <= MOST_TEXT for pair in value.items() for text in pair)
    ):
        raise BadRequest(f"participant_attributes has {MOST_ATTRIBUTES} texts at the most, by name")
    return value
