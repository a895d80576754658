"""ConcealedRatio: how much of what residents heard their players had made up, because packets were lost or late."""

from showstopper.availability.indicators.aggregates import Count, share
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement
from showstopper.availability.statistics import SAMPLES_PER_SECOND
from showstopper.availability.tracks import View
from showstopper.availability.units import FLAW_SHARE

_MADE_UP = Count(part=lambda row: row.concealed, whole=lambda row: row.samples, per_second=SAMPLES_PER_SECOND)
_NOTHING = "no resident's player gave out a sample in this window, as far as is known"


def concealed_ratio(view: View) -> Measurement:
    """Samples that were made up, over all samples of all residents.

    W3C webrtc-stats: `concealedSamples` without `silentConcealedSamples`. A player fades its synthesis out within about
    0.1 s, and the silence after it is dead air, which other indicators measure. Microsoft's Call Quality Dashboard
    calls an audio stream poor above 7 %.
    """
    return share(CONCEALED_RATIO, view, _MADE_UP, _NOTHING)


CONCEALED_RATIO = Indicator(
    name="ConcealedRatio",
    rank=90,
    meaning="Samples that residents' players made up for lost or late packets, over all that they gave out. Silence "
    "that a player made up does not count: it is dead air.",
    unit=FLAW_SHARE,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: concealed_ratio(view),
)
