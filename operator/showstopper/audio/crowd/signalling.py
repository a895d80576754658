"""Signalling: a WebSocket that is a socket and a buffer, so that a sweep can read it, without a task or a timer."""

from __future__ import annotations

import socket
import ssl
from typing import Self

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI

from showstopper.audio.crowd import connections, datagram_socket
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.resolver import Server, SocketAddress

MOST_BYTES = 8 << 20
"""Longest message: the first one has all participants, 57 bytes each at the least."""

MOST_UNSENT = 1 << 16
_CHUNK = 1 << 16
_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Signalling:
    """One connection. `closed` says why it is over, once it is."""

    def __init__(self, connected: socket.socket, protocol: ClientProtocol) -> None:
        self.socket = connected
        self.closed = ""
        self._protocol = protocol
        self._unsent = bytearray()
        self._message = bytearray()

    @classmethod
    async def open(
        cls, server: Server, addresses: list[SocketAddress], path: str, context: ssl.SSLContext | None
    ) -> Self:
        """Connect to the first address that takes us, and upgrade. Over TLS, if there is a context for it.

        Raises:
            Refused: for an answer that is no upgrade.
            OSError: if there is no connection.
        """
        connected = await connections.connect(addresses)
        try:
            if context is not None:
                connected = connections.wrap(connected, context, server.host)
                await connections.secure(connected)
            signalling = cls(connected, ClientProtocol(_uri(server, path), max_size=MOST_BYTES))
            await signalling._upgrade()
        except BaseException:
            connected.close()
            raise
        return signalling

    @property
    def host(self) -> str:
        """Our address on this connection."""
        return datagram_socket.plain(self.socket.getsockname())[0]

    def read(self) -> list[bytes]:
        """The messages that have come. Afterwards `closed` says whether more can."""
        messages = self._messages()  # some may have come with the upgrade
        while not self.closed:
            try:
                data = self.socket.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                self._end(str(error))
                break
            self._feed(data)
            messages += self._messages()
            if len(data) < _CHUNK and not isinstance(self.socket, ssl.SSLSocket):
                break
        self._flush()
        return messages

    async def first(self) -> list[bytes]:
        """Wait for messages. None come if the server closes instead."""
        while not (messages := self.read()) and not self.closed:
            await connections.ready(self.socket)
        return messages

    def send(self, *messages: bytes) -> None:
        """Send messages. What the connection does not take now follows when it is read or sent to the next time."""
        if self.closed or self._protocol.state is not State.OPEN:
            return
        for message in messages:
            self._protocol.send_binary(message)
        self._flush()

    def close(self) -> None:
        """Close, after saying so."""
        if not self.closed and self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
        self._end("closed here")
        self.socket.close()

    async def _upgrade(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while True:
            await connections.ready(self.socket, writes=bool(self._unsent))
            self._flush()
            try:
                data = self.socket.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            self._feed(data)
            if self._protocol.handshake_exc is not None:
                raise _refused(self._protocol.handshake_exc)
            if self._protocol.state is not State.CONNECTING:
                return
            if not data:
                raise Refused(Refusal.CLOSED, "the server closed the connection before it answered")

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()

    def _messages(self) -> list[bytes]:
        """Whole messages of the frames that have come."""
        messages = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                messages += self._frame(event)
        if why := self._over():
            self._flush()  # the protocol's own last word: without it a server waits for one
            self._end(why)
        return messages

    def _over(self) -> str:
        """Why the server ended it, if it has."""
        if self._protocol.parser_exc is not None:
            return f"not a WebSocket: {self._protocol.parser_exc}"
        if self._protocol.state is State.CLOSED or self._protocol.close_rcvd is not None:
            return f"closed by the server ({self._protocol.close_rcvd or 'without a word'})"
        return ""

    def _frame(self, frame: Frame) -> list[bytes]:
        if frame.opcode not in _DATA:
            return []
        self._message += frame.data
        if not frame.fin:
            return []
        message = bytes(self._message)
        self._message.clear()
        return [message]

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._unsent += data
        if not self._unsent or self.closed:
            return
        try:
            sent = self.socket.send(self._unsent)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            self._end(str(error))
            return
        del self._unsent[:sent]
        if len(self._unsent) > MOST_UNSENT:
            self._end("the server reads nothing")

    def _end(self, why: str) -> None:
        self.closed = self.closed or why


def _uri(server: Server, path: str) -> WebSocketURI:
    """In parts, as it is known: parsing a URL with a token costs more than the rest of the handshake."""
    path, _, query = path.partition("?")
    return WebSocketURI(server.secure, server.host, server.port, server.prefix + path, query)


def _refused(error: Exception) -> Refused:
    if isinstance(error, InvalidStatus):
        body = error.response.body or b""
        return Refused.by_http(error.response.status_code, bytes(body).decode(errors="replace"))
    return Refused(Refusal.NONSENSE, f"no upgrade to WebSocket: {error}")
