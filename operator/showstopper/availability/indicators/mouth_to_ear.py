"""MouthToEar: how long the host's words took to be heard."""

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
    it: the difference of the clocks is in the delay. By how much the listener's is ahead of the operator's is known
    from its feed, and taken off. The host's is not read: it may agree with the operator's, or, on the same node, with
    the listener's. So the truth lies between the delay with and without the correction.
    """
    return percentile(MOUTH_TO_EAR, view, _figure, QUANTILE, _NOTHING)


def _figure(row: Statistics) -> Figure | None:
    if row.delay is None:
        return None
    as_read, corrected = max(0.0, row.delay), max(0.0, row.delay - row.ahead)
    return Figure(corrected, min(as_read, corrected), max(as_read, corrected))


MOUTH_TO_EAR = Indicator(
    name="MouthToEar",
    rank=120,
    meaning="From the host's word to the residents' ears, by the time code: what was not exceeded in 95 % of the time "
    "in which they heard the live host. Bounds tell how far the clocks are apart.",
    unit=MILLISECONDS,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: mouth_to_ear(view),
)
