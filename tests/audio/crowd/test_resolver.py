import asyncio
import socket

import pytest

from showstopper.audio.crowd.resolver import Resolver, Server, SocketAddress
from showstopper.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("ws://relay:7880", Server(False, "relay", 7880)),
        ("http://relay", Server(False, "relay", 80)),
        ("wss://rooms.example/live/", Server(True, "rooms.example", 443, "/live")),
        ("ws://[fd00::5]:7880", Server(False, "fd00::5", 7880)),
    ],
)
def test_where_the_signalling_is(url: str, server: Server) -> None:
    assert Server.read(url) == server


@pytest.mark.parametrize("url", ["", "relay:7880", "ftp://relay", "ws://", "ws://relay:port", "ws://[fd00"])
def test_what_is_no_address_of_a_room_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of a room"):
        Server.read(url)


@pytest.mark.parametrize("url", ["wss://rooms.example:443/live", "ws://[fd00::5]:7880"])
def test_it_is_said_as_a_url(url: str) -> None:
    assert str(Server.read(url)) == url


async def test_who_asks_while_the_question_is_open_gets_its_answer_and_nothing_is_kept() -> None:
    resolver = Resolver(Server(False, "localhost", 7880))
    first, second = await asyncio.gather(resolver.addresses(), resolver.addresses())
    assert first is second
    assert (socket.AF_INET, ("127.0.0.1", 7880)) in first
    assert await resolver.addresses() is not first


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", (socket.AF_INET, ("127.0.0.1", 7880))), ("::1", (socket.AF_INET6, ("::1", 7880, 0, 0)))],
)
async def test_an_address_costs_neither_a_question_nor_a_thread(host: str, address: SocketAddress) -> None:
    asking = Resolver(Server(False, host, 7880)).addresses()
    with pytest.raises(StopIteration) as answered:  # at once: nothing was waited for
        asking.send(None)
    assert answered.value.value == [address]


async def test_a_name_that_nobody_can_have_is_an_error_for_all_who_asked() -> None:
    resolver = Resolver(Server(False, "x" * 64, 7880))
    answers = await asyncio.gather(resolver.addresses(), resolver.addresses(), return_exceptions=True)
    assert [isinstance(answer, OSError) for answer in answers] == [True, True]
