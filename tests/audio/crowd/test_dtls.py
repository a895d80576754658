"""Handshakes with a server of OpenSSL's, which plays the relay."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd import dtls
from showstopper.audio.crowd.dtls import Handshake, HandshakeFailed, Identity
from tests.audio.crowd.dtls_server import FINGERPRINT, THEIRS, DtlsServer

OURS = Identity()


def shake(handshake: Handshake, server: DtlsServer) -> None:
    """Carry datagrams to and fro until nobody has any."""
    flight = handshake.step()
    while flight:
        answers = [answer for datagram in flight for answer in server.take(datagram)]
        flight = [datagram for answer in answers for datagram in handshake.step(answer)]


def test_a_handshake_ends_with_the_profile_for_srtp_and_one_key_on_both_sides() -> None:
    handshake, server = Handshake(OURS, FINGERPRINT), DtlsServer()
    shake(handshake, server)
    assert handshake.done
    assert server.tls.get_selected_srtp_profile() == dtls.PROFILE
    assert server.tls.get_peer_certificate() is not None
    assert server.tls.get_cipher_name() == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert handshake.step(b"") == []


@pytest.mark.parametrize("announced", [OURS.fingerprint, "", "AB"], ids=["another", "none", "short"])
def test_a_relay_with_another_certificate_than_it_announced_is_refused(announced: str) -> None:
    with pytest.raises(HandshakeFailed, match="announced"):
        shake(Handshake(OURS, f"sha-256 {announced}"), DtlsServer())


def test_who_announces_no_sha_256_is_refused() -> None:
    with pytest.raises(HandshakeFailed):
        shake(Handshake(OURS, f"sha-1 {THEIRS.fingerprint}"), DtlsServer())


def test_nothing_is_sent_again_before_its_time() -> None:
    handshake = Handshake(OURS, "")
    assert handshake.step()
    assert handshake.late() == []


def test_datagrams_of_anybody_do_not_end_it() -> None:
    draw = random.Random(7)
    handshake, server = Handshake(OURS, FINGERPRINT), DtlsServer()
    flight = handshake.step()
    for _ in range(200):
        assert handshake.step(bytes([22, 254, 253]) + draw.randbytes(60)) == []
    answers = [answer for datagram in flight for answer in server.take(datagram)]
    assert [datagram for answer in answers for datagram in handshake.step(answer)]


RECORDS = st.lists(
    st.binary(max_size=300).map(lambda body: bytes(11) + len(body).to_bytes(2, "big") + body), max_size=20
)


@given(RECORDS, st.integers(20, 500))
def test_a_flight_is_cut_between_records(records: list[bytes], most: int) -> None:
    flight = b"".join(records)
    cut = list(dtls.datagrams(flight, most))
    assert b"".join(cut) == flight
    assert all(len(datagram) <= most or datagram in records for datagram in cut)
    ends = {sum(map(len, records[:number])) for number in range(len(records) + 1)}
    assert {sum(map(len, cut[:number])) for number in range(len(cut) + 1)} <= ends
