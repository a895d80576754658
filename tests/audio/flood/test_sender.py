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


def to(*receivers: socket.socket, sources: int = 1, shape: Shape = Shape.RTP) -> Sender:
    targets = [Endpoint(*receiver.getsockname()) for receiver in receivers]
    return Sender(targets, sources=sources, batches=shapes.of(shape, SIZE, Random(1)), random=Random(2))


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
