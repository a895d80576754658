"""Rooms for tests: stories of listeners as feeds and timelines, and hypothesis strategies for such stories."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.hosts import STARTED_ANEW, Absence
from showstopper.availability.spans import DISCONNECTED, Kind, Span, State, Window
from showstopper.availability.statistics import Statistics
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import Track, View, resident_track

# The operator's clock of all tests: a large number, as unix seconds are.
EPOCH = 1_790_000_000.0
L, H, S, Q, G, C, N, O, J, U = (  # noqa: E741 (one letter a state makes stories readable)
    State.LIVE,
    State.HOLD,
    State.STALE,
    State.SILENT,
    State.GARBLED,
    State.UNCLEAR,
    State.NO_MEDIA,
    State.OFFLINE,
    State.JOINING,
    State.UNKNOWN,
)
# What a listener went through: states, each for some seconds.
Story = Sequence[tuple[State, float]]


def window(start: float, end: float) -> Window:
    return Window(EPOCH + start, EPOCH + end)


def away(start: float, end: float, why: str = STARTED_ANEW) -> Absence:
    return Absence(EPOCH + start, EPOCH + end, why)


def spans(name: str, story: Story, start: float = 0.0, kind: Kind = Kind.RESIDENT) -> list[Span]:
    """A story as spans on the operator's clock, beginning `start` seconds after the epoch."""
    edges = list(itertools.accumulate((seconds for _, seconds in story), initial=EPOCH + start))
    return [Span(name, kind, state, edges[index], edges[index + 1]) for index, (state, _) in enumerate(story)]


def view(*stories: Story, start: float = 0.0, end: float | None = None) -> View:
    """A room of residents r0, r1, ... in [start, end) of their stories, which all begin at the epoch."""
    whole = window(start, max(sum(seconds for _, seconds in story) for story in stories) if end is None else end)
    tracks = [resident_track(f"r{index}", spans(f"r{index}", story), whole) for index, story in enumerate(stories)]
    return View(whole, tuple(tracks))


def counted(*residents: Sequence[Statistics], end: float) -> View:
    """A room of residents r0, r1, ... who hear the host in [0, end) and have these rows."""
    whole = window(0, end)
    tracks = []
    for index, rows in enumerate(residents):
        name = f"r{index}"
        moved = [dataclasses.replace(row, listener=name, start=row.start + EPOCH, end=row.end + EPOCH) for row in rows]
        tracks.append(resident_track(name, spans(name, [(State.LIVE, end)]), whole, moved))
    return View(whole, tuple(tracks))


def track(*story: tuple[State, float], left: bool = False, kind: Kind = Kind.RESIDENT) -> Track:
    resident = view(story).residents[0]
    return dataclasses.replace(resident, left=left, kind=kind)


def span_json(span: Span, sequence: int | None = None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "listener": span.listener,
        "kind": str(span.kind),
        "state": str(span.state),
        "from": span.start,
        "to": span.end,
        "delaySeconds": span.delay,
        "missingSeconds": span.missing,
    }
    return fields if sequence is None else {"sequence": sequence, **fields}


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


def row(start: float, end: float, listener: str = "r0", **figures: Any) -> Statistics:
    """Statistics of a listener who gets everything, unless figures say otherwise; times on the pod's clock."""
    seconds = end - start
    well = {"received": 50 * seconds, "samples": 48_000 * seconds, "jitter": 0.002, "delay": 0.06}
    return Statistics(listener, start, end, **{**well, **figures})


def rows_of(name: str, story: Story) -> list[Statistics]:
    """Statistics of a story that begins at 0, in rows of two seconds: none where something in it is Unknown.

    Where there is media, some is lost and concealed, by a pattern that depends on name and time only.
    """
    ends = list(itertools.accumulate(seconds for _, seconds in story))
    kept = []
    for number in range(int(ends[-1] / 2)):
        start = 2.0 * number
        states = [
            story[index][0] for index, end in enumerate(ends) if end > start and end - story[index][1] < start + 2
        ]
        if State.UNKNOWN not in states:
            kept.append(row(start, start + 2, name, **_pattern(states[0], sum(map(ord, name)) + 7 * number)))
    return kept


def _pattern(state: State, odd: int) -> dict[str, Any]:
    """Figures of a row that begins in that state."""
    if state in DISCONNECTED | {State.NO_MEDIA, State.UNKNOWN}:
        return {"received": 0.0, "samples": 0.0, "jitter": None, "delay": None}
    lost = odd % 4 if odd % 3 == 0 else 0
    delay = (0.25 if odd % 5 == 0 else 0.06) if state is State.LIVE else None
    return {"received": 100.0 - lost, "lost": lost, "concealed": 300 * lost, "jitter": odd % 11 / 1000, "delay": delay}


def statistics_json(row: Statistics) -> dict[str, Any]:
    return {
        "sequence": 1,
        "listener": row.listener,
        "from": row.start,
        "to": row.end,
        "packetsReceived": int(row.received),
        "packetsLost": int(row.lost),
        "concealedSamples": int(row.concealed),
        "totalSamples": int(row.samples),
        "jitterSeconds": row.jitter,
        "delaySeconds": row.delay,
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
    statistics: Iterable[Statistics] = (),
    counting: Iterable[Statistics] = (),
    wall: float | None = None,
    first: int = 1,
) -> dict[str, Any]:
    """What a listener pod answers. Spans are given on the pod's own clock, and its wall clock is right."""
    numbered = [span_json(span, first + index) for index, span in enumerate(closed)]
    return {
        "boot": boot,
        "room": "main-stage",
        "pod": pod,
        "clock": {"monotonic": clock, "wall": EPOCH + clock if wall is None else wall},
        "lagSeconds": 0.004,
        "next": first + len(numbered) - 1,
        "lost": 0,
        "spans": numbered,
        "open": [span_json(span) for span in still],
        "statistics": [statistics_json(row) for row in statistics],
        "openStatistics": [statistics_json(row) for row in counting],
        "listeners": list(listeners),
        "arrivals": list(arrivals),
    }


def feed(closed: Iterable[Span] = (), still: Iterable[Span] = (), **fields: Any) -> Feed:
    """An answer whose spans are given on the operator's clock; the pod's clock began at the epoch."""
    offset, uncertainty = fields.pop("offset", EPOCH), fields.pop("uncertainty", 0.0)
    fields.setdefault("wall", fields.get("clock", 100.0) + offset)
    return parse_feed(
        document([span.shifted(-EPOCH) for span in closed], [span.shifted(-EPOCH) for span in still], **fields),
        offset,
        uncertainty,
    )


def timeline(*feeds: Feed) -> Timeline:
    merged = Timeline()
    for pod_feed in feeds:
        merged.add(pod_feed)
    return merged


def hide(story: Story, start: float, end: float) -> Story:
    """The same story with [start, end) Unknown."""
    pieces: list[tuple[State, float]] = []
    at = 0.0
    for state, seconds in story:
        cuts = sorted({at, min(max(start, at), at + seconds), min(max(end, at), at + seconds), at + seconds})
        for first, last in itertools.pairwise(cuts):
            pieces.append((U if start <= first and last <= end else state, last - first))
        at += seconds
    return pieces


def stories(seconds: int = 30, states: Sequence[State] = tuple(State)) -> st.SearchStrategy[Story]:
    """Stories of that length, in steps of half a second: an eighth of the steps changes the state."""
    steps = st.lists(st.sampled_from(states), min_size=1, max_size=8)
    lengths = st.lists(st.integers(1, 2 * seconds), min_size=8, max_size=8)

    def told(drawn: tuple[list[State], list[int]]) -> Story:
        story: list[tuple[State, float]] = []
        left = 2 * seconds
        for state, length in zip(*drawn, strict=False):
            if left > 0:
                story.append((state, min(length, left) / 2))
                left -= min(length, left)
        return [*story, (State.LIVE, left / 2)] if left else story

    return st.tuples(steps, lengths).map(told)


def known_stories(seconds: int = 30) -> st.SearchStrategy[Story]:
    return stories(seconds, [L, L, L, L, H, S, Q, G, N, O, J])
