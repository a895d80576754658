"""STUN for ICE: binding requests and their answers, and nothing else (RFC 8489, RFC 8445)."""

from __future__ import annotations

import hmac
import ipaddress
import os
import struct
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC

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
_COOKIE = COOKIE.to_bytes(4, "big")
_RESPONSE = RESPONSE.to_bytes(2, "big")
_HEAD = struct.Struct(">HHI12s")
_ATTRIBUTE = struct.Struct(">HH")
_INTEGRITY_HEAD = _ATTRIBUTE.pack(INTEGRITY, _SHA1_BYTES)
_FINGERPRINT = struct.Struct(">HHI")

Address = tuple[str, int]


class Message(NamedTuple):
    """What a datagram says. `sealed` is what MESSAGE-INTEGRITY covers, `seal` its value. Both may be empty."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]
    sealed: bytes
    seal: bytes

    def is_sealed_with(self, key: bytes) -> bool:
        """Whether it was sent by somebody who knows the password."""
        return len(self.seal) == _SHA1_BYTES and hmac.compare_digest(_hmac(key, self.sealed), self.seal)


def read(datagram: bytes) -> Message | None:
    """The message in a datagram. None if it is not one, or is cut off."""
    end = len(datagram)
    if end < HEADER_BYTES or datagram[0] > 3:
        return None
    kind, length, cookie, transaction = _HEAD.unpack_from(datagram)
    if cookie != COOKIE or length % 4 or end != HEADER_BYTES + length:
        return None
    attributes: dict[int, bytes] = {}
    sealed = seal = b""
    at = HEADER_BYTES
    while at < end:
        name, size = _ATTRIBUTE.unpack_from(datagram, at)
        begin = at + 4
        if begin + size > end:
            return None
        value = datagram[begin : begin + size]
        if name == INTEGRITY and not seal:
            sealed = _HEAD.pack(kind, at - HEADER_BYTES + _INTEGRITY_BYTES, COOKIE, transaction)
            sealed += datagram[HEADER_BYTES:at]
            seal = value
        attributes.setdefault(name, value)
        at = begin + size + -size % 4
    return Message(kind, transaction, attributes, sealed, seal)


def is_answer(datagram: bytes) -> bool:
    """Whether a datagram, if it is a message at all, answers a request."""
    return datagram[:2] == _RESPONSE


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
    return _mapped_ipv6(address, transaction) if ":" in address[0] else _mapped_ipv4(address)


@lru_cache(maxsize=4096)
def _mapped_ipv4(address: Address) -> bytes:
    """The transaction masks only what is longer than the cookie: this one is the same for all checks of a relay."""
    return _mapped(1, address[1], _packed(address[0]), _COOKIE)


def _mapped_ipv6(address: Address, transaction: bytes) -> bytes:
    return _mapped(2, address[1], _packed(address[0]), _COOKIE + transaction)


def _mapped(family: int, port: int, packed: bytes, pad: bytes) -> bytes:
    masked = (int.from_bytes(packed, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(packed), "big")
    return _attribute(XOR_MAPPED_ADDRESS, struct.pack(">BBH", 0, family, port ^ (COOKIE >> 16)) + masked)


@lru_cache(maxsize=1024)
def _packed(host: str) -> bytes:
    return ipaddress.ip_address(host.partition("%")[0]).packed


def _hmac(key: bytes, data: bytes) -> bytes:
    keyed = _keyed(key).copy()
    keyed.update(data)
    return keyed.finalize()


@lru_cache(maxsize=8192)
def _keyed(key: bytes) -> HMAC:
    """Kept: to take in the key costs more than to seal a message, and each of 3,000 listeners has two all along."""
    return HMAC(key, SHA1())  # noqa: S303 - by RFC 8489, 14.5


def _attribute(name: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) % 4)


def _seal(kind: int, transaction: bytes, attributes: bytes, key: bytes) -> bytes:
    """The message with MESSAGE-INTEGRITY and FINGERPRINT. Each is computed with the length up to its own end."""
    length = len(attributes) + _INTEGRITY_BYTES
    seal = _hmac(key, _HEAD.pack(kind, length, COOKIE, transaction) + attributes)
    head = _HEAD.pack(kind, length + _FINGERPRINT_BYTES, COOKIE, transaction)
    message = head + attributes + _INTEGRITY_HEAD + seal
    return message + _FINGERPRINT.pack(FINGERPRINT, 4, zlib.crc32(message) ^ _FINGERPRINT_XOR)
