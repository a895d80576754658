"""The gate, on loopback: what is waited for, and what ends the waiting."""

import socket
import threading
import time

import pytest

from showstopper.audio.task import gate
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import AbsoluteEnd, EndReason, Stop

CLOCKS = Clocks()


def ending(seconds: float) -> AbsoluteEnd:
    return AbsoluteEnd.at(time.time() + seconds, monotonic=time.monotonic(), wall=time.time())


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((gate.LOOPBACK, 0))
        return int(udp.getsockname()[1])


def test_a_datagram_says_that_it_is_up(port: int) -> None:
    up = threading.Event()

    def say() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
            while not up.wait(0.01):  # as the agent says it, until packets pass
                voice.sendto(b"up", (gate.LOOPBACK, port))

    agent = threading.Thread(target=say)
    agent.start()
    try:
        assert gate.wait(port, ending(30), Stop(), CLOCKS) is None
    finally:
        up.set()
        agent.join()


def test_it_is_waited_for_until_the_absolute_end(port: int) -> None:
    assert gate.wait(port, ending(0.1), Stop(), CLOCKS) is EndReason.NO_GATE


def test_a_stop_ends_the_waiting(port: int) -> None:
    assert gate.wait(port, ending(30), Stop(asked=True), CLOCKS) is EndReason.TERMINATED


def test_a_port_that_somebody_else_has_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((gate.LOOPBACK, 0))
        with pytest.raises(OSError, match="in use"):
            gate.wait(udp.getsockname()[1], ending(30), Stop(), CLOCKS)
