"""Packet floods as they are declared, and the two parts of them that agents do: the gate, and counting what arrives."""

from typing import Annotated

from pydantic import Field

from showstopper.api.faults.crowd import CrowdFault
from showstopper.api.faults.gates import Arrivals, Gate
from showstopper.api.schema.base import Name, PortNumber, Status, Text
from showstopper.api.schema.rules import Rule
from showstopper.api.schema.shapes import Shape

_A_BUDGET = "as fast as possible needs a budget: write packets, or a rate in packets a second"
_RTP_SIZE = "an RTP packet has a header of 12 bytes: write a size of 12 to 1472"
_STUN_SIZE = "a STUN packet has a header of 20 bytes, and its size is a multiple of 4: write a size of 20 to 1472"

Size = Annotated[int, Field(ge=1, le=1472)]


class PacketFlood(CrowdFault):
    """A flooder in the room's namespace sends UDP packets to the targets, and to nobody else."""

    port: Name
    """The UDP port of the targets that is flooded, by its name in the room. Of a range, one port: the lowest from which
    residents get the targets' sound when the flood begins, or the first of the range if that is not known."""
    shape: Shape = Shape.RTP
    """What the packets look like: Random, RTP (of no stream that the room knows) or STUN (binding requests)."""
    size: Size = 172
    """Bytes of UDP payload in each packet; 172 is Opus at 64 kbit/s with its RTP header."""
    rate: Annotated[int, Field(ge=1, le=5_000_000)] | None = None
    """Packets a second, to all targets together; left out: as fast as one core can, and then packets is needed."""
    packets: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """No more than so many, to all targets together; left out: what the rate needs for the duration."""
    sources: Annotated[int, Field(ge=1, le=256)] = 1
    """Source ports that take turns."""

    rules = (
        Rule(
            "has(self.rate) || has(self.packets)",
            _A_BUDGET,
            holds=lambda flood: flood.rate is not None or flood.packets is not None,
        ),
        Rule(
            "self.shape != 'RTP' || self.size >= 12",
            _RTP_SIZE,
            holds=lambda flood: flood.shape is not Shape.RTP or flood.size >= 12,
        ),
        Rule(
            "self.shape != 'STUN' || (self.size >= 20 && self.size % 4 == 0)",
            _STUN_SIZE,
            holds=lambda flood: flood.shape is not Shape.STUN or (flood.size >= 20 and flood.size % 4 == 0),
        ),
    )


class FloodFigures(Status):
    """What a flooder said at its end."""

    ended_by: Text
    """What ended the flood: Packets or Seconds of its budget, its absolute End, Terminated from outside, or NoGate."""
    packets: int
    """Number of packets that its kernel took. What is sent after the gate was shut is among them."""
    refused: int = 0
    """Number of packets that its kernel refused."""


class FloodGate(Gate):
    """The target is a flooder: only what it sends to this UDP port of the peers passes, and only under the lease."""

    port: PortNumber
    """UDP port that the flood is sent to."""
    size: Size
    """Bytes of UDP payload in each packet of the flood, by which its packets are recognised."""


class FloodArrivals(Arrivals):
    """Count what arrives from the peers, which are flooders, at a UDP port of the targets; nothing is changed."""

    port: PortNumber
    """UDP port that the flood is sent to."""
    size: Size
    """Bytes of UDP payload in each packet of the flood, by which its packets are recognised."""
