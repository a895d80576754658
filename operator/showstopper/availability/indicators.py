"""Indicators: every figure about a room, computed from what is known of a window."""

from collections.abc import Callable, Mapping

from showstopper.api.indicators import Indicator
from showstopper.availability.arriving import arrival_audible, join_success, time_to_first_audio
from showstopper.availability.listening import audible_ratio, longest_dead_air, outage_count, reconnects
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.recovery import Recovery, recovery_time
from showstopper.availability.tracks import View

__all__ = ["Indicator", "Measurement", "Recovery", "measure", "measure_all", "unmeasured"]

_OF_VIEW: Mapping[Indicator, Callable[[View], Measurement]] = {
    Indicator.JOIN_SUCCESS: join_success,
    Indicator.TIME_TO_FIRST_AUDIO: time_to_first_audio,
    Indicator.AUDIBLE_RATIO: audible_ratio,
    Indicator.ARRIVAL_AUDIBLE: arrival_audible,
    Indicator.LONGEST_DEAD_AIR: longest_dead_air,
    Indicator.OUTAGE_COUNT: outage_count,
    Indicator.RECONNECTS: reconnects,
}


def measure(indicator: Indicator, view: View, recovery: Recovery | None = None) -> Measurement:
    """One indicator in a window. RecoveryTime needs to know what to recover from."""
    if indicator is not Indicator.RECOVERY_TIME:
        return _OF_VIEW[indicator](view)
    if recovery is None:
        return unmeasured(indicator, "there is no fault in this window to recover from")
    return recovery_time(view, recovery)


def measure_all(view: View, recovery: Recovery | None = None) -> dict[Indicator, Measurement]:
    """Every indicator in a window."""
    return {indicator: measure(indicator, view, recovery) for indicator in Indicator}
