"""Shapes of flooded packets. Without pydantic, for the flooder does without it too."""

from enum import StrEnum


class Shape(StrEnum):
    """What the packets look like."""

    RANDOM = "Random"
    """No header of any protocol: it has to be received before it can be thrown away."""
    RTP = "RTP"
    """RTP headers whose sequence numbers and timestamps grow, as Opus at 20 ms has them."""
    STUN = "STUN"
    """STUN binding requests, each a new transaction: a server looks into them before it knows the sender."""
