"""From what sweeps learned of listeners, over its feed, to what the operator knows of them."""

from __future__ import annotations

import asyncio
import json
import random
import time

import pytest

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.feed.document import CrowdFeed
from showstopper.audio.crowd.ledger import Stretch
from showstopper.audio.settings import CrowdSettings, RoomSettings
from showstopper.availability.crowd_feed import CrowdReader
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline
from tests.audio.crowd.feed.records import PlayedListeners

LAG = 2.0
OFFSET = 1_790_000_000.0
POD = "main-stage-crowd-0"
SIZE = 8


@pytest.mark.parametrize("seed", range(20))
def test_the_operator_knows_what_sweeps_learned(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are read now and then; the reader starts again once, as an operator does."""
    draw = random.Random(seed)
    now = began = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    swept = PlayedListeners(SIZE)
    feed = CrowdFeed(CrowdSettings(RoomSettings("r", "ws://r", "r", "k", "s"), POD, SIZE), swept, LAG)
    truth: dict[int, list[tuple[State, float, float]]] = {}
    for slot in range(SIZE):
        swept.joined(slot, began)
        at = began
        while at < began + 25:
            end = at + draw.uniform(0.3, 4.0)
            state = draw.choice([State.LIVE, State.LIVE, State.HOLD, State.NO_MEDIA, State.JOINING])
            truth.setdefault(slot, []).append((state, at, end))
            at = end
    reader, timeline = CrowdReader(), Timeline()
    fed = began
    while now < began + 22:
        now = swept.swept_at = now + 1.0
        note(swept, truth, fed, now)
        fed = now
        feed.settle()
        if draw.random() < 0.7:
            document = json.loads(asyncio.run(feed.encoded(timeline.after(POD))))
            timeline.add(reader.read(document, POD, OFFSET))
        if now == began + 11:
            reader, timeline = CrowdReader(), Timeline()
    timeline.add(reader.read(json.loads(asyncio.run(feed.encoded(timeline.after(POD)))), POD, OFFSET))
    window = Window(OFFSET + began, OFFSET + began + 20.0)
    view = timeline.view(window, [f"{POD}/{slot}" for slot in range(SIZE)])
    for slot, track in enumerate(view.residents):
        for state, start, end in truth[slot]:
            middle = OFFSET + (start + end) / 2
            if middle < window.end:
                assert [span.state for span in track.spans if span.start <= middle < span.end] == [state]


def note(swept: PlayedListeners, truth: dict[int, list[tuple[State, float, float]]], start: float, end: float) -> None:
    """Note what is over by then, as a matcher, a ledger and a diary would."""
    for slot, stretches in truth.items():
        swept.ledger.first_at[slot], swept.ledger.last_at[slot] = 0.0, end
        for state, begins, over in stretches:
            if not start < over <= end:
                continue
            if state in (State.LIVE, State.HOLD):
                swept.hears(slot, begins, over, state)
                swept.ledger.last_at[slot] = end
                continue
            swept.ledger.pauses.append(Stretch(slot, begins, over))
            if state is State.JOINING:
                swept.diary.append(Entry(begins, slot, Event.LOST))
                swept.diary.append(Entry(over, slot, Event.JOINED))


@pytest.mark.parametrize("seed", range(20))
def test_the_operator_knows_what_became_of_newcomers(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told once it is over, and before that as far as it has gone, to who asks now and then."""
    draw = random.Random(seed)
    now = began = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    swept = PlayedListeners(1, places=20)
    feed = CrowdFeed(CrowdSettings(RoomSettings("r", "ws://r", "r", "k", "s"), POD, 1), swept, LAG)
    made: dict[str, tuple[float, float | None, float | None, float, str]] = {}
    for number in range(20):
        called = began + 0.5 + number
        joined = called + draw.uniform(0.1, 3.0) if draw.random() < 0.8 else None
        live = joined + draw.uniform(0.1, 4.0) if joined is not None and draw.random() < 0.8 else None
        left = max(called + 3.0, *(at + 0.5 for at in (joined, live) if at is not None), called)
        made[f"{POD}/a{number}"] = called, joined, live, left, "" if joined is not None else "HTTP 503"
    visits = {}
    reader, timeline = CrowdReader(), Timeline()
    while now < began + 22:
        now = swept.swept_at = now + 1.0
        for slot, (name, (called, joined, live, left, error)) in enumerate(made.items(), 1):
            if called <= now and name not in visits:
                visits[name] = swept.comes(called, slot, name.partition("/")[2])
                visits[name].joined, visits[name].left, visits[name].error = joined, left, error
                if live is not None:
                    swept.hears(slot, live, left)
        feed.settle()
        if draw.random() < 0.7:
            document = json.loads(asyncio.run(feed.encoded(timeline.after(POD))))
            timeline.add(reader.read(document, POD, OFFSET))
        if now == began + 11:
            reader, timeline = CrowdReader(), Timeline()
    timeline.add(reader.read(json.loads(asyncio.run(feed.encoded(timeline.after(POD)))), POD, OFFSET))
    end = began + 20.0
    view = timeline.view(Window(OFFSET + began, OFFSET + end), [f"{POD}/0"])
    assert view.arrivals == ()
    known = {call.listener: call for call in view.calls}
    for name, (called, joined, live, left, error) in made.items():
        if called > end:
            continue
        call = known[name]
        times = [None if at is None or at > end else at for at in (called, joined, live, left)]
        told = [call.called, call.joined, call.first_live, call.left]
        assert [None if at is None else round(at - OFFSET, 3) for at in told] == [
            None if at is None else round(at, 3) for at in times
        ]
        assert call.sure_until == call.seen_until == pytest.approx(OFFSET + min(left, end))
        assert call.error == (error if left <= end else "")
