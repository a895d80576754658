"""The gate of a task, as its program sees it: shut until somebody inside its network says that it is up.

The node's agent sets up what lets packets pass to the task's targets, and to nobody else. Then it sends a datagram to
the program's loopback, which only somebody in this very network namespace can do. Its content does not matter.
"""

from __future__ import annotations

import socket

from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import REST_SECONDS, AbsoluteEnd, EndReason, Stop

LOOPBACK = "127.0.0.1"


def wait(port: int, end: AbsoluteEnd, stop: Stop, clocks: Clocks) -> EndReason | None:
    """Wait for the gate. Returns None when it is up, else why there is no use in waiting any longer.

    Args:
        port: of the loopback.
        end: the task's absolute end is the end of waiting, too.
        stop: whether somebody said stop.
        clocks: to know when that is.

    Raises:
        OSError: the port cannot be had.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((LOOPBACK, port))
        ear.settimeout(REST_SECONDS)
        while not stop.asked:
            if end.past(clocks.monotonic(), clocks.wall()):
                return EndReason.NO_GATE
            try:
                ear.recv(1)
            except TimeoutError:
                continue
            return None
    return EndReason.TERMINATED
