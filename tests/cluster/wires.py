"""A wire to an API server that can be cut or fall silent, as networks do, and a client at its other end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from kubernetes.aio import config as kube_config
from kubernetes.aio.client.configuration import Configuration

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client

CHUNK = 65536


class Wire:
    """Carries bytes between clients and the server.

    Attributes:
        connections: how many were made so far.
    """

    def __init__(self, host: str, port: int) -> None:
        self.connections = 0
        self._server = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._dead: asyncio.Event = asyncio.Event()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until it ends or is cut."""
        await self._open.wait()
        self.connections += 1
        there, back = await asyncio.open_connection(*self._server)
        self._writers |= {writer, back}
        dead = self._dead
        await asyncio.gather(self._copy(reader, back, dead), self._copy(there, writer, dead), return_exceptions=True)
        self._writers -= {writer, back}
        writer.close()
        back.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, dead: asyncio.Event) -> None:
        while data := await source.read(CHUNK):
            if dead.is_set():
                continue  # neither an answer nor an end comes
            target.write(data)
            await target.drain()
        if not dead.is_set():
            target.write_eof() if target.can_write_eof() else target.close()

    def silence(self) -> None:
        """Carry nothing more on the connections that there are. New ones work."""
        self._dead.set()
        self._dead = asyncio.Event()

    def cut(self) -> None:
        """Cut all connections, and let none be made until `mend`."""
        self._open.clear()
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections be made again."""
        self._open.set()


@asynccontextmanager
async def wired(server: ApiServer) -> AsyncIterator[tuple[Wire, Client]]:
    """A wire to the server, and a client that knows no other way."""
    configuration = Configuration()
    await kube_config.load_kube_config(
        config_file=str(server.kubeconfig), client_configuration=configuration, persist_config=False
    )
    address = urlsplit(configuration.host)
    assert address.hostname
    assert address.port
    wire = Wire(address.hostname, address.port)
    listening = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    configuration.host = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with Client(configuration) as client:
            yield wire, client
    finally:
        wire.cut()
        listening.close()
