"""A wire of one's own: two network namespaces and a veth pair between them, where a flood can reach nothing else."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands

NAMESPACES = Path("/run/netns")
DEVICE = "wire0"
_PREFIX = 24
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET, linux/sched.h."""

_POWERLESS = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Wire:
    """The names of the two namespaces, and the addresses in them."""

    near: str
    far: str
    source: str
    target: str

    def at_near(self, command: Sequence[str]) -> list[str]:
        """The command in the near namespace, as root."""
        return ["ip", "netns", "exec", self.near, *command]

    def powerless(self, command: Sequence[str]) -> list[str]:
        """The command in the near namespace, without any capability, nor a way to get one.

        As a pod under Pod Security restricted, but for the user: our interpreter may be one that only root can reach.
        """
        return self.at_near(["setpriv", *_POWERLESS, "--", *command])


@contextmanager
def wire(network: str = "198.18.210") -> Iterator[Wire]:
    """Make it, and take it away. Needs root."""
    near, far = (f"wire-{side}-{os.getpid()}" for side in ("near", "far"))
    made = Wire(near, far, source=f"{network}.1", target=f"{network}.2")
    try:
        for name in (near, far):
            commands.run(["ip", "netns", "add", name])
        commands.run(["ip", "-n", made.near, "link", "add", DEVICE, "type", "veth", "peer", DEVICE, "netns", made.far])
        _bring_up(made.near, made.source, MACS, made.target)
        _bring_up(made.far, made.target, MACS[::-1], made.source)
        yield made
    finally:
        for name in (near, far):
            if (NAMESPACES / name).exists():
                commands.run(["ip", "netns", "del", name])


def _bring_up(namespace: str, address: str, macs: Sequence[str], peer: str) -> None:
    """The peer's hardware address is given: what was sent before it became known would be lost."""
    own, other = macs
    lines = [
        "link set lo up",
        f"link set {DEVICE} address {own}",
        f"addr add {address}/{_PREFIX} dev {DEVICE}",
        f"link set {DEVICE} up",
        f"neigh replace {peer} lladdr {other} dev {DEVICE} nud permanent",
    ]
    commands.run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(lines) + "\n")


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """The calling thread is in that namespace. Sockets that are made there stay there."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(NAMESPACES / namespace, os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(before)
    finally:
        os.close(before)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _NEW_NETWORK) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Receiver:
    """A socket at the far end that counts the datagrams that came to it, each of them, without reading them.

    What does not fit into its small buffer is counted by the kernel as dropped at the socket, after the whole way
    through its stack: cheaper than any reader, and nothing is missed.
    """

    def __init__(self, wire: Wire, port: int) -> None:
        self._namespace = wire.far
        with inside(wire.far):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        self._socket.bind((wire.target, port))
        self._lock = threading.Lock()
        self._before = self._count()

    def count(self) -> int:
        """Datagrams since the beginning."""
        return self._count() - self._before

    def close(self) -> None:
        """Receive no more."""
        self._socket.close()

    def _count(self) -> int:
        """Reads are InDatagrams, drops RcvbufErrors (net/ipv4/udp.c). So the few that queue are read first."""
        with self._lock, suppress(BlockingIOError):
            while True:
                self._socket.recv(1)
        with inside(self._namespace):
            names, values = (
                line.split()[1:]
                for line in Path("/proc/thread-self/net/snmp").read_text().splitlines()
                if line.startswith("Udp:")
            )
        figures = dict(zip(names, map(int, values), strict=True))
        return figures["InDatagrams"] + figures["RcvbufErrors"] + figures["MemErrors"]
