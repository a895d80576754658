import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.packets import PACKET_SECONDS, Packet, gaps, parse


def ip_packet(payload: bytes, *, protocol: int = 17, port: int = 40000, options: bytes = b"") -> bytes:
    udp = struct.pack("!HHHH", 7882, port, 8 + len(payload), 0) + payload
    words = 5 + len(options) // 4
    length = words * 4 + len(udp)
    header = struct.pack("!BBHHHBBH", 0x40 | words, 0, length, 0, 0, 64, protocol, 0)
    return header + bytes([198, 18, 1, 7]) + bytes([198, 18, 2, 9]) + options + udp


def rtp(*, first: int = 0x80, second: int = 111, sequence: int = 7, ssrc: int = 99, body: bytes = b"x" * 91) -> bytes:
    return struct.pack("!BBHII", first, second, sequence, 0, ssrc) + body


def packet(at: float) -> Packet:
    return Packet(at, "198.18.1.7", 40000, 1, 1, 100)


def test_sound_is_read_from_its_headers() -> None:
    assert parse(ip_packet(rtp()), 1.5) == Packet(1.5, "198.18.1.7", 40000, 99, 7, 103)


@pytest.mark.parametrize("second", [111, 111 | 0x80, 63])
def test_opus_and_red_are_sound_with_or_without_the_marker(second: int) -> None:
    assert parse(ip_packet(rtp(second=second)), 0) is not None


def test_the_size_is_the_whole_packet_s_though_its_capture_is_cut() -> None:
    whole = ip_packet(rtp(body=b"x" * 500))
    parsed = parse(whole[:96], 0)
    assert parsed is not None
    assert parsed.size == 512


def test_options_of_the_internet_header_are_skipped() -> None:
    parsed = parse(ip_packet(rtp(), options=b"\x01" * 8), 0)
    assert parsed is not None
    assert parsed.ssrc == 99


@pytest.mark.parametrize(
    "data",
    [
        ip_packet(rtp(second=200)),  # RTCP sender report
        ip_packet(rtp(second=201)),  # RTCP receiver report
        ip_packet(rtp(second=96)),  # another payload: video, RTX
        ip_packet(rtp(first=0xA0)),  # padding: a bandwidth probe
        ip_packet(rtp(first=0x00)),  # STUN
        ip_packet(rtp(first=0x16)),  # DTLS
        ip_packet(rtp(), protocol=6),
        ip_packet(b"short"),
        b"",
        b"\x60" + bytes(80),  # IPv6
    ],
)
def test_what_is_no_sound_is_no_packet(data: bytes) -> None:
    assert parse(data, 0) is None


@given(st.binary(max_size=120))
def test_no_bytes_at_all_break_the_parser(data: bytes) -> None:
    parse(data, 0)


def test_a_gap_lasts_from_the_end_of_the_last_sound_to_the_next_packet() -> None:
    long_gaps = gaps([packet(1.0), packet(1.02), packet(4.02)], longer_than=0.1)
    assert len(long_gaps) == 1
    assert long_gaps[0].start == pytest.approx(1.04)
    assert long_gaps[0].end == 4.02
    assert long_gaps[0].seconds == pytest.approx(2.98)


def test_packets_in_any_order_and_without_a_pause_have_no_gap() -> None:
    assert gaps([packet(1.04), packet(1.0), packet(1.02)], longer_than=0.01) == []


def test_what_comes_after_the_last_packet_is_no_gap() -> None:
    assert gaps([packet(1.0)], longer_than=0.1) == []
    assert gaps([], longer_than=0.1) == []


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=50), st.floats(0, 5))
def test_gaps_are_in_order_longer_than_asked_and_hold_no_packet(times: list[float], least: float) -> None:
    long_gaps = gaps([packet(at) for at in times], longer_than=least)
    assert all(gap.seconds > least for gap in long_gaps)
    assert [gap.start for gap in long_gaps] == sorted(gap.start for gap in long_gaps)
    assert not any(gap.start - PACKET_SECONDS / 2 < at < gap.end for gap in long_gaps for at in times)


def test_after_a_gap_without_a_burst_all_of_it_is_missing() -> None:
    (lone_gap,) = gaps([packet(1.0), *(packet(4.0 + 0.02 * number) for number in range(40))], longer_than=0.1)
    assert lone_gap.missing == pytest.approx(lone_gap.seconds) == pytest.approx(2.98)


def test_what_was_held_up_and_comes_in_a_burst_is_late_and_not_missing() -> None:
    held_up = [packet(1.3 + 0.001 * number) for number in range(14)]
    (lone_gap,) = gaps(
        [packet(1.0), *held_up, *(packet(1.32 + 0.02 * number) for number in range(20))], longer_than=0.1
    )
    assert lone_gap.seconds == pytest.approx(0.28)
    assert lone_gap.missing == pytest.approx(0.02, abs=0.015)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=50))
def test_no_more_is_missing_than_the_gap_is_long(times: list[float]) -> None:
    assert all(0 <= gap.missing <= gap.seconds for gap in gaps([packet(at) for at in times], longer_than=0.1))
