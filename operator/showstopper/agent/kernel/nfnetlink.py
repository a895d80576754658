"""The netlink messages of netfilter that no library here writes: NFQUEUE's, and one rule of nftables."""

import os
import socket
import struct

from showstopper.errors import KernelRefused

NETFILTER = 12
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
REQUEST, WITH_ACK = _REQUEST, _REQUEST | _ACK
_NESTED = 0x8000
_ERROR = 2
_NFTABLES = 10
_NEW_RULE = (_NFTABLES << 8) | 6
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NUMBERS = {"ip": 2, "ip6": 10}
_BYPASS = 1


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute: length, type, data, padding."""
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + b"\0" * (-length % 4)


def message(kind: int, flags: int, body: bytes, *, resource: int = 0, family: int = 0, sequence: int = 0) -> bytes:
    """One message with netfilter's own header. The resource is a queue's number, or a batch's subsystem."""
    payload = struct.pack(">BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload


def check(answer: bytes, doing: str) -> None:
    """Look at the kernel's answer to a message that asked for one.

    Raises:
        KernelRefused: when it is an error.
    """
    if len(answer) >= 20 and struct.unpack_from("=H", answer, 4)[0] == _ERROR:
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code:
            raise KernelRefused(f"{doing}: {os.strerror(code)}", code=code)


def add_queue_rule(family: str, table: str, chain: str, number: int) -> None:
    """Append a rule that queues packets by iptables' NFQUEUE target, bypassed when nobody listens.

    For kernels without nft's own `queue` (CONFIG_NFT_QUEUE off, CONFIG_NFT_COMPAT on). In a chain of our own table, so
    that it goes with the table. The iptables command would leave its tables behind.

    Raises:
        KernelRefused: when the kernel does not know the target, or the chain is not there.
    """
    # struct xt_NFQ_info_v3 (linux/netfilter/xt_NFQUEUE.h), aligned to 8 bytes
    information = struct.pack("=HHHxx", number, 1, _BYPASS)
    target = attribute(1, b"NFQUEUE\0") + attribute(2, struct.pack(">I", 3)) + attribute(3, information)
    expression = attribute(1, b"target\0") + attribute(2 | _NESTED, target)
    rule = attribute(1, table.encode() + b"\0") + attribute(2, chain.encode() + b"\0")
    rule += attribute(4 | _NESTED, attribute(1 | _NESTED, expression))
    flags = _REQUEST | _ACK | _CREATE | _APPEND
    batch = message(_BATCH_BEGIN, _REQUEST, b"", resource=_NFTABLES)
    batch += message(_NEW_RULE, flags, rule, family=_NUMBERS[family], sequence=1)
    batch += message(_BATCH_END, _REQUEST, b"", resource=_NFTABLES, sequence=2)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER) as netlink:
        netlink.bind((0, 0))
        netlink.settimeout(5)
        netlink.send(batch)
        check(netlink.recv(8192), f"rule in {family} {table} {chain} to queue {number}")
