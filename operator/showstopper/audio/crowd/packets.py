"""Packets of sound as arrays: what many datagrams' headers say, read at once. Nothing is decrypted.

RTP is told from STUN and DTLS by its first byte (RFC 7983), from RTCP by its second (RFC 5761). Under SRTP header and
length are in clear (RFC 3711).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

RTP_HEADER = 12
SRTP_TAG = 10
"""Length of the tag of SRTP_AES128_CM_SHA1_80."""

_TOO_LONG = 1 << 20

STUN_BELOW = 4
DTLS_FIRST, DTLS_LAST = 20, 63


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets of sound, ordered by slot, and within a slot as they arrived.

    Attributes:
        slot: whose socket received it.
        sequence: RTP sequence number.
        ssrc: which stream it belongs to.
        payload_bytes: how many bytes of Opus it holds.
        at: when the kernel received it, in monotonic seconds.
        row: which of the datagrams it is.
    """

    slot: Ints
    sequence: Ints
    ssrc: Ints
    payload_bytes: Ints
    at: Floats
    row: Ints

    def __len__(self) -> int:
        return len(self.slot)


def sound(data: Bytes, length: Ints, slot: Ints, at: Floats) -> Packets:
    """The packets of sound among datagrams.

    Args:
        data: the beginning of each datagram, one a row, at least its RTP header.
        length: bytes that each had.
        slot: whose it is.
        at: monotonic seconds.
    """
    held = payload_bytes(data, length)
    chosen = np.nonzero(is_rtp(data, length) & (held >= 0))[0]
    words = data[:, :RTP_HEADER].view(">u4")
    return Packets(
        slot=slot[chosen],
        sequence=words[:, 0][chosen].astype(np.int64) & 0xFFFF,
        ssrc=words[:, 2][chosen].astype(np.int64),
        payload_bytes=held[chosen],
        at=at[chosen],
        row=chosen,
    )


def first_of_each(values: Ints) -> Flags:
    """Where another value begins than the one before."""
    begins = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins


def is_rtp(data: Bytes, length: Ints) -> Flags:
    """Which datagrams are RTP."""
    is_rtcp = (data[:, 1] >= 192) & (data[:, 1] <= 223)
    return np.asarray(((data[:, 0] & 0xC0) == 0x80) & ~is_rtcp & (length >= RTP_HEADER + SRTP_TAG))


def is_session(data: Bytes, length: Ints) -> Flags:
    """Which datagrams are STUN or DTLS, and so for the listener itself."""
    first = data[:, 0]
    return (length > 0) & ((first < STUN_BELOW) | ((first >= DTLS_FIRST) & (first <= DTLS_LAST)))


def payload_bytes(data: Bytes, length: Ints) -> Ints:
    """Bytes of payload under SRTP: without header, contributors, extension and tag. Negative for what is no RTP."""
    first = data[:, 0].astype(np.int64)
    header = RTP_HEADER + 4 * (first & 0x0F)
    extended = np.nonzero((first & 0x10) != 0)[0]  # LiveKit adds an extension only if the host sent one
    if len(extended):
        header[extended] += _extension_bytes(data[extended], length[extended], header[extended])
    return np.asarray(length - header - SRTP_TAG)


def _extension_bytes(data: Bytes, length: Ints, at: Ints) -> Ints:
    """Bytes of the header extension that begins there (RFC 3550, 5.3.1). Too many where it is cut off."""
    rows, last = np.arange(len(data)), data.shape[1] - 1
    words = data[rows, np.minimum(at + 2, last)].astype(np.int64) << 8 | data[rows, np.minimum(at + 3, last)]
    is_whole = at + 4 <= np.minimum(length, data.shape[1])
    return np.where(is_whole, 4 + 4 * words, _TOO_LONG)
