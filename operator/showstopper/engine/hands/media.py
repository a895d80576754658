"""Media: do listeners still get packets from an address? Pure bookkeeping on what the feeds say."""

from collections.abc import Collection, Mapping

from showstopper.availability.feed import Sample
from showstopper.availability.spans import DISCONNECTED, Span, State
from showstopper.engine.rooms import media_paths

QUIET_SECONDS = 1.0
"""Opus sends a packet every 20 ms: a second without one is 50 packets missing in a row, and no pause of the encoder."""


class MediaWatch:
    """Watches the media of one pod. Feed it what is known, again and again. It remembers the newest packet.

    Args:
        address: of the pod.
        media: the addresses with ports that its media came from (`media_paths.text`): its own, its node's or those of a
            Service. Empty: it did not serve, and only the pod's own address could be its.
        others_known: whether media from any other address is certainly not the pod's.
    """

    def __init__(self, address: str, media: Collection[str] = (), *, others_known: bool = True) -> None:
        self._address = address
        self._media = frozenset(media)
        self._others_known = others_known
        self.last_packet: float | None = None
        self._stopped: set[str] = set()

    def observe(self, samples: Mapping[str, Sample]) -> None:
        """Note the newest packet from the address at any listener, on the operator's clock."""
        for sample in samples.values():
            if sample.last_packet_at is not None and self._is_from_pod(sample):
                self.last_packet = max(self.last_packet or 0.0, sample.last_packet_at)

    def stopped(
        self,
        residents: Collection[str],
        samples: Mapping[str, Sample],
        current: Mapping[str, Span],
        *,
        since: float,
    ) -> bool:
        """Whether every resident was seen, after `since`, to get nothing from the address. Unseen is not stopped.

        Seen once is enough, whenever: a container that starts anew serves at the same address in a few seconds.
        """
        self._stopped |= {
            resident for resident in residents if self._quiet(samples.get(resident), current.get(resident), since)
        }
        return bool(residents) and self._stopped.issuperset(residents)

    def _quiet(self, sample: Sample | None, span: Span | None, since: float) -> bool:
        if span is not None and span.end >= since + QUIET_SECONDS:
            if span.state in DISCONNECTED:
                return True
            if span.state is State.NO_MEDIA and span.seconds >= QUIET_SECONDS:
                return True
        if sample is None or sample.sampled_at < since:
            return False
        if self._others_known and sample.relay_address is not None and not self._is_from_pod(sample):
            return True
        return sample.last_packet_at is not None and sample.sampled_at - sample.last_packet_at >= QUIET_SECONDS

    def _is_from_pod(self, sample: Sample) -> bool:
        if sample.relay_address is None:
            return False
        if self._media:
            return media_paths.text(sample.relay_address, sample.relay_port or 0) in self._media
        return sample.relay_address == self._address
