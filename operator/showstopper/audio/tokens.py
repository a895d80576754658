"""Tokens: what lets a client into a room."""

from __future__ import annotations

import datetime

from livekit import api

from showstopper.audio.settings import RoomSettings

TOKEN_LIFE = datetime.timedelta(hours=24)


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
    builder = api.AccessToken(settings.key, settings.secret).with_identity(identity).with_grants(grants)
    return str(builder.with_ttl(TOKEN_LIFE).to_jwt())
