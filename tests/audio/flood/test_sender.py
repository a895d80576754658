"""The sender, through real sockets on loopback."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

from showstopper.api.schema.shapes import Shape
from showstopper.audio.flood import sender as senders
from showstopper.audio.flood import shapes
from showstopper.audio.flood.sender import Sender
from showstopper.faults.endpoint import Endpoint

SIZE = 172
Listen = Callable[[], socket.socket]


@pytest.fixture
def listen() -> Iterator[Listen]:
    with ExitStack() as opened:

        def bound_socket() -> socket.socket:
            udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind(("127.0.0.1", 0))
            udp.settimeout(5)
            return udp

        yield bound_socket


def to(*receivers: socket.socket, sources: int = 1, shape: Shape = Shape.RTP, packets: int | None = None) -> Sender:
    targets = [Endpoint(*receiver.getsockname()) for receiver in receivers]
    batches = shapes.of(shape, SIZE, Random(1))
    return Sender(targets, sources=sources, batches=batches, random=Random(2), packets=packets)


def waiting(receiver: socket.socket) -> int:
    """How many packets a receiver has got."""
    receiver.setblocking(False)
    number = 0
    while True:
        try:
            receiver.recv(2000)
        except BlockingIOError:
            return number
        number += 1


def sequence(packet: bytes) -> int:
    return int.from_bytes(packet[2:4], "big")


@pytest.mark.parametrize("segmented", [True, False])
def test_a_batch_arrives_as_datagrams_in_order(
    segmented: bool, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not segmented:
        monkeypatch.setattr(senders, "UDP_SEGMENT", 9999)  # what a kernel before 4.18 says of the option
    receiver = listen()
    with to(receiver) as sender:
        assert sender.segmented is segmented
        assert [sender.send(count) for count in (64, 1, 30)] == [64, 1, 30]
    packets = [receiver.recv(2000) for _ in range(95)]
    assert [sequence(packet) for packet in packets] == list(range(95))
    assert {len(packet) for packet in packets} == {SIZE}


def test_targets_and_source_ports_take_turns(listen: Listen) -> None:
    first, second = listen(), listen()
    with to(first, second, sources=3) as sender:
        for _ in range(12):
            sender.send(1)
    came = {receiver: [receiver.recvfrom(2000) for _ in range(6)] for receiver in (first, second)}
    for packets in came.values():
        assert len({source for _, source in packets}) == 3
        assert sorted(sequence(packet) for packet, _ in packets) == [0, 0, 0, 1, 1, 1]
        assert len({packet[8:12] for packet, _ in packets}) == 3


def test_every_target_gets_its_part_whatever_the_sizes_of_batches_are(listen: Listen) -> None:
    """At 35,000 packets a second what is due every 2 ms is a full batch, and then a small one."""
    first, second = listen(), listen()
    with to(first, second) as sender:
        for _ in range(2):
            assert [sender.send(64), sender.send(6)] == [64, 6]
    assert (waiting(first), waiting(second)) == (70, 70)


def test_a_flood_of_few_packets_reaches_every_target(listen: Listen) -> None:
    receivers = [listen() for _ in range(3)]
    with to(*receivers, packets=100) as sender:
        assert sender.most == 33
        for count in (33, 33, 33, 1):
            sender.send(count)
    assert sorted(map(waiting, receivers)) == [33, 33, 34]


def test_a_source_port_is_the_same_for_every_target(listen: Listen) -> None:
    first, second = listen(), listen()
    with to(first, second) as sender:
        sender.send(1)
        sender.send(1)
    assert first.recvfrom(2000)[1] == second.recvfrom(2000)[1]


def test_a_target_that_does_not_answer_any_more_is_no_error(listen: Listen) -> None:
    """A connected socket would get ECONNREFUSED from the second packet on."""
    receiver = listen()
    with to(receiver) as sender:
        receiver.close()
        assert [sender.send(5) for _ in range(5)] == [5] * 5


def test_a_path_that_cannot_segment_gets_datagrams_one_by_one(listen: Listen) -> None:
    receiver = listen()
    with to(receiver) as sender:
        sender._not_segmented()
        assert sender.send(10) == 10
        assert not sender.segmented
    assert [sequence(receiver.recv(2000)) for _ in range(10)] == list(range(10))


def test_what_is_refused_is_an_error_and_the_next_target_has_its_turn(listen: Listen) -> None:
    receiver = listen()
    targets = [Endpoint("255.255.255.255", 9), Endpoint(*receiver.getsockname())]
    with Sender(targets, sources=1, batches=shapes.of(Shape.RANDOM, SIZE, Random(1)), random=Random(2)) as sender:
        with pytest.raises(PermissionError):  # nobody said that it may broadcast
            sender.send(3)
        assert sender.send(3) == 3
    assert len(receiver.recv(2000)) == SIZE
