"""Questions and answers in DNS's own format (RFC 1035)."""

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from dev.cluster import dns

NAME = "kubernetes.default.svc.cluster.local"
LABELS = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True), min_size=1, max_size=6)


def record(address: str) -> bytes:
    return b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, 5, 4) + socket.inet_aton(address)


def answer(name: str, *records: bytes) -> bytes:
    query = dns.question(name)
    return query[:6] + struct.pack("!H", len(records)) + query[8:] + b"".join(records)


def test_a_question_as_the_standard_writes_it() -> None:
    assert dns.question("a.bc") == b"\x53\x53\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x01\x00\x01"


def test_the_addresses_of_an_answer() -> None:
    assert dns.addresses(answer(NAME, record("198.19.0.1"), record("10.1.2.3")), NAME) == ["198.19.0.1", "10.1.2.3"]


def test_an_answer_without_records_has_none() -> None:
    assert dns.addresses(answer(NAME), NAME) == []


def test_other_records_are_passed_over() -> None:
    alias = b"\xc0\x0c" + struct.pack("!2HIH", 5, 1, 5, 3) + b"\x01x\x00"
    assert dns.addresses(answer(NAME, alias, record("198.19.0.1")), NAME) == ["198.19.0.1"]


@given(LABELS, st.lists(st.ip_addresses(v=4).map(str), max_size=5))
def test_what_is_answered_is_read(labels: list[str], ips: list[str]) -> None:
    name = ".".join(labels)
    assert dns.addresses(answer(name, *map(record, ips)), name) == ips
