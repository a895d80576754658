"""The relay's side of a handshake: a server of OpenSSL's."""

from contextlib import suppress

from OpenSSL import SSL

from showstopper.audio.crowd import dtls
from showstopper.audio.crowd.dtls import Identity
from showstopper.audio.crowd.packets import STUN_BELOW

THEIRS = Identity()
FINGERPRINT = f"sha-256 {THEIRS.fingerprint}"
"""As an offer announces it."""

# As a relay does, it asks for the listener's certificate, and lets the signalling judge it.
THEIRS.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)


class DtlsServer:
    """One handshake."""

    def __init__(self) -> None:
        self.tls = SSL.Connection(THEIRS.context)
        self.tls.set_accept_state()

    def take(self, datagram: bytes) -> list[bytes]:
        """What it answers to a datagram. One of STUN is not for it."""
        if datagram[0] < STUN_BELOW:
            return []
        self.tls.bio_write(datagram)
        with suppress(SSL.Error):
            self.tls.do_handshake()
        try:
            return list(dtls.datagrams(self.tls.bio_read(1 << 16)))
        except SSL.WantReadError:
            return []
