"""Queues: how long packets wait, and which of them may go."""

import random
import socket
import statistics
import struct
import time
from datetime import timedelta

import pytest

from showstopper.agent.kernel.queueing import Engine, HeldPackets, sampler
from showstopper.agent.network.bursts import pause
from showstopper.api.faults.network import Direction, Distribution
from showstopper.faults.network.plan import Bursts, Queue, Slowdown

BATCH, SINGLE = 0x303, 0x301


def packet(number: int) -> bytes:
    """A packet as the kernel announces it: headers, and the attribute with its number."""
    return struct.pack("=IHHII", 32, 0x300, 0, 0, 0) + bytes(4) + struct.pack("=HH", 11, 1) + struct.pack(">I", number)


class Kernel:
    """The kernel's end of a queue."""

    def __init__(self, slowdown: Slowdown) -> None:
        ours, self._end = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        self._end.setblocking(False)
        self.held = HeldPackets(Queue(7, Direction.EGRESS, slowdown), ours, sampler(slowdown, random.Random(1)))

    def send(self, number: int) -> None:
        self._end.send(packet(number))

    def hang_up(self) -> None:
        """Say that there is a packet, and be gone before its verdict."""
        self.send(1)
        self._end.close()

    def announce(self, *numbers: int, at: float) -> None:
        for number in numbers:
            self.send(number)
        self.held.take(at)

    def verdicts(self) -> list[tuple[int, int]]:
        """(kind, number) of every verdict since the last question."""
        kinds_and_numbers: list[tuple[int, int]] = []
        while True:
            try:
                data = self._end.recv(1 << 16)
            except BlockingIOError:
                return kinds_and_numbers
            while data:
                length, kind = struct.unpack_from("=IH", data)
                kinds_and_numbers.append((kind, struct.unpack_from(">I", data, 28)[0]))
                data = data[length:]


def test_a_burst_goes_by_its_last_number() -> None:
    kernel = Kernel(Slowdown(timedelta(milliseconds=100)))
    kernel.announce(1, 2, 3, at=10.0)
    kernel.announce(4, at=10.05)
    assert kernel.held.next() == pytest.approx(10.1)
    kernel.held.let_go(10.09)
    assert kernel.verdicts() == []
    kernel.held.let_go(10.11)
    assert kernel.verdicts() == [(BATCH, 3)]
    assert (kernel.held.passed, kernel.held.counted) == (3, 4)
    kernel.held.let_go(float("inf"))
    assert kernel.verdicts() == [(BATCH, 4)]
    assert kernel.held.next() == float("inf")


def test_with_jitter_each_packet_goes_when_it_is_due() -> None:
    kernel = Kernel(Slowdown(timedelta(milliseconds=100), timedelta(milliseconds=50)))
    kernel.announce(*range(1, 51), at=10.0)
    kernel.held.let_go(10.1)
    first = kernel.verdicts()
    kernel.held.let_go(10.15)
    second = kernel.verdicts()
    assert {kind for kind, _ in first + second} == {SINGLE}
    assert sorted(number for _, number in first + second) == list(range(1, 51))
    assert 10 <= len(first) <= 40
    assert kernel.held.counted == kernel.held.passed == 50


def test_what_is_no_packet_is_passed_over() -> None:
    kernel = Kernel(Slowdown(timedelta(milliseconds=1)))
    kernel._end.send(struct.pack("=IHHIIi", 20, 2, 0, 0, 0, -2) + bytes(16))
    kernel.announce(5, at=1.0)
    assert kernel.held.counted == 1


@pytest.mark.parametrize("distribution", list(Distribution))
def test_waits_are_distributed_as_asked(distribution: Distribution) -> None:
    slowdown = Slowdown(timedelta(milliseconds=100), timedelta(milliseconds=20), distribution)
    wait = sampler(slowdown, random.Random(2))
    assert wait
    waits = [wait() for _ in range(50_000)]
    deviation = 0.02 / 3**0.5 if distribution is Distribution.UNIFORM else 0.02
    assert statistics.fmean(waits) == pytest.approx(0.1, abs=0.001)
    assert statistics.pstdev(waits) == pytest.approx(deviation, rel=0.25)
    assert min(waits) >= 0


class LastDice(random.Random):
    """Dice that fall as far out as they can."""

    def random(self) -> float:
        return 1 - 2**-53


@pytest.mark.parametrize("distribution", list(Distribution))
def test_no_packet_waits_for_ever(distribution: Distribution) -> None:
    wait = sampler(Slowdown(timedelta(milliseconds=100), timedelta(milliseconds=20), distribution), LastDice())
    assert wait
    assert wait() <= 0.1 + 4 * 0.02


def test_bursts_take_their_share_of_the_time() -> None:
    bursts = Bursts(timedelta(milliseconds=60), 0.2)
    dice = random.Random(3)
    pauses = [pause(bursts, dice) for _ in range(10_000)]
    assert 0.06 / (0.06 + statistics.fmean(pauses)) == pytest.approx(0.2, abs=0.005)
    assert min(pauses) >= 0.12


def test_a_queue_that_fails_is_given_back() -> None:
    """Or its packets would wait for a thread that has ended, for as long as the lease is renewed."""
    engine = Engine(seed=1)
    kernel = Kernel(Slowdown(timedelta(milliseconds=1)))
    healthy = Kernel(Slowdown(timedelta(milliseconds=1)))
    engine.hold(kernel.held.queue, kernel.held.socket)
    engine.hold(healthy.held.queue, healthy.held.socket)
    kernel.hang_up()
    deadline = time.monotonic() + 10
    while kernel.held.socket.fileno() >= 0:
        assert time.monotonic() < deadline, "the socket is still open"
        time.sleep(0.01)
    healthy.send(5)
    while not (verdicts := healthy.verdicts()):
        assert time.monotonic() < deadline, "the other queue is served no more"
        time.sleep(0.01)
    assert verdicts == [(BATCH, 5)]
    engine.close()
