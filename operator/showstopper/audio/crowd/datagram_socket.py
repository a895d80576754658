"""The UDP socket of one listener."""

from __future__ import annotations

import ctypes
import os
import socket

from showstopper.audio.crowd import sweep
from showstopper.audio.crowd.stun import Address

_libc = ctypes.CDLL(None, use_errno=True)
_SOCKADDR_BYTES = 16


def open_beside(host: str) -> socket.socket:
    """A UDP socket of the address family of `host`, which is an address of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sweep.prepare(udp)
        udp.bind((host, 0))
    except OSError:
        udp.close()
        raise
    return udp


def hear_everybody(udp: socket.socket) -> None:
    """Undo connect(2), by an address of the family AF_UNSPEC, which Python's socket module does not write.

    Linux then takes back a port that it has chosen itself (net/ipv4/udp.c, __udp_disconnect): it is bound once more.
    """
    name = udp.getsockname()
    if _libc.connect(udp.fileno(), bytes(_SOCKADDR_BYTES), _SOCKADDR_BYTES) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if udp.getsockname()[1] != name[1]:
        udp.bind(name)


def plain(address: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    """Host and port of an address as Python's sockets give it."""
    return address[0].partition("%")[0], address[1]
