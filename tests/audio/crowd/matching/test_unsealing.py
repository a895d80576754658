"""Packets that libsrtp has sealed with the relay's half of a real handshake's keys."""

import random
import struct

import pylibsrtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.dtls import KEY_BYTES, SALT_BYTES, Handshake
from showstopper.audio.crowd.matching.unsealing import Unsealer, payload
from tests.audio.crowd.dtls_server import FINGERPRINT, DtlsServer
from tests.audio.crowd.rtp import Packet, datagram
from tests.audio.crowd.test_dtls import OURS, shake

KEY = bytes(range(KEY_BYTES + SALT_BYTES))
SOUND = b"sixty bytes of Opus, more or less"


def sealed(key: bytes, *sequences: int) -> list[bytes]:
    policy = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    relay = pylibsrtp.Session(policy)
    return [relay.protect(struct.pack(">BBHII", 0x80, 111, sequence, 0, 9) + SOUND) for sequence in sequences]


def relay_key(server: DtlsServer) -> bytes:
    """The server's half of the keys, from the relay's side of the handshake."""
    material = server.tls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (KEY_BYTES + SALT_BYTES))
    return material[KEY_BYTES : 2 * KEY_BYTES] + material[2 * KEY_BYTES + SALT_BYTES :]


def test_what_the_relay_seals_after_the_handshake_is_opened_by_the_listener_s_key() -> None:
    handshake, server = Handshake(OURS, FINGERPRINT), DtlsServer()
    shake(handshake, server)
    (packet,) = sealed(relay_key(server), 7)
    assert Unsealer(handshake.receiving_key()).open(packet) == SOUND


def test_one_packet_a_second_is_enough_to_follow_sequence_numbers_over_their_wraps() -> None:
    packets = sealed(KEY, *(number & 0xFFFF for number in range(65000, 65000 + 70000)))
    unsealer = Unsealer(KEY)
    assert all(unsealer.open(packet) == SOUND for packet in packets[::50])


def test_nothing_is_said_of_a_packet_that_is_another_s_changed_cut_off_or_doubled() -> None:
    (packet,) = sealed(KEY, 1)
    unsealer = Unsealer(KEY)
    assert unsealer.open(packet[:-1]) is None
    assert unsealer.open(packet[:20] + bytes([packet[20] ^ 1]) + packet[21:]) is None
    assert unsealer.open(sealed(bytes(30), 1)[0]) is None
    assert unsealer.open(bytes(4000)) is None
    assert unsealer.open(packet) == SOUND
    assert unsealer.open(packet) is None


@pytest.mark.parametrize(("contributors", "extension"), [(0, None), (2, None), (0, 3), (15, 0)])
def test_the_payload_is_what_follows_the_header(contributors: int, extension: int | None) -> None:
    packet = datagram(Packet(0, 1, 9, 80, 0.0, contributors, extension))[:-10]
    assert payload(packet) == bytes(80)


def test_padding_is_no_payload() -> None:
    assert payload(bytes([0xA0, *bytes(11)]) + SOUND + b"\0\0\3") == SOUND


@given(st.binary(max_size=80))
def test_nonsense_has_a_payload_or_none_and_is_opened_by_nobody(data: bytes) -> None:
    inside = payload(data)
    assert inside is None or len(inside) <= max(0, len(data) - 12)
    assert Unsealer(KEY).open(data) is None


def test_nonsense_does_not_spoil_what_comes_after_it() -> None:
    draw, unsealer = random.Random(3), Unsealer(KEY)
    packets = sealed(KEY, *range(1, 40))
    for packet in packets:
        assert unsealer.open(draw.randbytes(draw.randint(0, 300))) is None
        assert unsealer.open(packet) == SOUND
