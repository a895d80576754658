"""Tokens: what lets a client into a room."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from livekit import api

from showstopper.audio.settings import RoomSettings

TOKEN_LIFE = datetime.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Participant:
    """Who a token is for, as others in the room see it."""

    identity: str
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def token(settings: RoomSettings, identity: str, *, publish: bool, hidden: bool = False) -> str:
    """A token for that room and nothing else. Nobody in the room is told of a `hidden` client."""
    grants = api.VideoGrants(
        room_join=True,
        room=settings.livekit_room,
        can_publish=publish,
        can_subscribe=not publish,
        can_publish_data=False,
        hidden=hidden,
    )
    return _signed(settings.key, settings.secret, Participant(identity), grants, TOKEN_LIFE)


def listeners_token(key: str, secret: str, room: str, participant: Participant, life: datetime.timedelta) -> str:
    """A token with which somebody may listen in that room, and nothing else."""
    grants = api.VideoGrants(
        room_join=True, room=room, can_publish=False, can_subscribe=True, can_publish_data=False, hidden=False
    )
    return _signed(key, secret, participant, grants, life)


def _signed(key: str, secret: str, participant: Participant, grants: api.VideoGrants, life: datetime.timedelta) -> str:
    builder = api.AccessToken(key, secret).with_identity(participant.identity).with_grants(grants)
    if participant.name:
        builder = builder.with_name(participant.name)
    if participant.metadata:
        builder = builder.with_metadata(participant.metadata)
    if participant.attributes:
        builder = builder.with_attributes(dict(participant.attributes))
    return str(builder.with_ttl(life).to_jwt())
