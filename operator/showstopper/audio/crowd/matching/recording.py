"""A recording: consecutive packets of one stream, fully decoded, and what each of them is.

The reference is a listener of the crowd that decodes, and not one of the SDK. The SDK gives sound and no packets: its
player holds sound back by a time that changes with the network, so that which packet was heard when would have to be
guessed, and at the edge of hold music a wrong guess is a false Live. Here a packet is exactly one slice of sound. What
a slice is, the project's own ear says, by the same rules as for listeners of the SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from showstopper.audio.clock import SampleClock
from showstopper.audio.crowd.ledger import SILENT_BYTES
from showstopper.audio.crowd.matching.opus import Decoder
from showstopper.audio.hearing.classify import AGREE_SECONDS, Rules, by_delay
from showstopper.audio.hearing.ear import Ear, HeardSpan
from showstopper.audio.hearing.reading import RATE, SLICE, SLICES, WINDOW
from showstopper.availability.spans import State

MOST_CONCEALED = 4
"""Packets in a row that the codec makes up for. More of them are a pause (media.py): a new recording begins."""

KEEP_PACKETS = 60 * 50
"""A minute of them: much longer than a code may be old (5 s), so that old sound is known as such."""

_HOSTS = frozenset({State.LIVE, State.STALE})
_SLICE_SECONDS = SLICE / RATE


@dataclass(frozen=True, slots=True)
class Sound:
    """What a packet is: Hold, Silent, Garbled, or Unknown if that is not clear. The host's is Live, however old.

    `spoken_at` is when the host spoke it, in monotonic seconds. Without a time code it is when the reference got it.
    """

    state: State
    spoken_at: float | None = None

    def heard_at(self, at: float, rules: Rules) -> State:
        """What it is for a listener whom it reached at that time."""
        return self.state if self.spoken_at is None else by_delay(at - self.spoken_at, rules)


UNKNOWN = Sound(State.UNKNOWN)


@dataclass(slots=True)
class _Packet:
    """A packet, and how many there were up to it, with how many bytes. `since` is the first of the same sound."""

    payload: bytes | None
    count: int
    octets: int
    sound: Sound = UNKNOWN
    since: int = 0


@dataclass(frozen=True, slots=True)
class _Slice:
    """What the ear says of a slice. `line` is when the recording's first slice was spoken, by what this one says."""

    state: State
    line: float | None
    sound: Sound


class Recording:
    """Packets by their index, the first is 0. One that was lost has an index, too."""

    def __init__(self, rules: Rules, wall: Callable[[float], float], began: float) -> None:
        """`wall` turns a monotonic time into wall-clock time. `began` is when the first packet came."""
        self.last_at = began
        self._rules = rules
        self._decoder = Decoder()
        self._clock = SampleClock(RATE)
        # The ear counts seconds from the recording's beginning: its slices are then exactly the packets.
        self._ear = Ear(rules, lambda media: wall(self._clock.time_of(0)) + media)
        self._first = 0  # the index that the kept packets begin with
        self._packets: list[_Packet] = []
        self._slices: list[_Slice] = []
        self._identified = 0  # packets whose sound is known, counted from the first one

    def __len__(self) -> int:
        return self._first + len(self._packets)

    def take(self, payload: bytes, at: float) -> None:
        """Take the next packet.

        Raises:
            Undecodable: if it cannot be decoded. The recording is to be closed then.
        """
        samples = self._decoder.decode(payload)
        self.last_at = at
        self._clock.arrived((len(self) + 1) * SLICE, at)
        self._hear(payload, samples)

    def lose(self) -> None:
        """The next packet was lost."""
        self._hear(None, self._decoder.conceal())

    def close(self) -> None:
        """No packet follows: what is known by now of the last ones is all. What was needed to hear more is let go."""
        # To the ear silence follows, window by window: of an end it would say at once what most of it is.
        for window in range(1, self._rules.margin + 1):
            self._ear.listen(np.zeros(WINDOW, np.int16), (len(self) + window * SLICES) * _SLICE_SECONDS)
            self._note(self._ear.heard())
        del self._decoder, self._ear, self._slices

    def payload(self, index: int) -> bytes | None:
        """What that packet held, or nothing: it was lost, is forgotten, or has not come."""
        return None if (packet := self._packet(index)) is None else packet.payload

    def sound(self, index: int) -> Sound:
        """What that packet is. Unknown as long as what follows may still change it, for 0.8 s."""
        return UNKNOWN if (packet := self._packet(index)) is None else packet.sound

    def changes(self, first: int, last: int) -> list[int]:
        """The packets after the one and up to the other with which another sound begins, from the last one back."""
        begins = []
        while (index := self._since(last)) > first:
            begins.append(index)
            last = index - 1
        return begins

    def packets(self, first: int, last: int) -> tuple[int, int] | None:
        """How many packets came after the one and up to the other, and how many bytes they held, if that is known."""
        start, end = self._packet(first), self._packet(last)
        if start is None or end is None:
            return None
        return end.count - start.count, end.octets - start.octets

    def holds(self, payloads: Sequence[bytes | None], first: int) -> bool:
        """Whether the packets from that one on held this.

        What could not be opened is as good as lost: a player makes up for some in a row.
        """
        if not self._first <= first <= len(self) - len(payloads):
            return False
        at = first - self._first
        recorded = [packet.payload for packet in self._packets[at : at + len(payloads)]]
        missed = 0
        for ours, theirs in zip(payloads, recorded, strict=True):
            missed = 0 if ours is not None else missed + 1
            if missed > MOST_CONCEALED or (ours is not None and ours != theirs):
                return False
        return True

    def _since(self, index: int) -> int:
        return index if (packet := self._packet(index)) is None else packet.since

    def _packet(self, index: int) -> _Packet | None:
        """The packet of that index, if it is kept."""
        at = index - self._first
        return self._packets[at] if 0 <= at < len(self._packets) else None

    def _hear(self, payload: bytes | None, samples: NDArray[np.int16]) -> None:
        before = self._packets[-1] if self._packets else _Packet(None, 0, 0)
        came, octets = payload is not None, len(payload or b"")
        self._packets.append(_Packet(payload, before.count + came, before.octets + octets, since=len(self)))
        self._ear.listen(samples, len(self) * _SLICE_SECONDS)
        if len(self) % SLICES == 0:  # a window at a time, so that a delay is that of one window
            self._note(self._ear.heard())
        if len(self._packets) > 2 * KEEP_PACKETS:
            del self._packets[:KEEP_PACKETS], self._slices[:KEEP_PACKETS]
            self._first += KEEP_PACKETS

    def _note(self, stretches: list[HeardSpan]) -> None:
        """Note what the ear says of the next slices: of some packets, all that lies around them is then known."""
        for stretch in stretches:
            for _ in range(round((stretch.end - stretch.start) / _SLICE_SECONDS)):
                self._slices.append(self._slice(stretch, self._first + len(self._slices)))
        while self._identified < min(len(self), self._first + len(self._slices) - SLICES):
            self._identify(self._identified - self._first)
            self._identified += 1

    def _identify(self, at: int) -> None:
        """Say what a packet is, whose slice is kept at that place."""
        packet, itself = self._packets[at], self._slices[at]
        near = self._slices[max(0, at - SLICES) : at + SLICES + 1]
        if self._rules.coded and packet.payload is not None and len(packet.payload) <= SILENT_BYTES:
            packet.sound = Sound(State.SILENT)
        elif self._identified >= SLICES and all(_alike(itself, other) for other in near):
            packet.sound = itself.sound
        if at > 0 and self._continues(at):
            packet.since = self._packets[at - 1].since

    def _continues(self, at: int) -> bool:
        """Whether a packet is the same sound as the one before it."""
        sound, before = self._packets[at].sound, self._packets[at - 1].sound
        return sound.state is before.state and (
            sound.spoken_at is None or _alike(self._slices[at], self._slices[at - 1])
        )

    def _slice(self, heard: HeardSpan, index: int) -> _Slice:
        if heard.state is State.UNCLEAR:
            return _Slice(State.UNKNOWN, None, UNKNOWN)
        if heard.state not in _HOSTS:
            return _Slice(heard.state, None, Sound(heard.state))
        came = self._clock.time_of((index + 1) * SLICE)
        if not self._rules.coded:
            return _Slice(State.LIVE, 0.0, Sound(State.LIVE, came))
        if heard.delay is None:  # short, and unclear: the ear bridges it, and here it proves nothing
            return _Slice(State.UNKNOWN, None, UNKNOWN)
        spoken_at = came - heard.delay
        return _Slice(State.LIVE, spoken_at - index * _SLICE_SECONDS, Sound(State.LIVE, spoken_at))


def _alike(first: _Slice, second: _Slice) -> bool:
    """Whether two slices near each other are the same sound.

    A window in which sound changes is classed by what most of it is. So a packet is clear only if all within a window's
    length of it are alike: then no window that it lies in can hold another sound.
    """
    if first.line is None or second.line is None:
        return first.state is second.state
    return abs(first.line - second.line) < AGREE_SECONDS
