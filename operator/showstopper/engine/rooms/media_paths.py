"""Media paths: from which addresses the residents of a room get their sound now. Pure."""

from collections import Counter
from collections.abc import Iterator

from showstopper.availability.spans import Kind
from showstopper.availability.timeline import Timeline

FRESH_SECONDS = 3.0
"""Media flows to a listener if its last packet, and the look at it, are younger."""


def of_residents(timeline: Timeline, now: float) -> Iterator[tuple[str, int]]:
    """Address and port of each resident that gets media at `now` (unix seconds, on the timeline's clock)."""
    for sample in timeline.latest().values():
        if sample.kind is not Kind.RESIDENT or sample.relay_address is None or sample.last_packet_at is None:
            continue
        if now - min(sample.last_packet_at, sample.sampled_at) < FRESH_SECONDS:
            yield sample.relay_address, sample.relay_port or 0


def serving(timeline: Timeline, now: float) -> dict[tuple[str, int], int]:
    """By address and port of a relay, how many residents get media from it at `now`."""
    return dict(Counter(of_residents(timeline, now)))


def text(address: str, port: int) -> str:
    """Address and port as a record has them: "198.18.1.7:7882", "[2001:db8::7]:7882"."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
