"""The SDK's statistics, read: how many packets came over which track, and which relay sends them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from showstopper.audio.clock import SampleClock
from showstopper.audio.media import Poll


@dataclass(frozen=True, slots=True)
class Path:
    """The way media takes: the relay's address and port, and the port on which it is received here (0: unknown)."""

    address: str
    port: int
    local_port: int = 0


STAMPS = 1_000_000
"""The statistics' time stamps are in microseconds, of the SDK's own idea of the wall clock."""


def polls(statistics: Iterable[Any], stamps: SampleClock, at: float) -> list[Poll]:
    """The figures of each audio track that comes in, of statistics that we had at monotonic time `at`.

    `stamps` learns how the statistics' clock stands against ours: on a busy machine an answer reaches us tens of
    milliseconds after it was true, and packets would seem to come later than they did.
    """
    figures = []
    for entry in statistics:
        if entry.WhichOneof("stats") != "inbound_rtp" or entry.inbound_rtp.stream.kind not in ("audio", ""):
            continue
        rtp = entry.inbound_rtp
        stamps.arrived(rtp.rtc.timestamp, at)
        last = rtp.inbound.last_packet_received_timestamp
        figures.append(
            Poll(
                source=f"{rtp.stream.ssrc}/{rtp.inbound.track_identifier}",
                at=stamps.time_of(rtp.rtc.timestamp),
                received=rtp.received.packets_received,
                lost=rtp.received.packets_lost,
                last_packet_at=stamps.time_of(round(last * 1000)) if last and rtp.received.packets_received else None,
                concealed=rtp.inbound.concealed_samples - rtp.inbound.silent_concealed_samples,
                made_up=rtp.inbound.concealed_samples,
                total=rtp.inbound.total_samples_received,
                jitter=rtp.received.jitter,
            )
        )
    return figures


def path(statistics: Iterable[Any]) -> Path | None:
    """The way of the candidate pair on which the last packet came. Before the first packet: of the selected pair.

    Media may come over another pair than the one that this side has selected. A peer-reflexive candidate's address is
    redacted. Then another remote candidate of the same transport names the relay.
    """
    entries: dict[str, dict[str, Any]] = {
        kind: {} for kind in ("transport", "candidate_pair", "remote_candidate", "local_candidate")
    }
    for entry in statistics:
        kind = entry.WhichOneof("stats")
        if kind in entries:
            body = getattr(entry, kind)
            entries[kind][body.rtc.id] = body
    selected = {entry.transport.selected_candidate_pair_id for entry in entries["transport"].values()}
    pairs = [
        (entry.candidate_pair.last_packet_received_timestamp, key in selected, key)
        for key, entry in entries["candidate_pair"].items()
    ]
    newest, is_selected, key = max(pairs, default=(0.0, False, ""))
    if not newest and not is_selected:
        return None
    pair = entries["candidate_pair"][key].candidate_pair
    local = entries["local_candidate"].get(pair.local_candidate_id)
    chosen = entries["remote_candidate"].get(pair.remote_candidate_id)
    same = [each for each in entries["remote_candidate"].values() if each.candidate.transport_id == pair.transport_id]
    for remote in [chosen, *same]:
        if remote is not None and remote.candidate.address:
            return Path(remote.candidate.address, remote.candidate.port, local.candidate.port if local else 0)
    return None


def answered_at(statistics: Iterable[Any], at: float) -> float | None:
    """When the relay's last packet of any kind came. None if there is no connection."""
    times = []
    for entry in statistics:
        if entry.WhichOneof("stats") != "candidate_pair":
            continue
        pair = entry.candidate_pair
        if pair.candidate_pair.last_packet_received_timestamp:
            ago = pair.rtc.timestamp / 1e6 - pair.candidate_pair.last_packet_received_timestamp / 1e3
            times.append(at - max(0.0, ago))
    return max(times, default=None)


def taken(statistics: Iterable[Any]) -> bool:
    """Whether the relay has said that it receives our sound: its receiver reports come once a second, from the first.

    A relay that only answers the pings of the connection may still hear nothing of us.
    """
    return any(entry.WhichOneof("stats") == "remote_inbound_rtp" for entry in statistics)
