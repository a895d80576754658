"""The story of one listener: connection, packets and sound become spans without hole or overlap. Times are given."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.media import Media
from showstopper.availability.spans import Kind, Span, State

SETTLE_SECONDS = 0.15
"""Sound follows the first packet within this, while the player fills its buffer: quiet of a room only after it."""

RANK = (State.LIVE, State.STALE, State.HOLD, State.UNCLEAR, State.GARBLED)
"""Of several tracks, the best counts. Beside one of which nothing clear is known, another is not known to be worse."""

LAST_SECONDS = 0.25
"""The last of a listener's sound that is not heard when it leaves: a frame and a window that were not full yet."""

LIVE_SECONDS = 60.0
"""For how long it is known what delay live sound had: statistics that come late still find it."""

_KEEP = 4096

Stretches = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Statistics:
    """What the statistics say of a stretch of time: where no packet came, where packets came and the player made no
    sound of them, and where what was heard may be the player's own.
    """

    absences: Stretches
    undecoded: Stretches
    doubtful: Stretches

    @property
    def absent(self) -> Iterable[tuple[float, float]]:
        """Where there was no media, with the time that the player takes to sound again."""
        return ((start, end + SETTLE_SECONDS) for start, end in self.absences)


class Story:
    """What one listener went through, from its first call on."""

    def __init__(self, listener: str, kind: Kind, began: float, media: Media) -> None:
        self.listener = listener
        self.kind = kind
        self.media = media
        self.told_until = began
        self.first_sound: float | None = None
        self.first_live: float | None = None
        self._open: Span | None = None
        self._before: Span | None = None
        self._delays: list[tuple[float, float]] = []  # delay, seconds
        self._live: deque[tuple[float, float, float]] = deque(maxlen=_KEEP)  # from, to, delay
        self._connection: deque[tuple[float, State | None]] = deque([(began, State.JOINING)], maxlen=_KEEP)
        self._sounds: deque[HeardSpan] = deque(maxlen=_KEEP)
        self._blind: deque[tuple[float, float]] = deque(maxlen=_KEEP)

    @property
    def open(self) -> Span | None:
        """The span that goes on, as far as it is known."""
        return self._open

    def connection(self, at: float, state: State | None) -> None:
        """From `at` on the connection is Joining or Offline, or stands (None)."""
        self._connection.append((max(at, self._connection[-1][0]), state))

    def sound(self, stretches: list[HeardSpan]) -> None:
        """What an ear heard."""
        self._sounds.extend(stretches)
        for heard in stretches:
            if self.first_sound is None and heard.state is not State.SILENT:
                self.first_sound = heard.start
            if self.first_live is None and heard.state is State.LIVE:
                self.first_live = heard.start

    def blind(self, start: float, end: float) -> None:
        """In [start, end) the probe itself stood still."""
        self._blind.append((start, end))

    def tell(self, until: float) -> list[Span]:
        """The spans that ended before `until`. What is told is never changed."""
        if until <= self.told_until:
            return []
        media = self.media
        said = _Statistics(
            absences=media.absences(self.told_until - SETTLE_SECONDS, until),
            undecoded=media.undecoded(self.told_until, until),
            doubtful=media.doubtful(self.told_until, until),
        )
        closed = []
        for start, end in self._pieces(until, said):
            state, heard = self._state_at((start + end) / 2, said)
            if self._open is None or self._open.state is not state:
                closed += self._close()
                self._open = Span(self.listener, self.kind, state, start, start, missing=self._lead(start, state))
            self._grow(start, end, heard, said.absences)
        self.told_until = until
        self._forget()
        return closed

    def leave(self, at: float) -> list[Span]:
        """The last spans of a listener that left at `at`. Sound heard until shortly before lasts until then."""
        known = self._sounds[-1].end if self._sounds else at
        spans = self.tell(known if known < at < known + LAST_SECONDS else at)
        if self._open is not None:
            self._open = replace(self._open, end=at)
        return spans + self._close()

    def _pieces(self, until: float, said: _Statistics) -> Stretches:
        """[told, until) cut wherever anything changes."""
        cuts = {at for at, _ in self._connection}
        for heard in self._sounds:
            cuts |= {heard.start, heard.end}
        for start, end in (*self._blind, *said.undecoded, *said.doubtful, *said.absent):
            cuts |= {start, end}
        inside = sorted({self.told_until, until, *(cut for cut in cuts if self.told_until < cut < until)})
        return list(pairwise(inside))

    def _state_at(self, at: float, said: _Statistics) -> tuple[State, HeardSpan | None]:
        """The state at one instant, and the sound that decided it."""
        if _within(at, self._blind):
            return State.UNKNOWN, None
        absent = _within(at, said.absent)
        sounds = [sound for sound in self._sounds if sound.start <= at < sound.end]
        heard = min(
            (sound for sound in sounds if sound.state in RANK), key=lambda sound: RANK.index(sound.state), default=None
        )
        if heard is not None and not (heard.quiet and absent):
            own = heard.state is State.GARBLED and (absent or _within(at, said.doubtful))
            return (self._unless_asked(at) if own else heard.state), heard
        index = bisect_right(self._connection, at, key=lambda entry: entry[0])
        connection = self._connection[max(0, index - 1)][1]
        if connection is not None:
            return connection, None
        if absent:
            return State.NO_MEDIA, None
        # Where the player stood still, or nobody heard what it played, this probe cannot say that it was silent.
        return (State.SILENT if sounds and not _within(at, said.undecoded) else State.UNKNOWN), None

    def _unless_asked(self, at: float) -> State:
        """What sound is that is the player's own, if the player has said so: it may not have been asked yet."""
        return State.UNCLEAR if at < self.media.checked else State.UNKNOWN

    def _lead(self, start: float, state: State) -> float:
        """How much earlier than the silence that begins at `start` media went missing: what the player made up."""
        before = self._before
        if state is State.LIVE or before is None or before.state is not State.LIVE:
            return 0.0
        for began, ended in self.media.absences(before.start, start + SETTLE_SECONDS):
            if ended >= start:
                return max(0.0, start - began)
        return 0.0

    def _grow(self, start: float, end: float, heard: HeardSpan | None, absences: Stretches) -> None:
        """Let the open span reach `end`."""
        assert self._open is not None
        missing = self._open.missing
        if self._open.state is State.LIVE:
            missing += self.media.concealed_seconds(start, end)
        else:
            missing += sum(max(0.0, min(end, last) - max(start, first)) for first, last in absences)
        if heard is not None and heard.delay is not None:
            self._delays.append((heard.delay, end - start))
            if heard.state is State.LIVE:
                self._live.append((start, end, heard.delay))
        self._open = replace(self._open, end=end, missing=missing, delay=self._delay())

    def live_delay(self, start: float, end: float) -> float | None:
        """The mean mouth-to-ear delay of the live sound in [start, end), of the last minute. None: there was none."""
        inside = ((delay, min(end, last) - max(start, first)) for first, last, delay in self._live)
        return _mean([(delay, seconds) for delay, seconds in inside if seconds > 0])

    def _delay(self) -> float | None:
        return _mean(self._delays)

    def _close(self) -> list[Span]:
        """The open span, now closed."""
        closed = [self._open] if self._open is not None and self._open.end > self._open.start else []
        self._before = self._open
        self._open = None
        self._delays = []
        return closed

    def _forget(self) -> None:
        """Drop what lies before what was told."""
        while len(self._connection) > 1 and self._connection[1][0] <= self.told_until:
            self._connection.popleft()
        while self._sounds and self._sounds[0].end <= self.told_until:
            self._sounds.popleft()
        while self._blind and self._blind[0][1] <= self.told_until:
            self._blind.popleft()
        while self._live and self._live[0][1] <= self.told_until - LIVE_SECONDS:
            self._live.popleft()


def _within(at: float, stretches: Iterable[tuple[float, float]]) -> bool:
    return any(start <= at < end for start, end in stretches)


def _mean(delays: list[tuple[float, float]]) -> float | None:
    """The mean of (delay, seconds), weighted by the seconds. None if there are none."""
    total = sum(seconds for _, seconds in delays)
    return sum(delay * seconds for delay, seconds in delays) / total if total > 0 else None
