"""Indicators: the figures about a room that an experiment can bound, and the unit of each."""

from enum import StrEnum


class Unit(StrEnum):
    """What an indicator's number means."""

    SHARE = "Share"  # 0.0 to 1.0, written "76.4%"
    DURATION = "Duration"  # seconds, written "9.48s"
    COUNT = "Count"


class Indicator(StrEnum):
    """What can be measured of a room; computed in `availability.indicators`."""

    JOIN_SUCCESS = "JoinSuccess"
    TIME_TO_FIRST_AUDIO = "TimeToFirstAudio"
    AUDIBLE_RATIO = "AudibleRatio"
    ARRIVAL_AUDIBLE = "ArrivalAudible"
    LONGEST_DEAD_AIR = "LongestDeadAir"
    OUTAGE_COUNT = "OutageCount"
    RECOVERY_TIME = "RecoveryTime"
    RECONNECTS = "Reconnects"

    @property
    def unit(self) -> Unit:
        """The unit of its value and of every bound on it."""
        return _UNITS[self]

    @property
    def bigger_is_better(self) -> bool:
        """Whether a room that is well has a high figure: true of all shares, false of durations and counts."""
        return self.unit is Unit.SHARE


_UNITS = {
    Indicator.JOIN_SUCCESS: Unit.SHARE,
    Indicator.TIME_TO_FIRST_AUDIO: Unit.DURATION,
    Indicator.AUDIBLE_RATIO: Unit.SHARE,
    Indicator.ARRIVAL_AUDIBLE: Unit.SHARE,
    Indicator.LONGEST_DEAD_AIR: Unit.DURATION,
    Indicator.OUTAGE_COUNT: Unit.COUNT,
    Indicator.RECOVERY_TIME: Unit.DURATION,
    Indicator.RECONNECTS: Unit.COUNT,
}
