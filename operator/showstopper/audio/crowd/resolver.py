"""Where a room's signalling is: its URL in parts, and the addresses of its host."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from showstopper.errors import SettingsError

_PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}

SocketAddress = tuple[int, tuple[Any, ...]]
"""An address family and a socket address."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the signalling is."""

    secure: bool
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def read(cls, url: str) -> Self:
        """From ws://relay:7880 or wss://rooms.example/path.

        Raises:
            SettingsError: for any other URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsError(f"{url!r} is no address of a room: {error}") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise SettingsError(f"{url!r} is no address of a room; write ws://host:port or wss://host")
        secure = parts.scheme in ("wss", "https")
        return cls(secure, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if self.secure else 'ws'}://{host}:{self.port}{self.prefix}"


class Resolver:
    """Asks for the addresses of a server. Who asks while the same question is open waits for its answer: a crowd that
    comes at once must not be held up by the few threads that wait for DNS. Nothing is kept of
    names. A host that is an address is not asked for.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._literal = _literal(server)
        self._open: asyncio.Task[list[SocketAddress]] | None = None

    async def addresses(self) -> list[SocketAddress]:
        """The addresses, in the order of preference. Raises OSError."""
        if self._literal is not None:
            return self._literal
        if self._open is None:
            self._open = asyncio.create_task(self._ask())
            self._open.add_done_callback(self._answered)
        return await asyncio.shield(self._open)

    def _answered(self, answered: asyncio.Task[list[SocketAddress]]) -> None:
        self._open = None
        if not answered.cancelled():
            answered.exception()  # it may be that nobody waits any more

    async def _ask(self) -> list[SocketAddress]:
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.getaddrinfo(self._server.host, self._server.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # a label that is too long for DNS
            raise OSError(f"{self._server.host} is no name of a host") from error
        return _addresses(answers)


def _literal(server: Server) -> list[SocketAddress] | None:
    """The addresses of a server whose host is an address. None for a name."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    try:
        return _addresses(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=flags))
    except (OSError, UnicodeError):
        return None


def _addresses(answers: list[Any]) -> list[SocketAddress]:
    return [(family, address) for family, _type, _protocol, _name, address in answers]
