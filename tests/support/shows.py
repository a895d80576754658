"""Shows for tests: a host's sound as real Opus packets, with what each packet is in truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from showstopper.audio import timecode
from showstopper.audio.media import PACKET_SECONDS
from showstopper.audio.timecode import Samples
from showstopper.availability.spans import State
from tests.support import opus, sounds
from tests.support.sounds import MOMENT

MONOTONIC = 1000.0
"""Monotonic time at which a show begins. The wall clock then stands at MOMENT."""

LOOKAHEAD_SECONDS = 0.0065
"""By so much Opus delays the sound (RFC 7845, 4.2: pre-skip): a packet begins with the end of what came before."""

BITRATE = 32_000


@dataclass(frozen=True)
class Part:
    """Sound of one kind. `age` is that of the host's, when it reaches the reference."""

    kind: State
    seconds: float
    age: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class Show:
    """Packets, and for each one the parts whose sound it carries."""

    packets: list[bytes]
    truth: list[frozenset[Part]]


def wall(monotonic: float) -> float:
    return MOMENT + monotonic - MONOTONIC


def show(parts: Sequence[Part], bitrate: int = BITRATE) -> Show:
    pieces, at, ends = list[Samples](), 0.0, list[float]()
    for part in parts:
        pieces.append(_sound(part, at))
        at += len(pieces[-1]) / opus.RATE
        ends.append(at)
    packets = opus.packets(np.concatenate(pieces), bitrate)
    starts = [0.0, *ends[:-1]]
    truth = []
    for number in range(len(packets)):
        begins, over = number * PACKET_SECONDS - LOOKAHEAD_SECONDS, (number + 1) * PACKET_SECONDS
        inside = zip(parts, starts, ends, strict=True)
        truth.append(frozenset(part for part, start, end in inside if start < over and end > begins))
    return Show(packets, truth)


def _sound(part: Part, at: float) -> Samples:
    count = round(part.seconds * opus.RATE)
    match part.kind:
        case State.LIVE | State.STALE:
            return timecode.encode(MOMENT + at - part.age, count, opus.RATE)
        case State.HOLD:
            return timecode.encode_hold(MOMENT + at, count, opus.RATE)
        case State.SILENT:
            return np.zeros(count, np.float32)
        case _:
            return _foreign(part, at, count)


def _foreign(part: Part, at: float, count: int) -> Samples:
    """Noise, other music, or two hosts at once, none of which is live: beside another one, a live host may be heard."""
    kinds = (sounds.noise, sounds.pink, sounds.melody)
    if part.seed % 4 == 3:
        hosts = [timecode.encode(MOMENT + at - age, count, opus.RATE) for age in (50.0, 100.0)]
        return np.asarray(sum(hosts) / 2, np.float32)
    sound = kinds[part.seed % 4](part.seconds + 0.1, seed=part.seed)
    return np.interp(np.arange(count) / opus.RATE, np.arange(len(sound)) / 8000, sound).astype(np.float32)
