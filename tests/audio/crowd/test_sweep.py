"""Real sockets on loopback, read in sweeps."""

import dataclasses
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from showstopper.audio.crowd import datagram_socket
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.crowd.sweep import BURST, ROWS, SNAP, Batch, Datagram, Sweep, address
from showstopper.audio.crowd.timestamps import Reading
from tests.audio.crowd.rtp import Packet, datagram


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(datagram_socket.open_beside("127.0.0.1")) for _ in range(3)]


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind(("127.0.0.1", 0))
        yield sending


def swept(sockets: list[socket.socket]) -> Sweep:
    sweep = Sweep()
    for slot, each in enumerate(sockets):
        sweep.add(slot, each.fileno())
    return sweep


def send(sender: socket.socket, to: socket.socket, count: int, *, first: int = 0, payload: int = 80) -> None:
    for number in range(count):
        sender.sendto(datagram(Packet(0, (first + number) & 0xFFFF, 9, payload, 0.0)), to.getsockname())


def read(sweep: Sweep) -> tuple[Ledger, list[Batch]]:
    ledger, batches = Ledger(3), []
    for batch in sweep.read():
        ledger.take(batch.packets)
        batches.append(batch)
    return ledger, batches


def test_everything_that_waits_is_read_with_the_time_at_which_it_came(
    sockets: list[socket.socket], sender: socket.socket
) -> None:
    sweep = swept(sockets)
    before = time.monotonic()
    send(sender, sockets[0], 3)
    send(sender, sockets[2], 100)
    after = time.monotonic()
    time.sleep(0.05)  # a sweep that comes late changes nothing
    ledger, _ = read(sweep)
    assert ledger.received.tolist() == [3, 0, 100]
    assert ledger.lost.tolist() == [0, 0, 0]
    assert before - 0.002 <= ledger.first_at[0] <= ledger.last_at[2] <= after + 0.002
    assert list(sweep.read()) == []


def test_more_than_there_is_room_for_comes_in_several_batches(sender: socket.socket) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(datagram_socket.open_beside("127.0.0.1")) for _ in range(200)]
        sweep = swept(many)
        for each in many:
            send(sender, each, 100, payload=10)
        batches = list(sweep.read())
    assert len(batches) == 2
    assert sum(len(batch.packets) for batch in batches) == 200 * 100 > ROWS
    assert BURST < 100, "a socket is read more than once"


def test_stun_and_dtls_are_handed_over_with_their_sender_and_cut_off(
    sockets: list[socket.socket], sender: socket.socket
) -> None:
    sweep = swept(sockets)
    sender.sendto(b"\x00\x01stun", sockets[1].getsockname())
    sender.sendto(b"\x16" + bytes(400), sockets[1].getsockname())
    (batch,) = sweep.read()
    at = sender.getsockname()
    assert batch.datagrams == [Datagram(1, b"\x00\x01stun", at), Datagram(1, b"\x16" + bytes(SNAP - 1), at)]
    assert len(batch.packets) == 0
    assert batch.slots.tolist() == [1]


def test_long_packets_are_counted_whole(sockets: list[socket.socket], sender: socket.socket) -> None:
    send(sender, sockets[0], 1, payload=1200)
    (batch,) = swept(sockets).read()
    assert batch.packets.payload_bytes.tolist() == [1200]


def test_what_a_full_buffer_dropped_is_said_to_be_our_own_loss(
    sockets: list[socket.socket], sender: socket.socket
) -> None:
    sweep = swept(sockets)
    send(sender, sockets[0], 400)
    ledger, _ = read(sweep)
    send(sender, sockets[0], 1, first=400)
    more, _ = read(sweep)
    received = ledger.received[0] + more.received[0]
    assert received < 401
    assert sweep.drops == 401 - received
    sweep.remove(0)
    assert sweep.drops == 401 - received, "what a socket dropped stays"


def test_a_step_of_the_clock_that_is_seen_while_one_is_read_is_counted_for_all(
    sockets: list[socket.socket], sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = swept(sockets)
    before = time.monotonic()
    send(sender, sockets[0], 1)
    send(sender, sockets[2], 1)
    real = Reading.now()
    stepped = dataclasses.replace(real, wall=real.wall + 60 * 10**9)
    monkeypatch.setattr(Reading, "now", lambda: stepped)
    (first,) = sweep.read(0)
    assert sweep.steps == 0
    (rest,) = sweep.read()
    assert sweep.steps == 1
    assert first.packets.at[0] == pytest.approx(before, abs=1.0)
    assert rest.packets.at[0] == pytest.approx(before, abs=1.0)


def test_a_socket_that_was_let_go_is_not_read(sockets: list[socket.socket], sender: socket.socket) -> None:
    sweep = swept(sockets)
    sweep.remove(0)
    send(sender, sockets[0], 5)
    assert list(sweep.read()) == []


def test_a_relay_whose_port_is_gone_is_noticed(sockets: list[socket.socket], sender: socket.socket) -> None:
    sweep = swept(sockets)
    sockets[0].connect(sender.getsockname())
    sender.close()
    sockets[0].send(b"anybody?")
    assert list(sweep.read()) == []
    assert sum(sweep.refused.values()) == 1


def test_a_socket_that_hears_everybody_again(sockets: list[socket.socket], sender: socket.socket) -> None:
    sweep = swept(sockets)
    sockets[0].connect(("127.0.0.1", 9))
    send(sender, sockets[0], 1)
    assert list(sweep.read()) == []
    datagram_socket.hear_everybody(sockets[0])
    send(sender, sockets[0], 1)
    assert len(next(sweep.read()).packets) == 1


def test_over_ipv6() -> None:
    with datagram_socket.open_beside("::1") as ours, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("::1", 0))
        port = theirs.getsockname()[1]
        sweep = swept([ours])
        theirs.sendto(b"\x00\x01", ours.getsockname())
        (batch,) = sweep.read()
    assert batch.datagrams[0].sender == ("::1", port)


def test_addresses_of_both_families() -> None:
    assert address(b"\x02\x00\x1e\xca\x0a\x00\x03\x07" + bytes(24)) == ("10.0.3.7", 7882)
    name = b"\x0a\x00\x1e\xca" + bytes(4) + bytes.fromhex("fd000000000000000000000000000005") + bytes(8)
    assert address(name) == ("fd00::5", 7882)
