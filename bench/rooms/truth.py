"""Truth: the true figure of each indicator, from what was made to happen, and between which bounds all figures lie that
are possible for all that was told.

Written from what the documents say, with nothing of what is tested. Figures are counted cell by cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.rooms import arrivals, outages, recovery, starting, statistics
from bench.rooms.room import ANYTHING, Range, Room, Stretch
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.concealed_ratio import CONCEALED_RATIO
from showstopper.availability.indicators.indicator import Indicator
from showstopper.availability.indicators.jitter import JITTER
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.mouth_to_ear import MOUTH_TO_EAR
from showstopper.availability.indicators.packet_loss import PACKET_LOSS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.indicators.start_delay import START_DELAY
from showstopper.availability.statistics import PACKETS_PER_SECOND, SAMPLES_PER_SECOND


@dataclass(frozen=True)
class Known:
    """How the truth about an indicator is known.

    `true` is the figure if nothing is left out, and NaN if there is none. `possible` is its range for what was told.
    """

    true: Callable[[Room], float]
    possible: Callable[[Room], Range]


def figure(room: Room, indicator: Indicator) -> float:
    """The true figure."""
    return KNOWN[indicator].true(room)


def possible(room: Room, indicator: Indicator) -> Range:
    """Between which figures the truth can be, for all that was told."""
    return KNOWN[indicator].possible(room)


def audible(room: Room) -> float:
    """The part of all residents' cells in the window in which they heard."""
    return 1.0 - float(room.deaf[:, room.times.fault : room.times.end].mean())


def audible_range(room: Room) -> Range:
    """All that is hidden was not heard, or all of it was."""
    window = slice(room.times.fault, room.times.end)
    dead, hidden = room.deaf[:, window], room.hidden[:, window]
    if hidden.all():
        return ANYTHING
    return 1.0 - float((dead | hidden).mean()), 1.0 - float((dead & ~hidden).mean())


def before(room: Room, indicator: Indicator) -> Range | None:
    """The range of a figure about newcomers before the fault. None: the indicator is not about them."""
    figure_before = BEFORE.get(indicator)
    return figure_before(room, (0, room.times.fault)) if figure_before is not None else None


def _of_newcomers(true: Callable[[Room, Stretch], float], bounds: Callable[[Room, Stretch], Range]) -> Known:
    """Of the calls that count in the window."""

    def window(room: Room) -> Stretch:
        return room.times.fault, room.times.end

    return Known(lambda room: true(room, window(room)), lambda room: bounds(room, window(room)))


BEFORE = {
    JOIN_SUCCESS: arrivals.joined_range,
    ARRIVAL_AUDIBLE: arrivals.heard_range,
    TIME_TO_FIRST_AUDIO: arrivals.wait_range,
}
KNOWN: Mapping[Indicator, Known] = {
    AUDIBLE_RATIO: Known(audible, audible_range),
    LONGEST_DEAD_AIR: Known(outages.longest, outages.longest_range),
    OUTAGE_COUNT: Known(outages.count, outages.count_range),
    RECONNECTS: Known(outages.reconnects, outages.reconnects_range),
    RECOVERY_TIME: Known(recovery.recovery, recovery.recovery_range),
    START_DELAY: Known(starting.start_delay, starting.start_delay_range),
    JOIN_SUCCESS: _of_newcomers(arrivals.joined, arrivals.joined_range),
    ARRIVAL_AUDIBLE: _of_newcomers(arrivals.heard, arrivals.heard_range),
    TIME_TO_FIRST_AUDIO: _of_newcomers(arrivals.wait, arrivals.wait_range),
    PACKET_LOSS: Known(
        lambda room: statistics.share(room, "lost", "expected"),
        lambda room: statistics.share_range(room, "lost", "expected", PACKETS_PER_SECOND),
    ),
    CONCEALED_RATIO: Known(
        lambda room: statistics.share(room, "concealed", "samples"),
        lambda room: statistics.share_range(room, "concealed", "samples", SAMPLES_PER_SECOND),
    ),
    JITTER: Known(
        lambda room: statistics.percentile(room, "jitter"),
        lambda room: statistics.percentile_range(room, "jitter"),
    ),
    MOUTH_TO_EAR: Known(
        lambda room: statistics.percentile(room, "delay"),
        lambda room: statistics.percentile_range(room, "delay"),
    ),
}
