"""Clips: seconds of one listener each, in a room whose sound is known, and what it was sent in truth."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from showstopper.audio.crowd.matching.follower import Follower, Sample
from showstopper.audio.crowd.matching.reference import Recordings, Reference
from showstopper.audio.crowd.matching.sampling import ChosenPackets, Sampler, random_twentieth
from showstopper.audio.crowd.packets import Packets
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.media import PACKET_SECONDS
from showstopper.availability.spans import State
from tests.support.shows import LOOKAHEAD_SECONDS, MONOTONIC, Part, Show, show, wall

SHOW_SECONDS = 30.0
CLIPS_PER_SHOW = 100
SWEEP_SECONDS = 0.05
JITTER_SECONDS = 0.004
EDGE_SECONDS = 0.1
"""So near to the limit of Stale a packet, which is 20 ms of sound, may be either."""

EITHER, EDGE = "Live or Stale", "edge"
"""What a packet is that is too near to that limit, and one that is more than one sound."""

RULES = Rules()


@dataclass(frozen=True)
class Sent:
    """A packet that a listener was sent: which of which show, and when it came."""

    at: float
    sequence: int
    show: Show
    number: int
    ssrc: int
    is_spoilt: bool = False
    held: float = 0.0
    """Seconds that it came later than it was due. How late what comes in a burst is heard is not known better."""

    @property
    def payload(self) -> bytes | None:
        return None if self.is_spoilt else self.show.packets[self.number]

    def truth(self) -> State | None:
        """What it is for this listener, or nothing: it is more than one sound, or too near to a limit."""
        if self.is_spoilt:
            return State.NO_MEDIA
        states = {self._state(part) for part in self.show.truth[self.number]}
        return states.pop() if len(states) == 1 else None

    def is_live(self) -> bool:
        """Whether all of it is the host's, and fresh. At the limit it may pass for that."""
        return not self.is_spoilt and all(
            part.kind in (State.LIVE, State.STALE) and self._age(part) < RULES.stale_seconds + EDGE_SECONDS + self.held
            for part in self.show.truth[self.number]
        )

    def _age(self, part: Part) -> float:
        spoken = MONOTONIC + (self.number + 1) * PACKET_SECONDS - LOOKAHEAD_SECONDS - part.age
        return self.at - spoken

    def _state(self, part: Part) -> State | None:
        if part.kind not in (State.LIVE, State.STALE):
            return part.kind
        over = self._age(part) - RULES.stale_seconds
        return None if abs(over) < EDGE_SECONDS + self.held else State.STALE if over > 0 else State.LIVE


@dataclass
class Clip:
    slot: int
    sent: list[Sent]
    told: list[HeardSpan] = field(default_factory=list)


def random_show(draw: random.Random, seconds: float = SHOW_SECONDS) -> Show:
    """Live and not, one after the other, from 0.2 to 2.5 s each."""
    parts = [Part(State.LIVE, 1.0)]
    while sum(part.seconds for part in parts) < seconds:
        kind = draw.choice([State.LIVE, State.LIVE, State.LIVE, State.HOLD, State.STALE, State.SILENT, State.GARBLED])
        age = draw.choice([5.5, 7.0, 60.0, 400.0]) if kind is State.STALE else draw.choice([0.1, 0.1, 2.0, 4.5])
        parts.append(Part(kind, draw.uniform(0.2, 2.5), age, draw.randrange(1000)))
    return show(parts)


def random_clip(draw: random.Random, slot: int, room: Show, elsewhere: Show) -> Clip:
    """A listener of the room for some seconds, at whom something may happen in the middle."""
    length = draw.randint(150, 300)
    start = draw.randrange(50, len(room.packets) - length)
    late = draw.choice([0.0, 0.05, 0.3, 0.3, 0.3, 3.0, 8.0, 20.0]) + draw.random() * 0.02
    first, loss, ssrcs = draw.getrandbits(16), draw.choice([0, 0, 0, 0.02]), draw.sample(range(2**32), 2)
    event, begins, ends = _event(draw, length)
    jump = {"replay": -draw.randint(1, 100), "skip": draw.randint(1, 50)}.get(event, 0)
    held = draw.uniform(0.2, 4.0) if event == "pause" else 0.0
    burst = begins + draw.randint(5, 12) if event == "burst" else 0  # the packet that those before it are held up for
    sent = list[Sent]()
    for place in range(length):
        inside, after = begins <= place < ends, place >= begins
        foreign = inside and event in ("another track", "another sound")
        show, number = (elsewhere, place) if foreign else (room, start + place + jump * after)
        lost = draw.random() < loss or (inside and event == "loss") or not 0 <= number < len(show.packets)
        due, jitter = place, draw.random() * JITTER_SECONDS
        if begins <= place < burst:  # in their order
            due, jitter = burst, (place - burst) * 1e-6
        came = MONOTONIC + (start + due + 1) * PACKET_SECONDS + late + held * after + jitter
        if not lost:
            ssrc = ssrcs[inside and event == "another track"]
            sent.append(
                Sent(
                    came,
                    (first + place) & 0xFFFF,
                    show,
                    number,
                    ssrc,
                    inside and event == "spoilt",
                    (due - place) * PACKET_SECONDS,
                )
            )
    return Clip(slot, sent)


def _event(draw: random.Random, length: int) -> tuple[str, int, int]:
    """What happens, from which packet to which.

    What replaces packets one for one lasts longer than a second: between two samples it would not be noticed.
    """
    event = draw.choice(
        ["nothing"] * 4 + ["another track", "another sound", "spoilt", "replay", "skip", "pause", "burst", "loss"]
    )
    shortest, longest = (55, 100) if event in ("another sound", "spoilt") else (1, 60)
    begins = draw.randint(10, length - 110)
    return event, begins, begins + draw.randint(shortest, longest)


def listen(room: Show, clips: list[Clip], seed: int) -> None:
    """Let the listeners of the clips be followed, beside a reference that hears the room."""
    recordings = Recordings()
    reference = Reference(recordings, RULES, wall)
    followers = [Follower(recordings, RULES) for _ in clips]
    sampler = Sampler(len(clips), random_twentieth(len(clips), np.random.default_rng(seed)))
    between: dict[int, list[bytes | None]] = {}
    by_sweep: dict[int, list[tuple[Clip, Sent]]] = {}
    for clip in clips:
        for sent in clip.sent:
            by_sweep.setdefault(int((sent.at - MONOTONIC) / SWEEP_SECONDS), []).append((clip, sent))
    newest: dict[int, Sent] = {}
    heard_by_reference = 0
    for sweep in range(max(by_sweep) + 100):
        now = MONOTONIC + (sweep + 1) * SWEEP_SECONDS
        while heard_by_reference < len(room.packets):
            at = MONOTONIC + (heard_by_reference + 1) * PACKET_SECONDS
            if at > now:
                break
            reference.take(7, heard_by_reference, room.packets[heard_by_reference], at)
            heard_by_reference += 1
        came = sorted(by_sweep.get(sweep, []), key=lambda pair: (pair[0].slot, pair[1].at))
        earlier, chosen = sampler.choose(_packets(came))
        _take(earlier, newest, followers, between, again=True)
        _take(chosen, dict(enumerate(sent for _, sent in came)), followers, between)
        newest |= {clip.slot: sent for clip, sent in came}
        _take(sampler.choose_last(now), newest, followers, between, again=True)
        reference.look(now)
        for clip, follower in zip(clips, followers, strict=True):
            clip.told += follower.tell(now)


def _packets(came: list[tuple[Clip, Sent]]) -> Packets:
    return Packets(
        slot=np.array([clip.slot for clip, _ in came], np.int64),
        sequence=np.array([sent.sequence for _, sent in came], np.int64),
        ssrc=np.array([sent.ssrc for _, sent in came], np.int64),
        payload_bytes=np.array([len(sent.show.packets[sent.number]) for _, sent in came], np.int64),
        at=np.array([sent.at for _, sent in came], np.float64),
        row=np.arange(len(came)),
    )


def _take(
    chosen: ChosenPackets,
    by_row: Mapping[int, Sent],
    followers: list[Follower],
    between: dict[int, list[bytes | None]],
    *,
    again: bool = False,
) -> None:
    """Let the listeners be followed.

    Args:
        chosen: packets of theirs.
        by_row: what these are.
        followers: of each listener.
        between: what those of whom all is opened were sent since the last sample.
        again: whether such packets were taken before, and are samples only now.
    """
    columns = (chosen.row, chosen.slot, chosen.at, chosen.ssrc, chosen.packets, chosen.octets, chosen.alone)
    fields = zip(*(each.tolist() for each in (*columns, chosen.is_sample)), strict=True)
    for row, slot, at, ssrc, packets, octets, alone, is_sample in fields:
        sent = by_row[row]
        if not is_sample:
            between.setdefault(slot, []).append(sent.payload)
            continue
        opened = between.pop(slot, [])
        if again:
            opened = opened[:-1]
        followers[slot].take(Sample(at, ssrc, sent.sequence, sent.payload, packets, octets, alone, opened))


def compare(clip: Clip, table: Counter[tuple[str, str]]) -> None:
    """Count packets by what each was called and what it was. One that is several sounds is an EDGE."""
    reports = sorted(clip.told, key=lambda heard: heard.start)
    for sent in clip.sent:
        middle = sent.at + PACKET_SECONDS / 2
        called = {heard.state for heard in reports if heard.start <= middle < heard.end}
        assert len(called) <= 1
        state = called.pop() if called else State.UNKNOWN
        truth = sent.truth()
        table[state, truth or (EITHER if sent.is_live() else EDGE)] += 1
