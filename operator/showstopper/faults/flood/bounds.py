"""Bounds of packet floods: what is refused, whoever asks. The flooder checks again what the operator let through."""

from collections.abc import Iterator
from datetime import timedelta

from showstopper.api.schema.shapes import Shape
from showstopper.faults.flood.sending import Flood

LARGEST = 1472
"""UDP payload of an Ethernet frame of 1500 bytes."""

SMALLEST = {Shape.RANDOM: 1, Shape.RTP: 12, Shape.STUN: 20}
FASTEST = 5_000_000
MOST_PACKETS = 1_000_000_000
MOST_SOURCES = 256
SHORTEST = timedelta(milliseconds=100)
LONGEST = timedelta(minutes=10)


def objections(flood: Flood) -> Iterator[str]:
    """Why a flood may not be sent, as sentences that say what to write instead; none: it may."""
    yield from _of_size(flood.shape, flood.size)
    if flood.rate is not None and not 1 <= flood.rate <= FASTEST:
        yield f"a rate of {flood.rate} is out of bounds: write 1 to {FASTEST} packets a second"
    if flood.rate is None and flood.packets is None:
        yield "as fast as possible needs a budget: say how many packets"
    if flood.packets is not None and not 1 <= flood.packets <= MOST_PACKETS:
        yield f"a budget of {flood.packets} packets is out of bounds: write 1 to {MOST_PACKETS}"
    if not 1 <= flood.sources <= MOST_SOURCES:
        yield f"{flood.sources} sources are out of bounds: write 1 to {MOST_SOURCES}"
    if not SHORTEST <= flood.duration <= LONGEST:
        seconds = flood.duration.total_seconds()
        yield f"{seconds:g} s are out of bounds: write {SHORTEST.total_seconds():g} to {LONGEST.total_seconds():g}"


def _of_size(shape: Shape, size: int) -> Iterator[str]:
    if not SMALLEST[shape] <= size <= LARGEST:
        yield f"{size} bytes do not fit {shape} packets: write {SMALLEST[shape]} to {LARGEST}"
    elif shape is Shape.STUN and size % 4:
        yield f"{size} bytes do not fit STUN packets: their size is a multiple of 4 (RFC 8489, section 5)"
