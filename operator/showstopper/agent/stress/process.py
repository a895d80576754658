"""The process of a stressor: does what it is ordered under a container's limits, for as long as its lease is renewed.

    python -m showstopper.agent.stress.process ORDER

Nobody is needed to end it. The kernel's own timer ends it when the lease is over. It ends when its input is closed, as
it is when the agent dies, and when the container has ended. Its children are killed with it. It is outside of the
cgroups of the container, so that nothing there holds up its end, and loads next to nothing.
"""

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from showstopper.agent.kernel.guests import GuestCgroups, inhabited
from showstopper.agent.kernel.memory import Memory
from showstopper.agent.stress.busy import Busy
from showstopper.agent.stress.children import enter_node
from showstopper.agent.stress.order import Order, StressEnded
from showstopper.agent.stress.taking import TakenMemory

LEAST_SECONDS = 0.001
"""A timer of zero, to which microseconds may be cut, is none."""


def run(order: Order) -> None:
    """Do it, and report: a line of JSON when it has begun, and whenever its figures have changed.

    Raises:
        StressEnded: it cannot go on.
        OSError: the container's cgroup went, or nobody may be moved there.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    _expire(order.until)
    enter_node()
    load, container = _load(order), Path(order.container)
    load.begin()
    said: Any = None
    while inhabited(container):
        load.tend()
        if (figures := load.figures) != said:
            said = figures
            _say(figures=figures)
        if load.is_over:
            return
        readable, _, _ = select.select([0], [], [], load.tick)
        if readable:
            renewals = os.read(0, 4096).split()
            if not renewals:
                return
            _expire(float(renewals[-1]))
    _say(figures=load.figures)


def _load(order: Order) -> Busy | TakenMemory:
    guests = GuestCgroups(order.guests)
    if order.workers:
        return Busy(guests, order.workers, order.share)
    return TakenMemory(guests, Memory(Path(order.container)), order.size, order.goal)


def _expire(until: float) -> None:
    """Have the kernel end this process then: SIGALRM does, where nothing handles it."""
    left = until - time.monotonic()
    if left <= 0:
        raise StressEnded("its lease has run out")
    signal.setitimer(signal.ITIMER_REAL, max(left, LEAST_SECONDS))


def _say(**words: Any) -> None:
    with suppress(BlockingIOError, BrokenPipeError):  # an agent that hangs reads nothing, and one that died never will
        os.write(1, (json.dumps(words) + "\n").encode())


if __name__ == "__main__":
    os.set_blocking(1, False)
    try:
        run(Order.load(sys.argv[1]))
    except (StressEnded, OSError) as error:
        _say(problem=str(error))
