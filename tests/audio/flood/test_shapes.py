import struct
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.schema.shapes import Shape
from showstopper.audio.flood import shapes
from showstopper.audio.flood.shapes import Batches, Stream
from showstopper.faults.flood import bounds

COOKIE = 0x2112A442


def datagrams(batches: Batches, stream: Stream, count: int) -> list[bytes]:
    batch = bytes(batches.batch(stream, count))
    stream.sent += count
    return [batch[begin : begin + batches.size] for begin in range(0, len(batch), batches.size)]


@given(shape=st.sampled_from(Shape), size=st.integers(1, bounds.LARGEST), data=st.data())
def test_batches_have_as_many_datagrams_as_asked_for_each_of_the_size(
    shape: Shape, size: int, data: st.DataObject
) -> None:
    size = max(bounds.SMALLEST[shape], size)
    size -= size % 4 if shape is Shape.STUN else 0
    batches = shapes.of(shape, size, Random(1))
    count = data.draw(st.integers(1, batches.most))
    assert len(batches.batch(Stream(7), count)) == count * size
    assert batches.most <= 64
    assert batches.most * size <= 65_507


@given(size=st.integers(12, bounds.LARGEST), sent=st.integers(0, 2**33), identity=st.integers(0, 2**32 - 1))
def test_rtp_counters_grow_by_a_packet_of_opus_and_begin_anew_when_full(size: int, sent: int, identity: int) -> None:
    batches = shapes.of(Shape.RTP, size, Random(1))
    packets = datagrams(batches, Stream(identity, sent), batches.most)
    for number, packet in enumerate(packets, start=sent):
        version, kind, sequence, timestamp, source = struct.unpack_from(">BBHII", packet)
        assert (version, kind, source) == (0x80, 111, identity)
        assert (sequence, timestamp) == (number % 2**16, number * 960 % 2**32)


def test_streams_keep_their_own_counters_and_sources() -> None:
    batches = shapes.of(Shape.RTP, 172, Random(1))
    first, second = Stream(1), Stream(2)
    datagrams(batches, first, 10)
    packets = [*datagrams(batches, second, 3), *datagrams(batches, first, 2), *datagrams(batches, second, 1)]
    assert [struct.unpack_from(">HxxxxI", packet, 2) for packet in packets] == [
        (0, 2), (1, 2), (2, 2), (10, 1), (11, 1), (3, 2),
    ]  # fmt: skip


@given(size=st.integers(5, bounds.LARGEST // 4).map(lambda words: 4 * words), sent=st.integers(0, 2**33))
def test_stun_packets_are_whole_binding_requests_each_its_own_transaction(size: int, sent: int) -> None:
    batches = shapes.of(Shape.STUN, size, Random(1))
    packets = datagrams(batches, Stream(7, sent), batches.most)
    for packet in packets:
        kind, length, cookie = struct.unpack_from(">HHI", packet)
        assert (kind, length, cookie) == (1, size - 20, COOKIE)
        found_attributes = attributes(packet)
        assert size < 44 or found_attributes[:2] == [0x0006, 0x0024]
    assert len({packet[8:20] for packet in packets}) == len(packets)


def attributes(packet: bytes) -> list[int]:
    """The types of a STUN message's attributes (RFC 8489, section 14); they fill it to the last byte."""
    kinds, at = [], 20
    while at < len(packet):
        kind, length = struct.unpack_from(">HH", packet, at)
        kinds.append(kind)
        at += 4 + length + -length % 4
    assert at == len(packet)
    return kinds


def test_random_packets_differ() -> None:
    batches = shapes.of(Shape.RANDOM, 172, Random(1))
    stream = Stream(7)
    packets = datagrams(batches, stream, 64) + datagrams(batches, stream, 64)
    assert len(set(packets)) == 128


@pytest.mark.parametrize("shape", Shape)
def test_the_same_seed_gives_the_same_packets(shape: Shape) -> None:
    first, second = (datagrams(shapes.of(shape, 172, Random(5)), Stream(3), 20) for _ in range(2))
    assert first == second
