"""DTLS-SRTP handshakes (RFC 5764) of many listeners with one certificate, over OpenSSL's memory buffers. No I/O."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

PROFILE = b"SRTP_AES128_CM_SHA1_80"
CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
"""What browsers offer first. Everybody has to have the one for our kind of key (RFC 8827, 6.5)."""

CERTIFICATE_LIFE = datetime.timedelta(days=3650)
KEY_BYTES, SALT_BYTES = 16, 14
"""Of that profile's master key and master salt (RFC 5764, 4.1.2)."""

MTU = 1200
"""Largest datagram of a handshake: what libwebrtc and Pion send at most, so that it passes tunnels, too."""

_LABEL = b"EXTRACTOR-dtls_srtp"
_RECORD_HEADER = 13
"""RFC 6347, 4.1: type, version, epoch, sequence number, length."""

_FLIGHT = 1 << 16


class HandshakeFailed(Exception):
    """The handshake cannot be completed."""


class Identity:
    """A certificate, and the context that all handshakes share: making either costs as much as a whole join."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "listener")])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + CERTIFICATE_LIFE)
        certificate = builder.sign(key, hashes.SHA256())
        self.fingerprint = fingerprint(certificate)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        # Certificates are self-signed: what counts is the fingerprint in the signalling (RFC 8122), by Handshake.
        self.context.set_verify(SSL.VERIFY_NONE)
        self.context.set_cipher_list(CIPHERS)
        self.context.set_options(SSL.OP_NO_TICKET)  # nobody takes a session up again
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_tlsext_use_srtp(PROFILE)


class Handshake:
    """One handshake as its client: datagrams in, datagrams out."""

    def __init__(self, identity: Identity, peer_fingerprint: str) -> None:
        """`peer_fingerprint` is the one that the offer announced, "sha-256 AB:CD:..."."""
        self._tls = SSL.Connection(identity.context)
        self._tls.set_connect_state()
        self._announced = peer_fingerprint
        self.done = False

    def step(self, datagram: bytes | None = None) -> list[bytes]:
        """Take a datagram, or begin. Returns what is to be sent now.

        Raises:
            HandshakeFailed: if it cannot go on, or the certificate is not the announced one.
        """
        try:
            if datagram:
                self._tls.bio_write(datagram)
            if not self.done:
                self._tls.do_handshake()
                self._verify()
                self.done = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            raise HandshakeFailed(f"DTLS: {error}") from error
        return self._flight()

    def late(self) -> list[bytes]:
        """What is to be sent again, if OpenSSL's timer for that has run out (1 s, then twice that, and so on).

        Raises:
            HandshakeFailed: if it was sent too often.
        """
        try:
            self._tls.DTLSv1_handle_timeout()
        except SSL.Error as error:
            raise HandshakeFailed(f"DTLS: no answer ({error})") from error
        return self._flight()

    def receiving_key(self) -> bytes:
        """Master key and master salt of what the relay sends. Valid once the handshake is done (RFC 5764, 4.2)."""
        material = self._tls.export_keying_material(_LABEL, 2 * (KEY_BYTES + SALT_BYTES))
        keys, salts = material[: 2 * KEY_BYTES], material[2 * KEY_BYTES :]
        return bytes(keys[KEY_BYTES:] + salts[SALT_BYTES:])  # the relay is DTLS's server: the second half of each

    def _verify(self) -> None:
        certificate = self._tls.get_peer_certificate()
        algorithm, _, announced = self._announced.partition(" ")
        if certificate is None or algorithm.lower() != "sha-256" or _of_peer(certificate) != announced.upper():
            raise HandshakeFailed("DTLS: the relay's certificate is not the one that its offer announced")

    def _flight(self) -> list[bytes]:
        try:
            return list(datagrams(self._tls.bio_read(_FLIGHT)))
        except SSL.WantReadError:
            return []


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, as SDP writes it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _of_peer(certificate: crypto.X509) -> str:
    """The same of a peer's certificate, as OpenSSL has it: to parse it once more takes longer than to hash it."""
    return certificate.digest("sha256").decode()


def datagrams(flight: bytes, most: int = MTU) -> Iterator[bytes]:
    """A flight as datagrams of at most `most` bytes with whole records, but for a record that is longer itself."""
    start = end = 0
    while end + _RECORD_HEADER <= len(flight):
        size = _RECORD_HEADER + int.from_bytes(flight[end + 11 : end + 13], "big")
        if end > start and end + size - start > most:
            yield flight[start:end]
            start = end
        end += size
    if start < len(flight):
        yield flight[start:]
