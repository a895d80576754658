"""MouthToEar: how long the host's words took to be heard."""

import math

from showstopper.availability import clocks
from showstopper.availability.clocks import SKEW_SECONDS, HostClock
from showstopper.availability.indicators.aggregates import Figure, percentile
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import View
from showstopper.availability.units import MILLISECONDS

# As for Jitter: one row in twenty may be worse.
QUANTILE = 0.95
_NOTHING = "no resident heard a time code in this window: it needs a managed host (program.host) who is live"


def mouth_to_ear(view: View) -> Measurement:
    """The 95th percentile of the mouth-to-ear delay over all residents' time with live sound.

    The time code says when it was spoken, by the wall clock of the host, and the listener reads its own when it hears
    it: the difference of the clocks is in the delay, and is taken off as far as it is known. By how much each clock is
    ahead of the operator's is known to half of a round trip. A host that has not answered may agree with the operator's
    clock or, on the same node, with the listener's: then the truth lies between the delay with and without the
    correction. Where the two are so far apart that live sound is not told from stale, any delay is possible.
    """

    def figure(row: Statistics) -> Figure | None:
        return _figure(row, clocks.at(view.host_clocks, row.start))

    return percentile(MOUTH_TO_EAR, view, figure, QUANTILE, _NOTHING)


def _figure(row: Statistics, host: HostClock | None) -> Figure | None:
    if row.delay is None:
        return None
    if host is None:
        as_read, corrected = max(0.0, row.delay), max(0.0, row.delay - row.ahead)
        return Figure(corrected, min(as_read, corrected), max(as_read, corrected))
    apart, doubt = row.ahead - host.ahead, row.unsure + host.uncertainty
    value = max(0.0, row.delay - apart)
    if abs(apart) > SKEW_SECONDS:
        return Figure(value, 0.0, math.inf)
    return Figure(value, max(0.0, value - doubt), value + doubt)


MOUTH_TO_EAR = Indicator(
    name="MouthToEar",
    rank=120,
    meaning="From the host's word to the residents' ears, by the time code: what was not exceeded in 95 % of the time "
    "in which they heard the live host. Bounds tell how well the clocks of host and listeners are known.",
    unit=MILLISECONDS,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: mouth_to_ear(view),
)
