"""Read the listeners' own reports, straight from their pods, on the wall clock that captured packets have too."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.watching import Watch
from showstopper.availability import outages
from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.outages import Outage
from showstopper.availability.spans import Span, State, Window
from showstopper.availability.tracks import resident_track

PORT = 8090
CODEC_RATE = 48000
POLL_SECONDS = 0.5
"""How often is asked on which port each listener receives: a session lasts longer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one resident reports: all its spans on the wall clock, and counters of its codec so far."""

    listener: str
    spans: tuple[Span, ...]
    concealed_seconds: float
    relay: str | None

    @property
    def live_since(self) -> float | None:
        """Since when it hears the host without a break. None if it does not now."""
        since = None
        for span in reversed(self.spans):
            if span.state is not State.LIVE or (since is not None and since - span.end > 0.001):
                break
            since = span.start
        return since

    @property
    def known_until(self) -> float:
        """The last instant that it reports."""
        return self.spans[-1].end if self.spans else float("-inf")

    def outages(self, window: Window) -> list[Outage]:
        """Its outages in a window, by the operator's own arithmetic."""
        return outages.of_track(resident_track(self.listener, self.spans, window))

    def unknown(self, window: Window) -> float:
        """Seconds of a window that it could not see."""
        track = resident_track(self.listener, self.spans, window)
        return sum(span.seconds for span in track.spans if span.state is State.UNKNOWN)


def read(address: str) -> list[Heard]:
    """The residents of a listener pod, from its whole ring (an hour)."""
    return heard(_ask(address, after=0))


def _ask(address: str, *, after: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{address}:{PORT}/v1/spans?after={after}", timeout=5) as answer:
        document: dict[str, Any] = json.load(answer)
        return document


class Ports(Watch):
    """On which UDP ports each resident has received, noted for as long as it is open (a context manager).

    Several listeners share a pod. With each new connection a listener receives on another port.
    """

    def __init__(self, pods: Mapping[str, str]) -> None:
        """`pods` maps names to addresses."""
        super().__init__()
        self._pods = dict(pods)
        self._after = dict.fromkeys(pods, 0)
        self._ports: dict[str, set[int]] = defaultdict(set)

    def of(self, listener: str) -> frozenset[int]:
        """All ports of that listener so far."""
        return frozenset(self._ports[listener])

    def watch(self) -> None:
        """Ask every pod now and then."""
        while not self.done.wait(POLL_SECONDS):
            for pod, address in self._pods.items():
                with contextlib.suppress(OSError):  # a pod that is late is asked again
                    document = _ask(address, after=self._after[pod])
                    self._after[pod] = document["next"]
                    for entry in document["listeners"]:
                        if entry["kind"] == "Resident" and entry.get("localPort"):
                            self._ports[entry["listener"]].add(entry["localPort"])


def heard(document: dict[str, Any]) -> list[Heard]:
    """The residents in a feed's document.

    The pod reads both clocks at once. Their distance puts its spans on the wall clock.
    """
    clock = document["clock"]
    feed = parse_feed(document, offset=clock["wall"] - clock["monotonic"])
    return [
        Heard(
            listener=sample.listener,
            spans=tuple(span.shifted(feed.offset) for span in _spans(feed, sample.listener)),
            concealed_seconds=sample.concealed_samples / CODEC_RATE,
            relay=sample.relay_address,
        )
        for sample in feed.listeners
        if sample.kind == "Resident"
    ]


def _spans(feed: Feed, listener: str) -> list[Span]:
    """Closed spans in order, and the open one as far as it reaches beyond them."""
    closed = sorted((span for span in feed.spans if span.listener == listener), key=lambda span: span.start)
    closed_until = closed[-1].end if closed else float("-inf")
    tails = [span.clipped(max(closed_until, span.start), span.end) for span in feed.open if span.listener == listener]
    return [*closed, *(tail for tail in tails if tail is not None)]
