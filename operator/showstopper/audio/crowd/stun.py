"""STUN for ICE: binding requests and their answers, and nothing else (RFC 8489, RFC 8445)."""

from __future__ import annotations

import hmac
import ipaddress
import os
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

COOKIE: Final = 0x2112A442
REQUEST: Final = 0x0001
RESPONSE: Final = 0x0101
HEADER_BYTES: Final = 20

USERNAME: Final = 0x0006
INTEGRITY: Final = 0x0008
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
CONTROLLED: Final = 0x8029
CONTROLLING: Final = 0x802A

HOST_PRIORITY: Final = (126 << 24) | (65535 << 8) | 255
"""Priority of the only host candidate of the only component (RFC 8445, 5.1.2.1)."""

_SHA1_BYTES = 20
_INTEGRITY_BYTES = 4 + _SHA1_BYTES
_FINGERPRINT_BYTES = 4 + 4
_FINGERPRINT_XOR = 0x5354554E

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """What a datagram says. `sealed` is what MESSAGE-INTEGRITY covers, `seal` its value; empty where there is none."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]
    sealed: bytes
    seal: bytes

    def is_sealed_with(self, key: bytes) -> bool:
        """Whether it was sent by somebody who knows the password."""
        return len(self.seal) == _SHA1_BYTES and hmac.compare_digest(hmac.digest(key, self.sealed, "sha1"), self.seal)


def read(datagram: bytes) -> Message | None:
    """The message in a datagram; None if it is not one, or is cut off."""
    if len(datagram) < HEADER_BYTES or datagram[0] > 3:
        return None
    kind, length, cookie = struct.unpack_from(">HHI", datagram)
    if cookie != COOKIE or length % 4 or len(datagram) != HEADER_BYTES + length:
        return None
    attributes: dict[int, bytes] = {}
    sealed = seal = b""
    at = HEADER_BYTES
    while at < len(datagram):
        name, size = struct.unpack_from(">HH", datagram, at)
        value = datagram[at + 4 : at + 4 + size]
        if len(value) != size:
            return None
        if name == INTEGRITY and not seal:
            sealed = _head(kind, at - HEADER_BYTES + _INTEGRITY_BYTES, datagram[8:20]) + datagram[HEADER_BYTES:at]
            seal = value
        attributes.setdefault(name, value)
        at += 4 + size + -size % 4
    return Message(kind, datagram[8:20], attributes, sealed, seal)


def request(username: str, key: bytes, tie_breaker: int, *, controlling: bool) -> bytes:
    """A connectivity or consent check. A controlling one nominates at once.

    Args:
        username: "theirs:ours", the two fragments.
        key: their password.
        tie_breaker: 64 random bits of the session.
        controlling: whether this side decides which pair is used.
    """
    attributes = _attribute(USERNAME, username.encode()) + _attribute(PRIORITY, struct.pack(">I", HOST_PRIORITY))
    attributes += _attribute(CONTROLLING if controlling else CONTROLLED, struct.pack(">Q", tie_breaker))
    if controlling:
        attributes += _attribute(USE_CANDIDATE, b"")
    return _seal(REQUEST, os.urandom(12), attributes, key)


def response(transaction: bytes, mapped: bytes, key: bytes) -> bytes:
    """The answer to a check. `mapped` is made by `mapped_address`, `key` is our own password."""
    return _seal(RESPONSE, transaction, mapped, key)


def mapped_address(address: Address, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS: where a request came from (RFC 8489, 14.2)."""
    packed = _packed(address[0])
    pad = (struct.pack(">I", COOKIE) + transaction)[: len(packed)]
    masked = (int.from_bytes(packed, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(packed), "big")
    family = 1 if len(packed) == 4 else 2
    return _attribute(XOR_MAPPED_ADDRESS, struct.pack(">BBH", 0, family, address[1] ^ (COOKIE >> 16)) + masked)


@lru_cache(maxsize=1024)
def _packed(host: str) -> bytes:
    return ipaddress.ip_address(host.partition("%")[0]).packed


def _attribute(name: int, value: bytes) -> bytes:
    return struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4)


def _head(kind: int, length: int, transaction: bytes) -> bytes:
    return struct.pack(">HHI", kind, length, COOKIE) + transaction


def _seal(kind: int, transaction: bytes, attributes: bytes, key: bytes) -> bytes:
    """The message with MESSAGE-INTEGRITY and FINGERPRINT. Each is computed with the length up to its own end."""
    head = _head(kind, len(attributes) + _INTEGRITY_BYTES, transaction)
    attributes += _attribute(INTEGRITY, hmac.digest(key, head + attributes, "sha1"))
    message = _head(kind, len(attributes) + _FINGERPRINT_BYTES, transaction) + attributes
    return message + _attribute(FINGERPRINT, struct.pack(">I", zlib.crc32(message) ^ _FINGERPRINT_XOR))
