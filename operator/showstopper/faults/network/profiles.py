"""Profiles: networks of the last mile that people test with, with the figures that others have published. Pure.

Loadero, a service for tests of WebRTC, gives bandwidth, loss, latency and jitter of each way (Mobile4G is its 4G,
Mobile3G its 3G, Satellite its satellite phone): https://wiki.loadero.com, page "Network conditions".
BrowserStack's `4g-lte-lossy` and `3g-umts-lossy` have a bandwidth of each way, one loss, one latency and no jitter:
https://www.browserstack.com/docs/automate/selenium/simulate-network-conditions. It does not say whether that latency is
of one way. A good 4G has 100 ms there, so it is taken for the round trip, and each way has half of it.
Both were read in November 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from showstopper.api.faults.network import Bandwidth, Direction, Profile


@dataclass(frozen=True, slots=True)
class Link:
    """One way of a network.

    Attributes:
        limit: of its bandwidth. The sources do not say how long packets wait for it: as long as by default.
        latency: in milliseconds.
        jitter: half the width of an even spread around the latency, in milliseconds.
        loss: share of the packets.
    """

    limit: Bandwidth
    latency: int
    jitter: int = 0
    loss: float = 0.0

    @property
    def delay(self) -> timedelta:
        """The latency as a duration."""
        return timedelta(milliseconds=self.latency)

    @property
    def spread(self) -> timedelta:
        """The jitter as a duration."""
        return timedelta(milliseconds=self.jitter)


def _link(rate: str, latency: int, jitter: int = 0, loss: float = 0.0) -> Link:
    return Link(Bandwidth(rate=rate), latency, jitter, loss)


LINKS: Mapping[Profile, Mapping[Direction, Link]] = {
    Profile.MOBILE_4G: {
        Direction.INGRESS: _link("100Mbit", 45, 5, 0.002),
        Direction.EGRESS: _link("50Mbit", 45, 15, 0.002),
    },
    Profile.LOSSY_4G: {
        Direction.INGRESS: _link("7Mbit", 60, loss=0.01),
        Direction.EGRESS: _link("3Mbit", 60, loss=0.01),
    },
    Profile.MOBILE_3G: {
        Direction.INGRESS: _link("1200kbit", 250, 50, 0.005),
        Direction.EGRESS: _link("1200kbit", 250, 50, 0.005),
    },
    Profile.LOSSY_3G: {
        Direction.INGRESS: _link("200kbit", 100, loss=0.01),
        Direction.EGRESS: _link("50kbit", 100, loss=0.01),
    },
    Profile.EDGE: {
        Direction.INGRESS: _link("200kbit", 650, 100, 0.01),
        Direction.EGRESS: _link("260kbit", 650, 100, 0.01),
    },
    Profile.SATELLITE: {
        Direction.INGRESS: _link("1000kbit", 600),
        Direction.EGRESS: _link("256kbit", 600),
    },
}
"""Both ways of each network: the downlink is what comes to its user."""
