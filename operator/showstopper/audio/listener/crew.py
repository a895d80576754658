"""The crew of one listener pod: its residents, the newcomers who are in now, and the ring of what they heard."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

from showstopper.audio.hearing.classify import Rules
from showstopper.audio.lag import Lag
from showstopper.audio.listener.client import Client
from showstopper.audio.settings import ListenerSettings
from showstopper.audio.spans import Entry, Page, Ring, Visit, span_document, statistics_document, visit_document
from showstopper.availability.spans import Kind, Span
from showstopper.availability.statistics import Statistics


class Crew:
    """Who listens in this process, and (`borrowed`, by shift) what the newest report of a process of newcomers says."""

    def __init__(self, settings: ListenerSettings) -> None:
        self.settings = settings
        self.rules = Rules.of_program(settings.program, settings.stale_seconds)
        self.boot = str(uuid.uuid4())
        self.ring = Ring[Entry]()
        self.lag = Lag(self._blind)
        self.borrowed: dict[int, dict[str, Any]] = {}
        self._clients: dict[str, Client] = {}

    def resident(self, index: int) -> Client:
        """A new resident."""
        return self._enter(f"{self.settings.pod}/{index}", Kind.RESIDENT)

    def arrival(self, number: int) -> Client:
        """A new arrival, with a number that was never used since the listener started."""
        return self._enter(f"{self.settings.pod}/a{number}", Kind.ARRIVAL)

    def _enter(self, name: str, kind: Kind) -> Client:
        client = self._clients[name] = Client(self.settings.room, name, kind, self.rules)
        return client

    def record(self, entries: Iterable[Entry]) -> None:
        """Keep what has ended."""
        self.ring.add(entries, time.monotonic())

    def left(self, client: Client, entries: Iterable[Entry]) -> None:
        """A client left. These were its last entries."""
        self._clients.pop(client.name, None)
        self.record(entries)

    def _blind(self, start: float, end: float) -> None:
        for client in self._clients.values():
            client.blind(start, end)

    def document(self, after: int) -> dict[str, object]:
        """The feed: what ended after that number, what goes on, and each listener's figures. All of one moment."""
        now = time.monotonic()
        page = self.ring.after(after)
        lent = list(self.borrowed.values())
        open_spans = [span_document(client.story.open) for client in self._clients.values() if client.story.open]
        listeners = [listener_document(client) for client in self._clients.values()]
        return {
            "boot": self.boot,
            "room": self.settings.room.name,
            "pod": self.settings.pod,
            "clock": {"monotonic": now, "wall": time.time()},
            "lagSeconds": max([round(self.lag.worst(now), 4), *(feed["lagSeconds"] for feed in lent)]),
            "next": page.next,
            "lost": page.lost,
            **page_document(page),
            "open": [*open_spans, *(span for feed in lent for span in feed["open"])],
            "openStatistics": [
                statistics_document(row) for client in self._clients.values() if (row := client.counting()) is not None
            ],
            "listeners": [*listeners, *(listener for feed in lent for listener in feed["listeners"])],
        }


def page_document(page: Page[Entry]) -> dict[str, list[dict[str, object]]]:
    """The entries of a page as the feed says them, by their kind."""
    return {
        "spans": [span_document(entry, number) for number, entry in page.entries if isinstance(entry, Span)],
        "statistics": [
            statistics_document(entry, number) for number, entry in page.entries if isinstance(entry, Statistics)
        ],
        "arrivals": [visit_document(entry, number) for number, entry in page.entries if isinstance(entry, Visit)],
    }


def listener_document(client: Client) -> dict[str, object]:
    """One listener's figures as the feed says them."""
    totals = client.totals()
    path = client.path
    return {
        "listener": client.name,
        "kind": client.kind.value,
        "relay": None if path is None else {"address": path.address, "port": path.port},
        "localPort": None if path is None else path.local_port,
        "packetsReceived": totals.received,
        "packetsLost": totals.lost,
        "lastPacketAt": totals.last_packet_at,
        "concealedSamples": max(0, totals.concealed),
        "totalSamples": totals.total,
        "jitterSeconds": round(totals.jitter, 6),
        "reconnects": client.reconnects,
        "sampledAt": client.sampled_at,
    }
