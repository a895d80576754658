"""The way into a room, which all listeners of a crowd share."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Self

from showstopper.audio.crowd.dtls import Identity
from showstopper.audio.crowd.resolver import Resolver, Server


@dataclass(frozen=True, slots=True)
class Access:
    """Where the signalling is, and what listeners show of themselves."""

    server: Server
    resolver: Resolver
    identity: Identity
    context: ssl.SSLContext | None
    """For wss. Loading the CAs that one trusts costs as much as a hundred joins."""

    @classmethod
    def to(cls, url: str) -> Self:
        """To the room's signalling. Raises SettingsError for what is no URL of one."""
        server = Server.read(url)
        return cls(server, Resolver(server), Identity(), ssl.create_default_context() if server.secure else None)
