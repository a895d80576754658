"""What one listener hears: some packets that it was sent, found again in the reference. No clock, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from showstopper.audio.crowd.ledger import SILENT_BYTES
from showstopper.audio.crowd.matching.recording import MOST_CONCEALED
from showstopper.audio.crowd.matching.reference import Place, Recordings
from showstopper.audio.crowd.matching.sampling import SAMPLE_SECONDS, UNEVEN_SECONDS
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.hearing.reading import RATE, WINDOW
from showstopper.audio.media import CODED_PATIENCE_SECONDS, LATE_SECONDS, PACKET_SECONDS
from showstopper.availability.spans import State

REFERENCE_LATE_SECONDS = 1.5
"""Beyond what the ear needs of what follows, a packet waits for so long: a relay may serve the reference that much
later than the listener. What the reference has not heard by then is Unknown."""

CHAIN_SECONDS = 1.0
"""What was heard along samples that follow each other is told once a second: to tell it for each costs more."""


@dataclass(slots=True)  # frozen ones take three times as long to make, and a crowd makes a thousand a second
class Sample:
    """A packet that a listener was sent, and that was chosen.

    Attributes:
        at: when it came, in monotonic seconds.
        ssrc: its stream.
        sequence: its RTP sequence number.
        payload: what it held, or nothing: it could not be opened, as if somebody had changed it on its way.
        packets: how many packets the listener had been sent, with this one.
        octets: how many bytes of payload these held.
        alone: whether no other stream came at that time.
        between: what the packets since the sample before held, for a listener all of whose packets are opened.
    """

    at: float
    ssrc: int
    sequence: int
    payload: bytes | None
    packets: int
    octets: int
    alone: bool = True
    between: Sequence[bytes | None] = ()


@dataclass(slots=True)
class _Chain:
    """Samples that follow each other in the reference: the first one, the last one, and where the last one may be.

    `steps` is how many packets the last one comes after the first, `alone` whether all of them were.
    """

    first: Sample
    last: Sample
    payload: bytes
    places: list[Place]
    steps: int
    alone: bool

    def followed_by(self, sample: Sample) -> _Chain | None:
        """The chain with one more sample, if that one follows without a gap."""
        step = _step(self.last, sample)
        if sample.payload is None or sample.ssrc != self.first.ssrc or _is_pause(step, self.last, sample):
            return None
        places = [
            Place(place.recording, place.index + step)
            for place in self.places
            if place.recording.payload(place.index + step) == sample.payload
            and _is_gapless(place, step, self.last, sample)
        ]
        if not places:
            return None
        return _Chain(self.first, sample, sample.payload, places, self.steps + step, self.alone and sample.alone)

    @property
    def is_even(self) -> bool:
        """Whether its packets came one after the other, so that it can be told when each did: not so in a burst."""
        return abs(self.last.at - self.first.at - self.steps * PACKET_SECONDS) <= UNEVEN_SECONDS

    def since(self, before: _Chain) -> _Chain:
        """What has come on since it was that one."""
        steps, alone = self.steps - before.steps, before.last.alone and self.last.alone
        return _Chain(before.last, self.last, self.payload, self.places, steps, alone)

    def holds(self, between: Sequence[bytes | None]) -> bool:
        """Whether these are the packets between the last two samples, as far as a recording has them."""
        return any(place.recording.holds(between, place.index - len(between)) for place in self.places)


class Follower:
    """Follows one listener through the reference.

    A sample says what its own packet is. What lies between two samples is known where both are in the reference, as far
    from each other as their sequence numbers are, and where the listener was sent as many packets with as many bytes in
    between as the reference was: then these are the reference's packets. It is also known where the listener was sent
    nothing in between, for so short a time that a player makes up for it. A longer loss is Unknown.

    What replaces packets one for one, with as many bytes, between two samples is not noticed by that. Listeners all of
    whose packets are opened are there to notice it: `doubts` has where theirs were not those that were concluded. What
    is concluded of any other listener for that time is as doubtful.
    """

    def __init__(self, recordings: Recordings, rules: Rules) -> None:
        self._recordings = recordings
        self._rules = rules
        self._wait = _wait(rules)
        self._waiting: deque[Sample] = deque()
        self._chain: _Chain | None = None
        self.doubts: list[tuple[float, float]] = []
        """Between two samples each. Whoever acts on them takes them away."""

    def take(self, sample: Sample) -> None:
        """Take a sample, in the order of their arrival."""
        self._waiting.append(sample)

    def tell(self, now: float) -> list[HeardSpan]:
        """What was heard, as far as it can be told now. Whatever is not in it is Unknown."""
        told: list[HeardSpan] = []
        while self._waiting and self._waiting[0].at + self._wait <= now:
            told += self._follow(self._waiting.popleft())
        if self._chain is not None and now - self._chain.last.at > self._wait + REFERENCE_LATE_SECONDS:
            told += self.end()
        return told

    def end(self) -> list[HeardSpan]:
        """The session is over, or nothing came for long: what comes next does not follow what was."""
        chain, self._chain = self._chain, None
        return [] if chain is None else self._along(chain) + self._itself(chain)

    def _follow(self, sample: Sample) -> list[HeardSpan]:
        chain = self._chain
        if chain is not None and sample.ssrc == chain.last.ssrc and _step(chain.last, sample) <= 0:
            return []  # late: it does not say what came after it
        longer = chain.followed_by(sample) if chain is not None else None
        if chain is not None and longer is not None and sample.between and not longer.holds(sample.between):
            self.doubts.append((chain.last.at, sample.at))
            longer = None
        if chain is None or longer is None:
            told = self.end()
            self._chain = self._begun(sample)
            return told
        told, newest = [], longer.since(chain)
        if not (longer.is_even and newest.is_even):
            told, longer = self._along(chain), newest
        if sample.at - longer.first.at < CHAIN_SECONDS:
            self._chain = longer
            return told
        self._chain = _Chain(sample, sample, longer.payload, longer.places, 0, sample.alone)
        return told + self._along(longer)

    def _begun(self, sample: Sample) -> _Chain | None:
        if sample.payload is None:
            return None
        return _Chain(sample, sample, sample.payload, self._recordings.places(sample.payload).copy(), 0, sample.alone)

    def _itself(self, chain: _Chain) -> list[HeardSpan]:
        """What the last packet of a chain is."""
        last = chain.last
        state = self._state(chain.places, 0, last.at, last.alone)
        if len(chain.payload) <= SILENT_BYTES and self._rules.coded and last.alone:
            state = State.SILENT
        return [] if state is State.UNKNOWN else [HeardSpan(state, last.at, last.at + PACKET_SECONDS)]

    def _along(self, chain: _Chain) -> list[HeardSpan]:
        """What was heard from the first packet of a chain to the last. When it changed in a burst nobody knows."""
        cuts = {0, chain.steps}
        for place in chain.places:
            first = place.index - chain.steps
            cuts.update(index - first for index in place.recording.changes(first, place.index))
        if len(cuts) > 2 and not chain.is_even:
            return []
        return [heard for start, end in pairwise(sorted(cuts)) for heard in self._part(chain, start, end)]

    def _part(self, chain: _Chain, start: int, end: int) -> list[HeardSpan]:
        """What was heard from one packet of a chain to another, in between which sound does not change."""
        began, each = chain.first.at, (chain.last.at - chain.first.at) / chain.steps

        def heard(state: State, start: int, end: int) -> HeardSpan:
            return HeardSpan(state, began + start * each, began + end * each)

        def state(number: int) -> State:
            # Of a burst it is not known when each packet came: between the first and the last.
            times = (began + number * each,) if chain.is_even else (chain.first.at, chain.last.at)
            states = {self._state(chain.places, number - chain.steps, at, chain.alone) for at in times}
            return states.pop() if len(states) == 1 else State.UNKNOWN

        if (whole := state(start)) is state(end - 1):
            return [] if whole is State.UNKNOWN else [heard(whole, start, end)]
        # Sound that comes later and later is stale from some packet on.
        parts = [heard(state(number), number, number + 1) for number in range(start, end)]
        return [part for part in parts if part.state is not State.UNKNOWN]

    def _state(self, places: Sequence[Place], later: int, at: float, alone: bool) -> State:
        """What a packet is that comes so much later than any of these places, for a listener whom it reached at a time.

        Beside another stream only Live is sure, the best.
        """
        rules = self._rules
        states = [place.recording.sound(place.index + later).heard_at(at, rules) for place in places]
        is_one = bool(states) and states.count(states[0]) == len(states)
        state = states[0] if is_one else _agreed(places, states)
        return state if alone or state is State.LIVE else State.UNKNOWN


def _agreed(places: Sequence[Place], states: Sequence[State]) -> State:
    """What these states of these places come to, where they are not all the same."""
    said: dict[int, set[State]] = {}
    for place, state in zip(places, states, strict=True):
        said.setdefault(id(place.recording), set()).add(state)
    # Of one recording all places must agree. Of several, one may have missed what another knows.
    known = {state for states in said.values() if len(states) == 1 for state in states} - {State.UNKNOWN}
    return known.pop() if len(known) == 1 else State.UNKNOWN


def lag(rules: Rules) -> float:
    """Seconds after which all that was heard at a time is told: some chain's last sample is the second one after it."""
    return _wait(rules) + SAMPLE_SECONDS + max(CHAIN_SECONDS, REFERENCE_LATE_SECONDS)


def _wait(rules: Rules) -> float:
    return rules.margin * WINDOW / RATE + REFERENCE_LATE_SECONDS


def _step(before: Sample, after: Sample) -> int:
    """How many packets later one is by its sequence number. Negative if it is earlier."""
    return ((after.sequence - before.sequence + 0x8000) & 0xFFFF) - 0x8000


def _is_pause(step: int, first: Sample, last: Sample) -> bool:
    """Whether, between two samples, there was nothing for so long that media was missing (media.py).

    Where there was, they are the packets before it and after it. Where all came, what was late was only held up.
    """
    everything_came = last.packets - first.packets == step
    patience = LATE_SECONDS - PACKET_SECONDS if everything_came else CODED_PATIENCE_SECONDS
    return last.at - first.at - step * PACKET_SECONDS > patience


def _is_gapless(place: Place, step: int, first: Sample, last: Sample) -> bool:
    """Whether, between two samples, the listener was sent what the reference was, or hardly missed anything."""
    packets, octets = last.packets - first.packets, last.octets - first.octets
    if packets == 1 and step <= 1 + MOST_CONCEALED:
        return True
    return place.recording.packets(place.index, place.index + step) == (packets, octets)
