"""Queues of packets held back: the kernel keeps the packets, we keep their numbers and say when each may go."""

import errno
import heapq
import os
import random
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from showstopper.agent.kernel import nfnetlink
from showstopper.agent.kernel.nfnetlink import attribute, message
from showstopper.api.faults.network import Distribution
from showstopper.errors import KernelRefused
from showstopper.faults.network.plan import Queue, Slowdown

log = structlog.get_logger()

# Packets that wait: 500,000 packets/s for a second, or 100,000 for five. The kernel's default is 1,024.
_LONGEST = 1 << 19
_RECEIVE_BUFFER = 64 << 20
_SO_RCVBUFFORCE = 33
_SOL_NETLINK, _NO_ENOBUFS = 270, 5
_PACKET, _VERDICT, _CONFIGURE, _BATCH = 0x300, 0x301, 0x302, 0x303
_ACCEPT = 1
_FAIL_OPEN = 1
_FURTHEST = 4.0
"""So many jitters above the delay netem's tables end: at 32,767, of which 8,192 are one jitter. Pareto's tail has no
end: one packet of a million would wait a hundred times as long as the others, and be called lost."""
_AT_ONCE = 1000
"""Verdicts in one send, and packets taken in one turn."""

_read_kind = struct.Struct("=H").unpack_from
_read_number = struct.Struct(">I").unpack_from


def sampler(slowdown: Slowdown, dice: random.Random) -> Callable[[], float] | None:
    """How long each packet waits, in seconds and never below zero. None: all of them equally long.

    Normal and Pareto are those of netem's tables: the jitter is the standard deviation, of Pareto (shape 3, less its
    mean of 1.5, times 4/3: iproute2, netem/pareto.c) it is nearly that.
    """
    delay, jitter = slowdown.delay.total_seconds(), slowdown.jitter.total_seconds()
    if not jitter:
        return None
    match slowdown.distribution:
        case Distribution.UNIFORM:
            return lambda: delay + jitter * (2 * dice.random() - 1)
        case Distribution.NORMAL:
            return lambda: max(0.0, delay + jitter * min(dice.gauss(0.0, 1.0), _FURTHEST))
        case Distribution.PARETO:
            return lambda: max(0.0, delay + jitter * min((dice.paretovariate(3) - 1.5) * 4 / 3, _FURTHEST))


def bind(number: int) -> socket.socket:
    """A socket that gets the packets of a queue, as metadata only, in the calling thread's namespace.

    Raises:
        KernelRefused: when the queue is somebody else's, or the kernel has none.
    """
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, nfnetlink.NETFILTER)
    try:
        opened.bind((0, 0))
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        opened.setsockopt(_SOL_NETLINK, _NO_ENOBUFS, 1)
        opened.settimeout(5)
        for wish in (
            attribute(1, struct.pack(">BBH", 1, 0, 0)),  # bind
            attribute(2, struct.pack(">IB", 0, 1)),  # metadata only: the packet itself stays in the kernel
            attribute(3, struct.pack(">I", _LONGEST)),
            attribute(4, struct.pack(">I", _FAIL_OPEN)) + attribute(5, struct.pack(">I", _FAIL_OPEN)),
        ):
            opened.send(message(_CONFIGURE, nfnetlink.WITH_ACK, wish, resource=number))
            nfnetlink.check(opened.recv(4096), f"queue {number}")
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


@dataclass(slots=True)
class HeldPackets:
    """The packets of one queue that wait. Packet numbers grow, so the last number of a burst stands for all of it."""

    queue: Queue
    socket: socket.socket
    wait: Callable[[], float] | None
    passed: int = 0
    problem: str = ""
    row: deque[tuple[float, int, int]] = field(default_factory=deque)
    heap: list[tuple[float, int]] = field(default_factory=list)

    @property
    def counted(self) -> int:
        """Packets that were or are held back."""
        return self.passed + sum(count for _, _, count in self.row) + len(self.heap)

    def take(self, now: float) -> None:
        """Note the packets that the kernel has for us, for a moment at most, since others wait too."""
        last = count = 0
        for _ in range(_AT_ONCE):
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    continue
                raise
            if _read_kind(data, 4)[0] != _PACKET:
                continue
            last, count = _read_number(data, 24)[0], count + 1
            if self.wait is not None:
                heapq.heappush(self.heap, (now + self.wait(), last))
        if count and self.wait is None:
            self.row.append((now + self.queue.slowdown.delay.total_seconds(), last, count))

    def let_go(self, now: float) -> None:
        """Let every packet go whose time has come."""
        last = None
        while self.row and self.row[0][0] <= now:
            _, last, count = self.row.popleft()
            self.passed += count
        if last is not None:
            self._send(message(_BATCH, nfnetlink.REQUEST, _verdict(last), resource=self.queue.number))
        due = []
        while self.heap and self.heap[0][0] <= now:
            packet = heapq.heappop(self.heap)[1]
            due.append(message(_VERDICT, nfnetlink.REQUEST, _verdict(packet), resource=self.queue.number))
        self.passed += len(due)
        for first in range(0, len(due), _AT_ONCE):
            self._send(b"".join(due[first : first + _AT_ONCE]))

    def next(self) -> float:
        """When the next packet may go. Infinite: none waits."""
        if self.row:
            return self.row[0][0]
        return self.heap[0][0] if self.heap else float("inf")

    def _send(self, data: bytes) -> None:
        # A verdict on a packet that is gone (its device was removed) is an answer that nobody waits for.
        self.socket.send(data)


def _verdict(packet: int) -> bytes:
    return attribute(2, struct.pack(">II", _ACCEPT, packet))


class Engine:
    """One thread that serves the queues of all targets on a node."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = random.Random(seed)  # noqa: S311
        self._held: dict[socket.socket, HeldPackets] = {}
        self._lock = threading.Condition()
        self._turns = 0
        self._bell = os.eventfd(0)
        self._stop = False
        self._thread = threading.Thread(target=self._serve, name="queues", daemon=True)
        self._thread.start()

    def hold(self, queue: Queue, opened: socket.socket) -> HeldPackets:
        """Hold a queue's packets back from now on.

        Raises:
            KernelRefused: when this process has too many files open.
        """
        if opened.fileno() >= 1024:  # FD_SETSIZE; epoll and poll know whole milliseconds only
            raise KernelRefused(f"queue {queue.number}: too many open files in the agent for another queue")
        held = HeldPackets(queue, opened, sampler(queue.slowdown, self._dice))
        with self._lock:
            self._held[opened] = held
        os.eventfd_write(self._bell, 1)
        return held

    def release(self, held: HeldPackets) -> None:
        """Let all packets of a queue go at once, and give the queue back."""
        with self._lock:
            if self._held.pop(held.socket, None) is None:  # given up before
                return
            held.take(time.monotonic())
            held.let_go(float("inf"))
            # A socket that a thread waits on is only closed when that thread has left select.
            turn = self._turns
            os.eventfd_write(self._bell, 1)
            self._lock.wait_for(lambda: self._turns > turn or not self._thread.is_alive(), timeout=1)
        held.socket.close()

    def close(self) -> None:
        """End the thread. The kernel lets packets pass queues that nobody serves, and drops those that wait."""
        self._stop = True
        os.eventfd_write(self._bell, 1)
        self._thread.join()

    def _serve(self) -> None:
        # A busy node must not add to the delay. Without CAP_SYS_NICE it does: the fault itself is the same.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        while not self._stop:
            with self._lock:
                self._turns += 1
                self._lock.notify_all()
                now = time.monotonic()
                for held in list(self._held.values()):
                    self._or_give_up(held, held.let_go, now)
                due = min((held.next() for held in self._held.values()), default=float("inf"))
                sockets: list[int | socket.socket] = [self._bell, *self._held]
            wait = min(max(0.0, due - time.monotonic()), 1.0)
            try:
                ready = select.select(sockets, [], [], wait)[0]
            except (OSError, ValueError):  # a queue was given back meanwhile: its descriptor is closed
                continue
            if self._bell in ready:
                os.eventfd_read(self._bell)
            with self._lock:
                now = time.monotonic()
                for opened in ready:
                    served = self._held.get(opened) if isinstance(opened, socket.socket) else None
                    if served:
                        self._or_give_up(served, served.take, now)

    def _or_give_up(self, held: HeldPackets, work: Callable[[float], None], now: float) -> None:
        """Serve a queue. One that fails is given back, so that its packets pass instead of waiting for ever."""
        try:
            work(now)
        except OSError as error:
            log.warning("queue_given_up", queue=held.queue.number, problem=str(error))
            held.problem = str(error)
            del self._held[held.socket]
            held.socket.close()
