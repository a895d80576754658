"""Shapes of flood packets. Without pydantic, because the flooder does not load it."""

from enum import StrEnum


class Shape(StrEnum):
    """Content of the packets."""

    RANDOM = "Random"
    """Random bytes, which a server has to receive before it can discard them."""
    RTP = "RTP"
    """RTP headers with increasing sequence numbers and timestamps, as in Opus at 20 ms."""
    STUN = "STUN"
    """STUN binding requests, each a new transaction, which a server parses before it knows the sender."""
