"""What a session answers, and why it has no media, over real sockets to nobody in particular."""

import errno
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from livekit.protocol import rtc
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from showstopper.audio.crowd import candidates
from showstopper.audio.crowd.dtls import Identity
from showstopper.audio.crowd.negotiation import UnreadableMessage
from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.session import Session
from showstopper.audio.crowd.signalling import Signalling
from tests.audio.crowd import offers
from tests.audio.crowd.played_server import response

IDENTITY = Identity()


@pytest.fixture
def signalling() -> Iterator[Signalling]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = Signalling(socket.create_connection(server.getsockname()), ClientProtocol(parse_uri("ws://relay")))
        yield opened
        opened.close()


@pytest.fixture
def session(signalling: Signalling) -> Iterator[Session]:
    opened = Session(signalling, IDENTITY)
    yield opened
    opened.close()


def offer(text: str) -> bytes:
    return response(offer=rtc.SessionDescription(type="offer", sdp=text, id=1))


def test_why_there_is_no_media_is_said_by_the_step_that_was_not_reached(session: Session) -> None:
    assert "offered no media" in str(session.obstacle("relay"))
    session.hear(offer(offers.offer()))
    assert session.obstacle("relay").reason is Refusal.NO_UDP
    init = candidates.trickle(("127.0.0.1", 9), "0")
    session.hear(response(trickle=rtc.TrickleRequest(candidateInit=init, target=rtc.SignalTarget.SUBSCRIBER)))
    assert "without a nominated pair" in str(session.obstacle("relay"))


def test_only_an_offer_with_other_credentials_begins_ice_afresh(session: Session) -> None:
    first = offers.offer()
    assert not session.hear(offer(first))
    assert not session.hear(offer(first))
    assert session.hear(offer(first.replace("a=ice-ufrag:", "a=ice-ufrag:other")))


def test_nonsense_is_told(session: Session) -> None:
    with pytest.raises(UnreadableMessage):
        session.hear(offer("v=0"))


def test_without_a_socket_for_media_the_signalling_is_closed(signalling: Signalling) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    held = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1, before[1]))
        with suppress(OSError):
            while True:  # whatever numbers are free below the limit
                held.append(socket.socket())
        with pytest.raises(OSError, match="Too many open files") as error:
            Session(signalling, IDENTITY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for each in held:
            each.close()
    assert error.value.errno == errno.EMFILE
    assert signalling.socket.fileno() == -1


def test_what_is_closed_has_no_descriptors(session: Session) -> None:
    assert len(list(session.descriptors)) == 2
    session.close()
    assert list(session.descriptors) == []
