"""RTP headers by numpy against the same headers read one by one."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd import packets
from tests.audio.crowd.rtp import Packet, datagram, rows

PACKETS = st.builds(
    Packet,
    slot=st.just(3),
    sequence=st.integers(0, 65535),
    ssrc=st.integers(0, 2**32 - 1),
    payload=st.integers(0, 1400),
    at=st.just(1.0),
    contributors=st.integers(0, 15),
    extension=st.none() | st.integers(0, 8),
)


@given(st.lists(PACKETS, min_size=1, max_size=20))
def test_what_was_written_is_read(written: list[Packet]) -> None:
    data, length = rows([datagram(packet) for packet in written])
    slot, at = np.full(len(written), 3), np.full(len(written), 1.0)
    read = packets.sound(data, length, slot, at)
    assert list(read.sequence) == [packet.sequence for packet in written]
    assert list(read.ssrc) == [packet.ssrc for packet in written]
    assert list(read.payload_bytes) == [packet.payload for packet in written]


def test_stun_dtls_and_rtcp_are_no_sound() -> None:
    stun, dtls = b"\x00\x01" + bytes(100), b"\x16\xfe\xfd" + bytes(100)
    rtcp = struct.pack(">BBHI", 0x80, 200, 6, 1) + bytes(60)
    data, length = rows([stun, dtls, rtcp, b"", b"\x80", bytes([0x80, 111]) + bytes(30)])
    assert list(packets.is_session(data, length)) == [True, True, False, False, False, False]
    assert list(packets.is_rtp(data, length)) == [False] * 5 + [True]


def test_an_extension_that_is_not_there_is_no_packet() -> None:
    cut = bytes([0x90, 111]) + bytes(20)
    lying = datagram(Packet(0, 1, 1, 5, 1.0))[:12] + struct.pack(">HH", 0xBEDE, 65535) + bytes(30)
    lying = bytes([0x90]) + lying[1:]
    data, length = rows([cut[:13], lying])
    slot, at = np.zeros(2, np.int64), np.zeros(2)
    assert len(packets.sound(data, length, slot, at)) == 0
