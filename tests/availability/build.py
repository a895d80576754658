"""Rooms for tests: stories of listeners as feeds and timelines, and hypothesis strategies for such stories."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import Track, View, resident_track

# The operator's clock of all tests: a large number, as unix seconds are.
EPOCH = 1_790_000_000.0
L, H, S, Q, N, O, J, U = (  # noqa: E741 (one letter a state makes stories readable)
    State.LIVE,
    State.HOLD,
    State.STALE,
    State.SILENT,
    State.NO_MEDIA,
    State.OFFLINE,
    State.JOINING,
    State.UNKNOWN,
)
# What a listener went through: states, each for some seconds.
Story = Sequence[tuple[State, float]]


def window(start: float, end: float) -> Window:
    return Window(EPOCH + start, EPOCH + end)


def spans(name: str, story: Story, start: float = 0.0, kind: Kind = Kind.RESIDENT) -> list[Span]:
    """A story as spans on the operator's clock, beginning `start` seconds after the epoch."""
    edges = list(itertools.accumulate((seconds for _, seconds in story), initial=EPOCH + start))
    return [Span(name, kind, state, edges[index], edges[index + 1]) for index, (state, _) in enumerate(story)]


def view(*stories: Story, start: float = 0.0, end: float | None = None) -> View:
    """A room of residents r0, r1, ... in [start, end) of their stories, which all begin at the epoch."""
    whole = window(start, max(sum(seconds for _, seconds in story) for story in stories) if end is None else end)
    tracks = [resident_track(f"r{index}", spans(f"r{index}", story), whole) for index, story in enumerate(stories)]
    return View(whole, tuple(tracks))


def track(*story: tuple[State, float], left: bool = False, kind: Kind = Kind.RESIDENT) -> Track:
    found = view(story).residents[0]
    return dataclasses.replace(found, left=left, kind=kind)


def span_json(span: Span, sequence: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "listener": span.listener,
        "kind": str(span.kind),
        "state": str(span.state),
        "from": span.start,
        "to": span.end,
        "delaySeconds": span.delay,
        "missingSeconds": span.missing,
    }
    return found if sequence is None else {"sequence": sequence, **found}


def arrival_json(listener: str, called: float, left: float, **events: Any) -> dict[str, Any]:
    return {
        "sequence": 1,
        "listener": listener,
        "calledAt": called,
        "joinedAt": events.get("joined"),
        "firstAudioAt": events.get("audio"),
        "firstLiveAt": events.get("live"),
        "leftAt": left,
        "error": events.get("error", ""),
    }


def sample_json(listener: str, sampled: float, **figures: Any) -> dict[str, Any]:
    return {
        "listener": listener,
        "kind": "Resident",
        "relay": {"address": "198.18.1.7", "port": 7882},
        "packetsReceived": 12345,
        "packetsLost": 0,
        "lastPacketAt": sampled - 0.02,
        "concealedSamples": 480,
        "totalSamples": 999999,
        "jitterSeconds": 0.004,
        "reconnects": 1,
        "sampledAt": sampled,
        **figures,
    }


def document(
    closed: Iterable[Span] = (),
    still: Iterable[Span] = (),
    *,
    boot: str = "boot-1",
    pod: str = "pod-0",
    clock: float = 100.0,
    arrivals: Iterable[dict[str, Any]] = (),
    listeners: Iterable[dict[str, Any]] = (),
    first: int = 1,
) -> dict[str, Any]:
    """What a listener pod answers. Spans are given on the pod's own clock."""
    numbered = [span_json(span, first + index) for index, span in enumerate(closed)]
    return {
        "boot": boot,
        "room": "main-stage",
        "pod": pod,
        "clock": {"monotonic": clock, "wall": 1.0},
        "lagSeconds": 0.004,
        "next": first + len(numbered) - 1,
        "lost": 0,
        "spans": numbered,
        "open": [span_json(span) for span in still],
        "listeners": list(listeners),
        "arrivals": list(arrivals),
    }


def feed(closed: Iterable[Span] = (), still: Iterable[Span] = (), **fields: Any) -> Feed:
    """An answer whose spans are given on the operator's clock; the pod's clock began at the epoch."""
    offset, uncertainty = fields.pop("offset", EPOCH), fields.pop("uncertainty", 0.0)
    return parse_feed(
        document([span.shifted(-EPOCH) for span in closed], [span.shifted(-EPOCH) for span in still], **fields),
        offset,
        uncertainty,
    )


def timeline(*feeds: Feed) -> Timeline:
    found = Timeline()
    for one in feeds:
        found.add(one)
    return found


def hide(story: Story, start: float, end: float) -> Story:
    """The same story with [start, end) Unknown."""
    found: list[tuple[State, float]] = []
    at = 0.0
    for state, seconds in story:
        cuts = sorted({at, min(max(start, at), at + seconds), min(max(end, at), at + seconds), at + seconds})
        for first, last in itertools.pairwise(cuts):
            found.append((U if start <= first and last <= end else state, last - first))
        at += seconds
    return found


def stories(seconds: int = 30, states: Sequence[State] = tuple(State)) -> st.SearchStrategy[Story]:
    """Stories of that length, in steps of half a second: an eighth of the steps changes the state."""
    steps = st.lists(st.sampled_from(states), min_size=1, max_size=8)
    lengths = st.lists(st.integers(1, 2 * seconds), min_size=8, max_size=8)

    def told(drawn: tuple[list[State], list[int]]) -> Story:
        found: list[tuple[State, float]] = []
        left = 2 * seconds
        for state, length in zip(*drawn, strict=False):
            if left > 0:
                found.append((state, min(length, left) / 2))
                left -= min(length, left)
        return [*found, (State.LIVE, left / 2)] if left else found

    return st.tuples(steps, lengths).map(told)


def known_stories(seconds: int = 30) -> st.SearchStrategy[Story]:
    return stories(seconds, [L, L, L, L, H, S, Q, N, O, J])
