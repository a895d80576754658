"""PacketLoss: how many of the packets that were sent to residents did not arrive."""

from showstopper.availability.indicators.aggregates import Count, share
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement
from showstopper.availability.statistics import PACKETS_PER_SECOND
from showstopper.availability.tracks import View
from showstopper.availability.units import FLAW_SHARE

_LOST = Count(part=lambda row: row.lost, whole=lambda row: row.expected, per_second=PACKETS_PER_SECOND)
_NOTHING = "no packet was expected of any resident in this window, as far as is known"


def packet_loss(view: View) -> Measurement:
    """RTP packets lost over those expected, of all residents together (RFC 3550, section 6.4.1).

    A receiver tells a loss by the gap in the sequence numbers, when the next packet comes: one that was repaired in
    time is not lost, and while nothing comes nothing is known to be lost. A stream that ends with its relay loses
    nothing, it is dead air. Microsoft's Call Quality Dashboard calls an audio stream poor above 10 %.
    """
    return share(PACKET_LOSS, view, _LOST, _NOTHING)


PACKET_LOSS = Indicator(
    name="PacketLoss",
    rank=100,
    meaning="RTP packets that did not arrive, over those that residents expected by their sequence numbers. Packets "
    "that were never sent, as after a relay's death, are not expected: that is dead air.",
    unit=FLAW_SHARE,
    better=Better.LOWER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: packet_loss(view),
)
