"""Sends batches of datagrams through plain UDP sockets: one call of the kernel for up to 64 of them.

UDP_SEGMENT (Linux 4.18) lets the kernel cut one buffer into datagrams, late on their way. It needs no capability.
Where a path does not have it, the same datagrams are sent one by one.
"""

from __future__ import annotations

import errno
import heapq
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Self

from showstopper.audio.flood.shapes import Batches, Stream
from showstopper.faults.endpoint import Endpoint

UDP_SEGMENT = 103
"""linux/udp.h; Python's socket module does not name it."""

FULL_SECONDS = 0.02
"""How long to wait at most for room in a full socket, before bounds are looked at again."""
_DONT_FRAGMENT = (  # ip(7), ipv6(7): IP_MTU_DISCOVER, IP_PMTUDISC_DO
    (socket.IPPROTO_IP, 10, 2),
    (socket.IPPROTO_IPV6, 23, 2),
)
_UNSEGMENTED = frozenset({errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT})
"""What the kernel says of a path, a device or a kernel that does not segment (udp(7); net/ipv4/udp.c, udp_send_skb)."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """From one source port to one target. Not connected: a target that dies must not become an error of the sender."""

    socket: socket.socket
    target: tuple[str, int]
    stream: Stream


class Sender:
    """Sends to its targets in turn, from its source ports in turn, and to nothing else.

    The turn is of the flow that has been offered the fewest packets. If each had one batch in its turn, one of two
    targets would get most of a flood: what is due every 2 ms at 35,000 packets a second is a batch of 64, and then 6.
    """

    def __init__(
        self,
        targets: Sequence[Endpoint],
        *,
        sources: int,
        batches: Batches,
        random: Random,
        packets: int | None = None,
        broadcast: bool = False,
    ) -> None:
        """`packets`: how many there will be, so that a batch is no larger than a flow's part of them."""
        self._batches = batches
        self._broadcast = broadcast
        self.segmented = True
        with ExitStack() as opening:
            flows = [flow for _ in range(sources) for flow in self._source(opening, targets, random)]
            self._open = opening.pop_all()
        self._sockets = {flow.socket for flow in flows}
        self._turns = [(0, number, flow) for number, flow in enumerate(flows)]  # offered so far; sorted: a heap
        self.most = batches.most if packets is None else max(1, min(batches.most, packets // len(flows)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def send(self, count: int) -> int:
        """Send at most `count` datagrams (at most `most`) of the next flow. Returns how many the kernel took.

        Fewer, or none, when there is no room for more, after a wait for it. Raises OSError when it refuses them.
        """
        offered, number, flow = self._turns[0]
        packets = self._batches.batch(flow.stream, count)
        try:
            sent = self._send(flow, packets, count)
        except BlockingIOError:
            select.select((), (flow.socket,), (), FULL_SECONDS)
            return 0
        finally:
            heapq.heapreplace(self._turns, (offered + count, number, flow))
        flow.stream.sent += sent
        return sent

    def _send(self, flow: _Flow, packets: memoryview, count: int) -> int:
        if not self.segmented:
            return self._one_by_one(flow, packets, count)
        try:
            flow.socket.sendto(packets, flow.target)
        except OSError as error:
            if error.errno not in _UNSEGMENTED:
                raise
            self._not_segmented()
            return self._one_by_one(flow, packets, count)
        return count

    def _one_by_one(self, flow: _Flow, packets: memoryview, count: int) -> int:
        """As many as go through until the first that does not. That is an error only for the first of all."""
        size = self._batches.size
        for number in range(count):
            try:
                flow.socket.sendto(packets[number * size : (number + 1) * size], flow.target)
            except OSError:
                if number == 0:
                    raise
                return number
        return count

    def _not_segmented(self) -> None:
        """Send one by one from now on. The kernel checks the option even for what need not be cut."""
        self.segmented = False
        for udp in self._sockets:
            with suppress(OSError):  # a kernel that does not know the option has it switched off
                udp.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)

    def _source(self, opening: ExitStack, targets: Sequence[Endpoint], random: Random) -> Iterator[_Flow]:
        """The flows of one source port: it has one socket, or one for each version of IP."""
        sockets: dict[int, socket.socket] = {}
        for target in targets:
            family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
            if family not in sockets:
                sockets[family] = opening.enter_context(self._socket(family))
            yield _Flow(sockets[family], (target.address, target.port), Stream(random.getrandbits(32)))

    def _socket(self, family: int) -> socket.socket:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, self._broadcast)
        # Fragments have no ports, so that no gate can tell them: what does not fit the path is refused, and counted.
        level, option, value = _DONT_FRAGMENT[family == socket.AF_INET6]
        udp.setsockopt(level, option, value)
        # Answers are not read: what cannot queue up costs the least.
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        try:
            udp.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, self._batches.size)
        except OSError:
            self.segmented = False
        return udp
