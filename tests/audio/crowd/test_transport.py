"""The transport against a relay that is played, on real sockets: its checks, its handshake, and what gets lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from showstopper.audio.crowd import stun
from showstopper.audio.crowd.dtls import HandshakeFailed, Identity
from showstopper.audio.crowd.ice import Credentials
from showstopper.audio.crowd.transport import Transport
from tests.audio.crowd.dtls_server import FINGERPRINT, DtlsServer

OURS = Identity()
PEER = Credentials("theirs", "their-password")
PATIENCE_SECONDS = 10.0


class Relay:
    """One port of a relay that controls: it checks, nominates what answers, and is the server of the handshake."""

    def __init__(self, stack: ExitStack) -> None:
        self.socket = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.dtls = DtlsServer()
        self.kinds: list[int] = []
        self.deaf = False

    def check(self, transport: Transport, *, nominate: bool = True) -> None:
        own = transport.agent.own
        check = stun.request(f"{own.ufrag}:theirs", own.password.encode(), 1, controlling=nominate)
        self.socket.sendto(check, transport.address)

    def serve(self) -> None:
        """Answer what has come, unless it is deaf."""
        with suppress(BlockingIOError):
            while True:
                data, sender = self.socket.recvfrom(2048)
                if not self.deaf:
                    self._take(data, sender)

    def _take(self, data: bytes, sender: stun.Address) -> None:
        self.kinds.append(data[0])
        for datagram in self.dtls.take(data):
            self.socket.sendto(datagram, sender)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def transport(stack: ExitStack) -> Transport:
    made = Transport("127.0.0.1", OURS)
    stack.callback(made.close)
    made.peer_fingerprint = FINGERPRINT
    made.agent.describe(PEER, lite=False)
    return made


def until(holds: Callable[[], bool], step: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        step()
        time.sleep(0.005)


def test_the_relay_s_nomination_and_a_handshake_make_it_ready(stack: ExitStack, transport: Transport) -> None:
    relay = Relay(stack)

    def step() -> None:
        relay.serve()
        transport.receive()

    relay.check(transport)
    until(lambda: transport.ready, step)
    assert transport.connected
    assert transport.agent.selected == relay.socket.getsockname()


def test_a_check_that_nominates_nothing_is_answered_twice_and_begins_no_handshake(
    stack: ExitStack, transport: Transport
) -> None:
    relay = Relay(stack)
    relay.check(transport, nominate=False)
    transport.receive()
    relay.serve()
    assert relay.kinds == [1, 0], "the answer, and a check of ours"
    assert not transport.connected


def test_what_was_lost_of_a_handshake_is_sent_again(stack: ExitStack, transport: Transport) -> None:
    relay = Relay(stack)
    relay.check(transport)
    transport.receive()
    relay.deaf = True
    relay.serve()
    relay.deaf = False

    def step() -> None:
        transport.insist()
        relay.serve()
        transport.receive()

    until(lambda: transport.ready, step)


def test_before_a_pair_is_nominated_the_relay_s_candidates_are_checked_again(
    stack: ExitStack, transport: Transport
) -> None:
    """It opens the way through a NAT of ours, where the relay's own checks do not come in."""
    relay = Relay(stack)
    transport.agent.add(relay.socket.getsockname())
    transport.insist()
    relay.serve()
    assert relay.kinds == [0]


def test_after_a_restart_another_port_is_heard_and_the_handshake_lives_on(
    stack: ExitStack, transport: Transport
) -> None:
    first, second = Relay(stack), Relay(stack)

    def step() -> None:
        first.serve()
        transport.receive()

    first.check(transport)
    until(lambda: transport.ready, step)
    second.check(transport)
    time.sleep(0.01)
    with pytest.raises(BlockingIOError):
        transport.socket.recv(2048)  # connected: nobody else is heard

    transport.agent.describe(Credentials("new", "new-password"), lite=False)
    transport.restarted()
    second.check(transport)
    data, sender = transport.socket.recvfrom(2048)
    transport.take(data, sender)
    assert transport.ready
    assert transport.connected
    assert transport.agent.selected == second.socket.getsockname()
    transport.consent()
    second.serve()
    assert second.kinds == [1, 0]


def test_a_relay_with_another_certificate_fails_the_handshake(stack: ExitStack, transport: Transport) -> None:
    relay = Relay(stack)
    transport.peer_fingerprint = f"sha-256 {OURS.fingerprint}"

    def step() -> None:
        relay.serve()
        transport.receive()

    relay.check(transport)
    with pytest.raises(HandshakeFailed):
        until(lambda: transport.ready, step)
    assert not transport.ready


def test_datagrams_of_nobody_change_nothing(transport: Transport) -> None:
    for data in (b"", b"\x00", b"\x16" + bytes(30), b"\x80" + bytes(30), b"\xff"):
        transport.take(data, ("192.0.2.1", 7882))
    assert not transport.connected
