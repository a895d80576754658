"""Opens packets of sound: SRTP (RFC 3711) by libsrtp, with the key of the listener's DTLS handshake."""

from __future__ import annotations

import pylibsrtp

from showstopper.audio.crowd.packets import RTP_HEADER

_EXTENDED, _PADDED = 0x10, 0x20


class Unsealer:
    """Opens what one session of one listener was sent.

    It may be given some packets only: libsrtp counts the wraps of sequence numbers (every 22 minutes) by what it sees,
    and once a second is enough for that.
    """

    def __init__(self, key: bytes) -> None:
        """`key` is master key and master salt, as the handshake gives them."""
        policy = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self._session = pylibsrtp.Session(policy)

    def open(self, datagram: bytes) -> bytes | None:
        """The payload, or nothing: the packet is not genuine, was opened before, or was cut off by the sweep."""
        try:
            return payload(self._session.unprotect(datagram))
        except (pylibsrtp.Error, ValueError):  # ValueError: longer than a datagram of sound can be
            return None


def payload(packet: bytes) -> bytes | None:
    """What an RTP packet carries (RFC 3550, 5.1), or nothing if its header does not fit."""
    if len(packet) < RTP_HEADER:
        return None
    start = RTP_HEADER + 4 * (packet[0] & 0x0F)
    if packet[0] & _EXTENDED:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & _PADDED else 0)
    return packet[start:end] if start <= end else None
