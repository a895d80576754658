"""A LiveKit that is played: signalling, ICE and DTLS as its `/rtc` has them, and whatever a test has it do wrong."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from livekit.protocol import models, rtc
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from showstopper.audio.crowd import stun
from showstopper.audio.settings import RoomSettings
from tests.audio.crowd import offers
from tests.audio.crowd.dtls_server import FINGERPRINT, DtlsServer

SECRET = "a-secret-of-thirty-two-bytes-or-more"


@dataclass
class PlayedServer:
    """What it does, and what was asked of it. Each attribute may be changed while it runs."""

    status: int = 101
    """Of the answer to a join."""

    resume_status: int = 101
    knows: bool = True
    """Whether it still knows sessions that are to be resumed."""

    says: list[bytes] = field(default_factory=list)
    """Messages in place of `join` and all that follows; with an empty one it says nothing at all."""

    fingerprint: str = FINGERPRINT
    has_udp: bool = True
    joins: int = 0
    resumes: int = 0
    host: str = "127.0.0.1"
    port: int = 0
    open: list[ServerConnection] = field(default_factory=list)

    @property
    def room(self) -> RoomSettings:
        """How to get in."""
        return RoomSettings("played", f"ws://127.0.0.1:{self.port}", "room", "key", SECRET)

    async def say(self, **message: Any) -> None:
        """Say it to everybody."""
        for connection in self.open:
            await connection.send(response(**message))

    async def hang_up(self) -> None:
        """Close all connections."""
        for connection in list(self.open):
            await connection.close()

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Count the call, and refuse it if that is what it does."""
        is_resume = "reconnect=1" in request.path
        self.resumes += is_resume
        self.joins += not is_resume
        status = self.resume_status if is_resume else self.status
        return None if status == 101 else connection.respond(HTTPStatus(status), "played")

    async def talk(self, connection: ServerConnection) -> None:
        """One client."""
        assert connection.request is not None
        self.open.append(connection)
        try:
            if "reconnect=1" in connection.request.path:
                await connection.send(response(reconnect=rtc.ReconnectResponse()) if self.knows else response(pong=1))
            elif self.says:
                for message in filter(None, self.says):
                    await connection.send(message)
            else:
                await self._let_in(connection)
            async for _ in connection:
                pass
        except ConnectionClosed:
            pass
        finally:
            self.open.remove(connection)

    async def _let_in(self, connection: ServerConnection) -> None:
        await connection.send(response(join=rtc.JoinResponse(participant=models.ParticipantInfo(sid="PA_1"))))
        text = offers.offer().replace(offers.FINGERPRINT, self.fingerprint)
        await connection.send(response(offer=rtc.SessionDescription(type="offer", sdp=text, id=1)))
        password, address = "", None
        while not (password and address):
            request = rtc.SignalRequest.FromString(await connection.recv(decode=False))
            if request.HasField("answer") and (match := re.search("a=ice-pwd:(.*)\r", request.answer.sdp)):
                password = match[1]
            elif request.HasField("trickle"):
                words = json.loads(request.trickle.candidateInit)["candidate"].split()
                address = (words[4], int(words[5]))
        if self.has_udp:
            await _Relay.check(self.host, password, address)


class _Relay(asyncio.DatagramProtocol):
    """The media side of one client."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.dtls = DtlsServer()

    @classmethod
    async def check(cls, host: str, password: str, address: stun.Address) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
        transport.sendto(stun.request("ours:theirs", password.encode(), 1, controlling=True), address)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: stun.Address) -> None:
        for datagram in self.dtls.take(data):
            self.transport.sendto(datagram, addr)


def response(**message: Any) -> bytes:
    """A message of the server."""
    return bytes(rtc.SignalResponse(**message).SerializeToString())


@asynccontextmanager
async def played(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> AsyncIterator[PlayedServer]:
    """One that does everything right, until a test changes that."""
    server = PlayedServer(host=host)
    async with serve(server.talk, host, 0, process_request=server.admit, ssl=context) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server
