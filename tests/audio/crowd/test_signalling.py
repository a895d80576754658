"""WebSockets with real servers on loopback: good ones, ones that refuse, and ones that talk nonsense."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from showstopper.audio.crowd import signalling
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.resolver import Server, SocketAddress
from showstopper.audio.crowd.signalling import Signalling
from tests.audio.crowd import certificates
from tests.support.waiting import until

Talk = Callable[[ServerConnection], Awaitable[None]]


async def connect(port: int, *, context: ssl.SSLContext | None = None) -> Signalling:
    server = Server(context is not None, "127.0.0.1", port, "/live")
    addresses: list[SocketAddress] = [(socket.AF_INET, ("127.0.0.1", port))]
    async with asyncio.timeout(10):
        return await Signalling.open(server, addresses, "/rtc?x=1", context)


@asynccontextmanager
async def served(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async with serve_websocket(talk, "127.0.0.1", 0, ssl=context) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@asynccontextmanager
async def raw(answer: bytes) -> AsyncIterator[int]:
    """A server that says this to whatever it is asked, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def read_until_closed(open_one: Signalling) -> list[bytes]:
    messages: list[bytes] = []
    async with asyncio.timeout(10):
        while not open_one.closed:
            messages += await open_one.first()
    return messages


async def test_messages_come_whole_and_in_order_and_ours_arrive() -> None:
    got: list[bytes | str] = []

    async def talk(server: ServerConnection) -> None:
        assert server.request is not None
        assert server.request.path == "/live/rtc?x=1"
        await server.send(b"at once")
        got.append(await server.recv())
        await server.send(iter([b"in ", b"several ", b"parts"]))
        await server.send(bytes(1_000_000))

    async with served(talk) as port:
        open_one = await connect(port)
        open_one.send(b"ours")
        messages = await read_until_closed(open_one)
        assert messages == [b"at once", b"in several parts", bytes(1_000_000)]
        assert got == [b"ours"]
        assert "closed by the server" in open_one.closed
        open_one.send(b"nobody hears it")
        open_one.close()


async def test_the_server_s_own_pings_are_answered() -> None:
    async def talk(server: ServerConnection) -> None:
        waiter = await server.ping()
        await waiter
        await server.send(b"answered")

    async with served(talk) as port:
        open_one = await connect(port)
        assert await read_until_closed(open_one) == [b"answered"]
        open_one.close()


async def test_closing_is_said_to_the_server() -> None:
    closed = asyncio.Event()

    async def talk(server: ServerConnection) -> None:
        await server.wait_closed()
        closed.set()

    async with served(talk) as port:
        open_one = await connect(port)
        open_one.close()
        async with asyncio.timeout(10):
            await closed.wait()


async def test_a_server_that_closes_is_answered() -> None:
    codes: list[int | None] = []

    async def talk(server: ServerConnection) -> None:
        await server.close()
        codes.append(server.close_code)

    async with served(talk) as port:
        open_one = await connect(port)
        assert await read_until_closed(open_one) == []
        assert "closed by the server" in open_one.closed
        open_one.close()
        await until("the server has its answer", lambda: bool(codes))
        assert codes == [CloseCode.NORMAL_CLOSURE]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Refusal.UNAUTHORIZED),
        (403, Refusal.UNAUTHORIZED),
        (404, Refusal.NOT_FOUND),
        (503, Refusal.UNAVAILABLE),
        (200, Refusal.HTTP),
        (429, Refusal.HTTP),
    ],
)
async def test_an_answer_that_is_no_upgrade_says_why(status: int, reason: Refusal) -> None:
    def refuse(server: ServerConnection, _request: Request) -> Response:
        return server.respond(HTTPStatus(status), "said the relay")

    async def talk(_server: ServerConnection) -> None:
        """Nobody gets here."""

    async with serve_websocket(talk, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(Refused, match="said the relay") as refused:
            await connect(port)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", Refusal.NONSENSE),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Refusal.NONSENSE),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", Refusal.NONSENSE),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\nno such key", Refusal.UNAUTHORIZED),
    ],
    ids=["nothing", "another protocol", "without a key", "without a length"],
)
async def test_whoever_is_no_livekit_is_refused(answer: bytes, reason: Refusal) -> None:
    async with raw(answer) as port:
        with pytest.raises(Refused) as refused:
            await connect(port)
    assert refused.value.reason is reason


async def test_nobody_there_is_an_error_of_the_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await connect(unused.getsockname()[1])
    with pytest.raises(OSError, match="no address"):
        await Signalling.open(Server(False, "nowhere", 1), [], "/rtc", None)


async def test_a_server_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "MOST_UNSENT", 1000)

    given_up = asyncio.Event()

    async def talk(server: ServerConnection) -> None:
        server.transport.pause_reading()
        await given_up.wait()
        server.transport.abort()

    async with served(talk) as port:
        open_one = await connect(port)
        for _ in range(1000):
            open_one.send(bytes(100_000))
            if open_one.closed:
                break
        assert open_one.closed == "the server reads nothing"
        open_one.close()
        given_up.set()


async def test_frames_that_no_server_may_send_close_it() -> None:
    async def talk(server: ServerConnection) -> None:
        server.transport.write(b"\xff\xff\xff\xff")
        await server.wait_closed()

    async with served(talk) as port:
        open_one = await connect(port)
        assert await read_until_closed(open_one) == []
        assert "not a WebSocket" in open_one.closed
        open_one.close()


async def test_over_tls_with_a_ca_that_is_known_and_not_without(tmp_path: Path) -> None:
    file = certificates.signed_by_itself(tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(file)

    async def talk(server: ServerConnection) -> None:
        await server.send(bytes(300_000))

    async with served(talk, theirs) as port:
        open_one = await connect(port, context=ssl.create_default_context(cafile=str(file)))
        assert await read_until_closed(open_one) == [bytes(300_000)]
        open_one.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(port, context=ssl.create_default_context())
