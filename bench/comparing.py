"""Dead air as listeners report it beside gaps as captured: which belong together, and how they differ. Pure.

What is comparable. Let the last packet before an outage come at a, the first one after it at b. The capture sees the
gap [a + 20 ms, b). The listener hears silence from a + 20 ms + J + C on. J is the delay of its jitter buffer, and C
what the codec makes up when packets end (about 0.1 s). It hears the host again at b + J', where J' is the delay of the
*new* connection's buffer, with what it takes to fill. So heard and captured lengths differ by J' - J - C, which is no
error of either. Packets missing, the listener's other figure (`missingSeconds` of its spans: from the codec's own
statistics, so that what it made up is counted as missing), is about the same instants as the capture: that is the
figure compared here, to the millisecond. The dead air heard, and the seconds that the codec says it made up, are
reported beside it. Media that was held up and came in a burst is late, not missing, in both (bench/packets.py): it can
be heard as silence all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.packets import Gap
from showstopper.audio.media import CODED_PATIENCE_SECONDS, PACKET_SECONDS
from showstopper.availability.outages import Outage

NEAR_SECONDS = 0.5
"""An outage is later than its gap by a buffer and the codec's concealment, together less than this."""

MISSED_SECONDS = 0.5
"""A captured gap longer than this must be in the listener's report."""

SEEN_SECONDS = CODED_PATIENCE_SECONDS - PACKET_SECONDS
"""Gaps down to this are looked at, as the listener does: an outage that no such gap explains is invented."""

BRIDGED_SECONDS = 0.2
"""A shorter gap may be bridged by the codec and its buffer: it counts only where dead air was heard."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One stretch of dead air of one listener, measured twice. Lengths are in seconds.

    `captured` is the media that never came, `missing` the same as the listener reports it, `heard` the dead air.
    `starts_late` and `ends_late`: how much later than in the capture the dead air began and ended. `unknown`: for how
    much of it, at its edges or within, the listener's own process stood still and says that it does not know.
    """

    captured: float
    missing: float
    heard: float
    starts_late: float
    ends_late: float
    unknown: float = 0.0

    @property
    def difference(self) -> float:
        """How far the report is from the capture, without its sign."""
        return abs(self.missing - self.captured)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one listener in one kill."""

    compared: tuple[Comparison, ...]
    missed: tuple[Gap, ...]
    invented: tuple[Outage, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    gaps: tuple[Gap, ...]
    outages: tuple[Outage, ...]


def compare(gaps: Sequence[Gap], outages: Sequence[Outage]) -> Report:
    """Match one listener's gaps (of more than `SEEN_SECONDS`) with its outages, and say what stays alone."""
    groups = _groups(gaps, outages)
    both = [group for group in groups if group.gaps and group.outages]
    alone = [group for group in groups if not (group.gaps and group.outages)]
    return Report(
        compared=tuple(_comparison(group) for group in both),
        missed=tuple(gap for group in alone for gap in group.gaps if gap.seconds > MISSED_SECONDS),
        invented=tuple(outage for group in alone for outage in group.outages),
    )


def _comparison(group: _Group) -> Comparison:
    """Sums of a group: a gap with a burst in its middle is two gaps, and may be heard as one outage."""
    counted = [gap for gap in group.gaps if gap.seconds > BRIDGED_SECONDS or _is_heard(gap, group.outages)]
    counted = counted or list(group.gaps)
    return Comparison(
        captured=sum(gap.missing for gap in counted),
        missing=sum(outage.missing for outage in group.outages),
        heard=sum(outage.dead_air for outage in group.outages),
        starts_late=group.outages[0].start - counted[0].start,
        ends_late=group.outages[-1].end - counted[-1].end,
        unknown=sum(outage.at_most - outage.dead_air for outage in group.outages),
    )


def _is_heard(gap: Gap, outages: Iterable[Outage]) -> bool:
    """Dead air was heard while the gap lasted."""
    return any(outage.start < gap.end and gap.start < outage.end for outage in outages)


def _groups(gaps: Iterable[Gap], outages: Iterable[Outage]) -> list[_Group]:
    """Gaps and outages that touch each other, directly or through others, give or take `NEAR_SECONDS`."""
    everything: list[Gap | Outage] = [*gaps, *outages]
    entries = sorted(everything, key=lambda entry: entry.start)
    groups: list[list[Gap | Outage]] = []
    until = float("-inf")
    for entry in entries:
        if entry.start > until + NEAR_SECONDS:
            groups.append([])
        groups[-1].append(entry)
        until = max(until, entry.end)
    return [
        _Group(
            tuple(entry for entry in group if isinstance(entry, Gap)),
            tuple(entry for entry in group if isinstance(entry, Outage)),
        )
        for group in groups
    ]
