"""The reference: what was sent in the room within the last minute, packet by packet, and what each packet is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from showstopper.audio.crowd.ledger import SILENT_BYTES
from showstopper.audio.crowd.matching.opus import Undecodable
from showstopper.audio.crowd.matching.recording import KEEP_PACKETS, MOST_CONCEALED, Recording, Sound
from showstopper.audio.crowd.streams import STREAMS
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.media import LATE_SECONDS, PACKET_SECONDS

KEEP_SECONDS = KEEP_PACKETS * PACKET_SECONDS


@dataclass(slots=True)  # not frozen: see Sample in follower.py
class Place:
    """A packet of a recording."""

    recording: Recording
    index: int

    @property
    def sound(self) -> Sound:
        """What it is, as far as that is known."""
        return self.recording.sound(self.index)


class Recordings:
    """The recordings of all reference listeners, and where in them each payload is."""

    def __init__(self) -> None:
        self._places: dict[bytes, list[Place]] = {}
        self._order: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def places(self, payload: bytes) -> list[Place]:
        """Where that payload was sent. Music that repeats itself, and stale sound, may be in several places."""
        return self._places.get(payload, [])

    def add(self, payload: bytes, place: Place, at: float) -> None:
        """A packet was sent at that time. Silence has no place: all of it is the same three bytes."""
        if len(payload) > SILENT_BYTES:
            self._places.setdefault(payload, []).append(place)
            self._order.append((at, payload))

    def forget(self, before: float) -> None:
        """Forget what was sent before."""
        while self._order and self._order[0][0] < before:
            payload = self._order.popleft()[1]
            places = self._places[payload]
            del places[0]
            if not places:
                del self._places[payload]


@dataclass(slots=True)
class _Stream:
    """A stream that goes on: what is recorded of it, and the sequence number of its newest packet."""

    recording: Recording
    last: int


class Reference:
    """One listener, all of whose packets are decoded: 1 % of a core for each stream that it is sent (measured).

    One in a pod is enough for a crowd. With two, what one of them missed is still known by the other.
    """

    def __init__(self, recordings: Recordings, rules: Rules, wall: Callable[[float], float]) -> None:
        """`wall` turns a monotonic time into wall-clock time."""
        self._recordings = recordings
        self._rules = rules
        self._wall = wall
        self._streams: dict[int, _Stream] = {}
        """Those that go on, by SSRC. The one that was heard of longest ago is the first."""

    def take(self, ssrc: int, sequence: int, payload: bytes, at: float) -> None:
        """Take a packet, in the order of their arrival at `at` in monotonic seconds."""
        self.look(at)
        stream = self._streams.pop(ssrc, None)
        step = 1 if stream is None else ((sequence - stream.last + 0x8000) & 0xFFFF) - 0x8000
        if stream is not None and step > 1 + MOST_CONCEALED:
            stream.recording.close()
            stream, step = None, 1
        if stream is None:
            stream = self._begun(at)
        self._streams[ssrc] = stream
        if step < 1:  # late or doubled: its place was filled already
            return
        stream.last = sequence
        self._write(ssrc, step - 1, payload, at)

    def look(self, now: float) -> None:
        """See how late it is: where no packet comes any more, the recording is over.

        One that was only held up goes on: a new one would know nothing of its first two or three tenths of a second.
        """
        for ssrc, stream in list(self._streams.items()):
            if now - stream.recording.last_at > LATE_SECONDS:
                self._end(ssrc)
        self._recordings.forget(now - KEEP_SECONDS)

    def _begun(self, at: float) -> _Stream:
        """A new stream. If there are too many, the one that was heard of longest ago makes room."""
        if len(self._streams) >= STREAMS:
            self._end(next(iter(self._streams)))
        return _Stream(Recording(self._rules, self._wall, at), 0)

    def _end(self, ssrc: int) -> None:
        """The stream is over, or broken."""
        self._streams.pop(ssrc).recording.close()

    def _write(self, ssrc: int, lost: int, payload: bytes, at: float) -> None:
        recording = self._streams[ssrc].recording
        try:
            for _ in range(lost):
                recording.lose()
            recording.take(payload, at)
        except Undecodable:
            self._end(ssrc)
            return
        self._recordings.add(payload, Place(recording, len(recording) - 1), at)
