"""What is garbled and what is not, from the packets of a track through codec, ear and story."""

from collections.abc import Sequence

import numpy as np
import pytest

from showstopper.audio import timecode
from showstopper.audio.hearing import reading
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.hearing.ear import Ear
from showstopper.audio.listener.client import SETTLED_SECONDS
from showstopper.audio.listener.story import Story
from showstopper.audio.media import PACKET_SECONDS, Media, Poll
from showstopper.audio.timecode import Samples
from showstopper.availability.spans import Kind, Span, State
from tests.support import sounds
from tests.support.opus import RATE, through_opus
from tests.support.sounds import MOMENT

MONOTONIC = 1000.0
"""Monotonic time at which the sounds begin. The wall clock then stands at MOMENT."""

FRAME = 400
SECONDS = 30


def wall(monotonic: float) -> float:
    return MOMENT + monotonic - MONOTONIC


def told(sound: Samples, lost: Sequence[bool] = ()) -> list[Span]:
    """What a listener tells of a track whose packets were lost where `lost` says so, and made up by its player."""
    media = Media()
    story, ear = Story("p-0/0", Kind.RESIDENT, MONOTONIC, media), Ear(Rules(), wall)
    story.connection(MONOTONIC, None)
    samples, spans = sounds.quantized(sound), list[Span]()
    for index in range(1, len(samples) // FRAME + 1):
        at = MONOTONIC + index * FRAME / reading.RATE
        ear.listen(samples[(index - 1) * FRAME : index * FRAME], at)
        if index % 5 == 0:
            media.polled(at, [_poll(at, lost)])
            story.sound(ear.heard())
            spans += story.tell(min(at - SETTLED_SECONDS, ear.heard_until or MONOTONIC))
    return [*spans, story.open] if story.open else spans


def _poll(at: float, lost: Sequence[bool]) -> Poll:
    """What the statistics say at that time."""
    sent = round((at - MONOTONIC) / PACKET_SECONDS)
    gone = list(lost[:sent])
    came = [index for index in range(sent) if index >= len(gone) or not gone[index]]
    return Poll(
        "a",
        at,
        received=len(came),
        lost=sum(gone),
        last_packet_at=MONOTONIC + came[-1] * PACKET_SECONDS,
        concealed=sum(gone) * 960,
        total=sent * 960,
    )


def shares(spans: Sequence[Span]) -> dict[State, float]:
    """The part of the time in each state, but for the first half second: sound begins with a join."""
    seconds: dict[State, float] = dict.fromkeys(State, 0.0)
    for span in spans:
        part = span.clipped(MONOTONIC + 0.5, span.end)
        if part is not None:
            seconds[span.state] += part.seconds
    return {state: spent / sum(seconds.values()) for state, spent in seconds.items() if spent}


def lossy(share: float, burst: int = 1, seed: int = 11) -> list[bool]:
    """Which packets of half a minute are lost: that share of them, in bursts."""
    rng = np.random.default_rng(seed)
    starts = rng.random(SECONDS * 50) < share / burst
    return [bool(starts[max(0, index - burst + 1) : index + 1].any()) for index in range(len(starts))]


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(sounds.noise(20), id="noise"),
        pytest.param(sounds.pink(20), id="pink noise"),
        pytest.param(sounds.melody(20), id="other music"),
        pytest.param((sounds.code(MOMENT, 20) + sounds.code(MOMENT - 100, 20)) / 2, id="two hosts mixed"),
        pytest.param(sounds.code(MOMENT, 20) / 4 + sounds.melody(20), id="the host under louder music"),
    ],
)
def test_sound_that_is_not_the_host_s_is_garbled(sound: Samples) -> None:
    heard = shares(told(sound))
    assert heard.get(State.LIVE, 0.0) == 0.0
    assert heard[State.GARBLED] > 0.9


@pytest.mark.parametrize("bitrate", [16_000, 24_000, 32_000])
@pytest.mark.parametrize(("loss", "burst"), [(0.0, 1), (0.02, 1), (0.05, 1), (0.1, 1), (0.2, 1), (0.3, 3)])
def test_a_host_who_is_only_lossy_is_never_garbled(bitrate: int, loss: float, burst: int) -> None:
    lost = lossy(loss, burst)
    sound = through_opus(timecode.encode(MOMENT - 0.1, RATE * SECONDS, RATE), bitrate, lambda frame: lost[frame])
    heard = shares(told(sound, lost))
    assert State.GARBLED not in heard
    assert heard[State.LIVE] > 0.3


@pytest.mark.parametrize("seed", range(4))
def test_hold_music_that_goes_over_to_the_host_and_back_is_never_garbled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[Samples] = []
    at = 0.0
    for turn in range(24):
        seconds = round(float(rng.uniform(0.6, 2.0)), 3)
        parts.append(sounds.code(MOMENT - 0.1 + at, seconds) if turn % 2 else sounds.hold(seconds, MOMENT + at))
        at += seconds
    assert State.GARBLED not in shares(told(np.concatenate(parts)))


def test_a_host_who_is_cut_up_by_longer_noise_is_mostly_garbled() -> None:
    """As on a night when sound cut in and out."""
    parts = [
        part
        for turn in range(30)
        for part in (sounds.code(MOMENT - 0.1 + turn * 0.6, 0.2), sounds.noise(0.4, seed=turn))
    ]
    heard = shares(told(np.concatenate(parts)))
    assert heard[State.GARBLED] > 0.6


def test_noise_between_words_that_is_no_longer_than_the_bridge_is_the_host() -> None:
    parts = [
        part
        for turn in range(30)
        for part in (sounds.code(MOMENT - 0.1 + turn * 0.5, 0.3), sounds.noise(0.2, seed=turn))
    ]
    heard = shares(told(np.concatenate(parts)))
    assert State.GARBLED not in heard


def test_foreign_sound_that_the_player_had_to_make_up_in_parts_is_unclear_there() -> None:
    lost = [1000 <= index < 1005 for index in range(3000)]
    spans = told(sounds.noise(40), lost)
    before, unclear, after = [span for span in spans if span.end > MONOTONIC + 1]
    assert (before.state, unclear.state, after.state) == (State.GARBLED, State.UNCLEAR, State.GARBLED)
    assert unclear.start < MONOTONIC + 20 < unclear.end
    assert unclear.seconds < 1.2
