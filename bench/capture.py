"""Capture what comes into pods, or this process's own network: raw sockets, with the kernel's own time stamps."""

from __future__ import annotations

import ctypes
import os
import selectors
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from bench.packets import Packet, parse
from bench.watching import Watch
from dev.cluster import inside

CLONE_NEWNET = 0x40000000
"""linux/sched.h."""

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the control message has the same number."""

ETH_P_IP = 0x0800
SO_ATTACH_FILTER = 26
PACKET_BYTES = 96
"""What is read of each packet: all headers. The length of the whole is told beside it."""

UDP_ONLY = ((0x30, 0, 0, 9), (0x15, 0, 1, 17), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
"""tcpdump -dd, on the IP header of a SOCK_DGRAM socket: accept when the protocol (byte 9) is UDP (17), else drop."""

_libc = ctypes.CDLL(None, use_errno=True)


def open_socket(namespace: int) -> socket.socket:
    """A raw socket in a network namespace (a descriptor of it) that gets every UDP packet. Needs root.

    The thread that calls this steps into the namespace and back out. The socket stays in.
    """
    with entered(namespace):
        capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    rules = b"".join(struct.pack("HBBI", *rule) for rule in UDP_ONLY)
    buffer = ctypes.create_string_buffer(rules)
    program = struct.pack("HL", len(UDP_ONLY), ctypes.addressof(buffer))
    capture.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    capture.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    capture.setblocking(False)
    return capture


@contextmanager
def entered(namespace: int) -> Iterator[None]:
    """The calling thread is in a network namespace (a descriptor of it). Sockets that are made there stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(namespace)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}")


class Capture(Watch):
    """Packets of sound that come in somewhere, by the place's name, for as long as it is open (a context manager)."""

    def __init__(self, sockets: Mapping[str, socket.socket]) -> None:
        """`sockets` maps names of places to raw sockets there. They are closed with it."""
        super().__init__()
        self._packets: dict[str, list[Packet]] = defaultdict(list)
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        for name, source in sockets.items():
            self._selector.register(source, selectors.EVENT_READ, name)

    @classmethod
    def in_pods(cls, pods: Mapping[str, str]) -> Self:
        """What comes into pods, by their names. `pods` maps these to UIDs."""
        sockets = {}
        for name, uid in pods.items():
            with inside.open_pod_namespace(uid) as namespace:
                sockets[name] = open_socket(namespace)
        return cls(sockets)

    @classmethod
    def here(cls, name: str) -> Self:
        """What comes in where this process is, loopback included, under that name."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            return cls({name: open_socket(own)})
        finally:
            os.close(own)

    def close(self) -> None:
        """Close the sockets."""
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def packets(self, place: str, since: float = 0.0) -> list[Packet]:
        """What came in there from then on (unix seconds), so far."""
        with self._lock:
            return [packet for packet in self._packets[place] if packet.at >= since]

    def watch(self) -> None:
        """Take what comes in."""
        while not self.done.is_set():
            for key, _ in self._selector.select(timeout=0.2):
                assert isinstance(key.fileobj, socket.socket)
                self._drain(key.data, key.fileobj)

    def _drain(self, place: str, source: socket.socket) -> None:
        packets = []
        while True:
            try:
                # Without MSG_TRUNC the packet is cut to the buffer; its own header says how long it was.
                data, control, _, address = source.recvmsg(PACKET_BYTES, 128)
            except BlockingIOError:
                break
            if address[2] == socket.PACKET_OUTGOING:
                continue
            packet = parse(data, stamp_of(control))
            if packet is not None:
                packets.append(packet)
        with self._lock:
            self._packets[place] += packets


def stamp_of(control: list[tuple[int, int, bytes]]) -> float:
    """When the kernel received a packet, in unix seconds, from the control messages beside it."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return float(seconds + nanoseconds / 1e9)
    raise OSError("the kernel gave a packet without a time stamp")
