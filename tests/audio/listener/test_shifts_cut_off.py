"""A shift of newcomers whose process is killed inside a line: no relay is needed to see that."""

import asyncio
import json
import sys

import pytest

from showstopper.audio.listener.crew import Crew
from showstopper.audio.listener.newcomers import NextArrival
from showstopper.audio.listener.shifts import Shift
from showstopper.audio.settings import ListenerSettings, RoomSettings

SETTINGS = ListenerSettings(
    RoomSettings("main-stage", "ws://relay:7880", "stage", "key", "hush"), "p-0", 0, 0, arrival_every=1.0
)


async def test_it_takes_nobody_down_and_the_next_shift_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew(SETTINGS)
    line = json.dumps({"turn": {"number": 7, "due": 0.0, "left": 3}, "feed": Crew(SETTINGS).document(0)})
    shift = Shift(crew, NextArrival(1, 0.0, 60))
    said = f"print({line!r}); print({line[:40]!r}, end='')"
    monkeypatch.setattr(shift, "_command", lambda: [sys.executable, "-c", said])
    await asyncio.wait_for(shift.run(), 30)
    turn = await asyncio.wait_for(shift.successor(), 1)
    assert turn.number == 8, "the one that it may just have sent has its number"
    assert crew.borrowed == {}
