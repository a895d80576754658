"""Jitter: how unevenly packets reached residents."""

from showstopper.availability.indicators.aggregates import Figure, percentile
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement
from showstopper.availability.statistics import Statistics
from showstopper.availability.tracks import View
from showstopper.availability.units import MILLISECONDS

# One row in twenty may be worse: a maximum would be one hiccup's, and a mean would hide a fault that was short.
QUANTILE = 0.95
_NOTHING = "no packet reached a resident in this window, as far as is known"


def jitter(view: View) -> Measurement:
    """The 95th percentile of the interarrival jitter over all residents' time in which packets came.

    The SDK's estimate (RFC 3550, section 6.4.1), which a new packet moves by a sixteenth, as it stood every two
    seconds. Twilio, Sinch and Microsoft take more than 30 ms for poor.
    """
    return percentile(JITTER, view, _figure, QUANTILE, _NOTHING)


def _figure(row: Statistics) -> Figure | None:
    return None if row.jitter is None else Figure(row.jitter, row.jitter, row.jitter)


JITTER = Indicator(
    name="Jitter",
    rank=110,
    meaning="Interarrival jitter (RFC 3550), read every two seconds: what was not exceeded in 95 % of the residents' "
    "time in which packets came.",
    unit=MILLISECONDS,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: jitter(view),
)
