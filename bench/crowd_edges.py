"""How true a crowd's edges are: a relay stands still again and again, and pauses are compared with captured packets.

On loopback, with a relay and a host of its own. The relay is stopped for less time than sessions last: so each pause
begins with the last packet before it and ends with what was held up. The capture is a raw socket beside the crowd's,
and the kernel stamps a packet once for both: what is tried is which packets were seen, and what became of their times.
"""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import report
from bench.capture import Capture
from bench.comparing import MISSED_SECONDS, SEEN_SECONDS
from bench.loopback import Loopback, loopback
from bench.packets import Gap, Packet, gaps
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.listener import Listener
from showstopper.availability.spans import Window

SIZE = 20
CORE = 1
SHORTEST_SECONDS, LONGEST_SECONDS = 0.6, 4.0
CALM_SECONDS = 2.0
HEARD_SECONDS = 60.0
PLACE = "loopback"


@dataclass(frozen=True, slots=True)
class Edges:
    """What came of one listener. `differences` are those of beginnings and ends of pauses that both have, in seconds.

    `missed` are gaps that the crowd has no pause for, `invented` pauses without a gap.
    """

    differences: tuple[float, ...]
    missed: int
    invented: int


def compare(captured: Sequence[Gap], pauses: Sequence[Window]) -> Edges:
    """One listener's pauses beside its gaps, all on one clock.

    Gaps and pauses of MISSED_SECONDS and more must be in both. Shorter ones may be what was only held up.
    """
    differences: list[float] = []
    missed = 0
    for gap in captured:
        beside = [pause for pause in pauses if pause.start < gap.end and pause.end > gap.start]
        if len(beside) == 1:
            differences += [abs(beside[0].start - gap.start), abs(beside[0].end - gap.end)]
        elif gap.seconds >= MISSED_SECONDS:
            missed += 1
    invented = sum(not any(pause.start < gap.end and pause.end > gap.start for gap in captured) for pause in pauses)
    return Edges(tuple(differences), missed, invented)


def figures(edges: Sequence[Edges]) -> dict[str, report.Figure]:
    """For accuracy.json. Lengths are in milliseconds."""
    differences = [each for listener in edges for each in listener.differences]
    return {
        "crowd_edges": len(differences),
        "crowd_edges_p50_ms": report.milliseconds(report.percentile(differences, 0.5)),
        "crowd_edges_p95_ms": report.milliseconds(report.percentile(differences, 0.95)),
        "crowd_edges_max_ms": report.milliseconds(max(differences, default=None)),
        "crowd_missed": sum(listener.missed for listener in edges),
        "crowd_invented": sum(listener.invented for listener in edges),
    }


def run(freezes: int) -> list[Edges]:
    """Stop the relay so many times, and compare: one for each listener. Needs root."""
    with tempfile.TemporaryDirectory() as folder, loopback(Path(folder), CORE) as running:
        return asyncio.run(_measure(running, freezes))


class _Ported(Crowd):
    """A crowd of which it is known on which ports each listener was sent its media."""

    def __init__(self, running: Loopback) -> None:
        super().__init__(running.room, SIZE, spread_seconds=0.5)
        self.ports: defaultdict[int, set[int]] = defaultdict(set)

    def entered(self, slot: int, listener: Listener) -> None:
        """A new session has a port of its own."""
        assert listener.session is not None
        self.ports[slot].add(listener.session.transport.socket.getsockname()[1])
        super().entered(slot, listener)


async def _measure(running: Loopback, freezes: int) -> list[Edges]:
    async with _Ported(running) as crowd:
        await _all_hear(crowd)
        with Capture.here(PLACE) as capture:
            since = time.monotonic()
            await asyncio.sleep(CALM_SECONDS)
            for number in range(freezes):
                report.console.print(f"crowd: the relay stands still, {number + 1} of {freezes}")
                running.relay.send(signal.SIGSTOP)
                await asyncio.sleep(random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
                running.relay.send(signal.SIGCONT)
                await asyncio.sleep(CALM_SECONDS)
                await _all_hear(crowd)
            until = time.monotonic()
            await asyncio.sleep(1.0)
            offset = time.time() - time.monotonic()
            packets = capture.packets(PLACE, since + offset)
        crowd.sweep()
        return _compared(crowd, packets, Window(since, until), offset)


def _compared(crowd: _Ported, packets: Iterable[Packet], window: Window, offset: float) -> list[Edges]:
    pauses: defaultdict[int, list[Window]] = defaultdict(list)
    for pause in crowd.ledger.pauses:
        if window.start <= pause.start and pause.end <= window.end:
            pauses[pause.slot].append(Window(pause.start + offset, pause.end + offset))
    by_port: Mapping[int, list[Packet]] = _by_port(packets)
    edges = []
    for slot in range(crowd.size):
        own = [packet for port in crowd.ports[slot] for packet in by_port.get(port, [])]
        captured = [gap for gap in gaps(own, longer_than=SEEN_SECONDS) if gap.end <= window.end + offset]
        edges.append(compare(captured, pauses[slot]))
    return edges


def _by_port(packets: Iterable[Packet]) -> dict[int, list[Packet]]:
    by_port: defaultdict[int, list[Packet]] = defaultdict(list)
    for packet in packets:
        by_port[packet.port].append(packet)
    return by_port


async def _all_hear(crowd: Crowd) -> None:
    """Wait until everybody has packets. Raises TimeoutError."""
    async with asyncio.timeout(HEARD_SECONDS):
        while crowd.present < crowd.size or not bool(np.all(crowd.ledger.last_at > time.monotonic() - 0.5)):
            await asyncio.sleep(0.1)
