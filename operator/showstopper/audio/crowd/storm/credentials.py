"""Credentials: where the visitors of a storm get the tokens that let them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.settings import RoomSettings
from showstopper.audio.tokens import token


class TokenSource(Protocol):
    """Gives a token to whoever is about to join."""

    async def token(self, identity: str) -> str:
        """A token for that visitor. Raises Refused, with which its only try is over."""


class Signed:
    """Tokens that are signed here, with the room's key. Beforehand: that takes as long as a join takes the network."""

    def __init__(self, settings: RoomSettings, identities: Sequence[str], *, hidden: bool) -> None:
        """For these visitors. Nobody in the room is told of `hidden` ones."""
        self._tokens = {identity: token(settings, identity, publish=False, hidden=hidden) for identity in identities}

    async def token(self, identity: str) -> str:
        """The one that was signed for it."""
        return self._tokens[identity]


class NoCredentials:
    """For those who join nothing."""

    async def token(self, identity: str) -> str:  # noqa: ARG002 - nobody gets one
        """Nothing."""
        return ""


def source(settings: RoomSettings, identities: Sequence[str], shape: StormShape) -> TokenSource:
    """Where the visitors of a storm get their tokens. It is chosen here, and nowhere else."""
    return Signed(settings, identities, hidden=shape.hidden) if shape.depth.joins else NoCredentials()
