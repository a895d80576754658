"""Ask a DNS server one question, from inside a network namespace: the proof that cluster DNS answers there."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_QUESTION_ID = 0x5353
_TYPE_A = 1
_CLASS_IN = 1
_RECURSION_DESIRED = 0x0100


def lookup(namespace: Path, server: str, name: str, timeout_seconds: float = 0.5) -> list[str]:
    """The IPv4 addresses that `server` gives for `name`. None when it does not answer in time or has none."""
    with ThreadPoolExecutor(1) as thread:  # a namespace is entered by one thread, which then ends
        return thread.submit(_lookup, namespace, server, name, timeout_seconds).result()


def question(name: str) -> bytes:
    """A query for the IPv4 addresses of `name` (RFC 1035, section 4)."""
    header = struct.pack("!6H", _QUESTION_ID, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + _encode(name) + struct.pack("!2H", _TYPE_A, _CLASS_IN)


def addresses(answer: bytes, name: str) -> list[str]:
    """The IPv4 addresses in an answer to our question for `name`."""
    records = struct.unpack_from("!H", answer, 6)[0]
    at = 12 + len(_encode(name)) + 4
    hosts = []
    for _ in range(records):
        at = _skip_name(answer, at)
        kind, _class, _ttl, length = struct.unpack_from("!2HIH", answer, at)
        at += 10
        if kind == _TYPE_A:
            hosts.append(socket.inet_ntoa(answer[at : at + length]))
        at += length
    return hosts


def _encode(name: str) -> bytes:
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _skip_name(answer: bytes, at: int) -> int:
    while answer[at] != 0:
        if answer[at] >= 0xC0:  # a pointer ends a name
            return at + 2
        at += answer[at] + 1
    return at + 1


def _lookup(namespace: Path, server: str, name: str, timeout_seconds: float) -> list[str]:
    _enter(namespace)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout_seconds)
        try:
            client.connect((server, 53))
            client.send(question(name))
            return addresses(client.recv(4096), name)
        except OSError:  # no answer yet: refused, unreachable or late
            return []


def _enter(namespace: Path) -> None:
    file = os.open(namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(file, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    finally:
        os.close(file)
