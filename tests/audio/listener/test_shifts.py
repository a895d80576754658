"""Newcomers in processes of their own, on a real relay."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from showstopper.audio.listener import shifts
from showstopper.audio.listener.crew import Crew
from showstopper.audio.settings import ListenerSettings
from showstopper.audio.spans import Visit
from showstopper.availability.spans import Span, State
from tests.audio.participants import Participants
from tests.support.relays import KEY, SECRET, Stage
from tests.support.waiting import until

pytestmark = pytest.mark.livekit


@pytest.fixture
async def crew(two_relays: Stage, participants: Participants, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crew]:
    """A pod without residents, whose newcomers come every second, two in a shift."""
    environment = {
        "SHOWSTOPPER_ROOM": "main-stage",
        "SHOWSTOPPER_POD": "main-stage-listeners-0",
        "SHOWSTOPPER_LISTENERS": "0",
        "SHOWSTOPPER_ARRIVAL_EVERY": "1",
        "SHOWSTOPPER_ARRIVAL_STAY": "2",
        "LIVEKIT_URL": two_relays.door.url,
        "LIVEKIT_ROOM": participants.room,
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": SECRET,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(shifts, "VISITS", 2)
    participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
    listener_crew = Crew(ListenerSettings.read(os.environ))
    coming = asyncio.create_task(shifts.keep_coming(listener_crew))
    yield listener_crew
    coming.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await coming
    assert children() == []


def children() -> list[int]:
    """The processes of newcomers that this one has."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"showstopper.audio.listener.newcomers" in (folder / "cmdline").read_bytes():
                pids.append(int(folder.name))
    return pids


def visits(crew: Crew) -> list[Visit]:
    return [entry for _, entry in crew.ring.after(0).entries if isinstance(entry, Visit)]


async def test_one_shift_follows_the_other_and_all_that_they_heard_is_in_one_ring(crew: Crew) -> None:
    await until("five visits are over", lambda: len(visits(crew)) >= 5)
    known = visits(crew)[:5]
    assert sorted(visit.listener for visit in known) == [f"main-stage-listeners-0/a{number}" for number in range(1, 6)]
    assert [visit.error for visit in known] == [""] * 5
    assert any(visit.first_live for visit in known)
    entries = [entry for _, entry in crew.ring.after(0).entries]
    for visit in known:
        spans = [entry for entry in entries if isinstance(entry, Span) and entry.listener == visit.listener]
        assert spans[0].start == pytest.approx(visit.called, abs=0.01)
        assert spans[-1].end == pytest.approx(visit.left, abs=0.01)
    said = crew.document(0)
    assert said["next"] == crew.ring.newest


async def test_when_a_shift_breaks_off_the_next_one_goes_on_with_new_numbers(crew: Crew) -> None:
    await until("somebody is in", lambda: any(feed["open"] for feed in crew.borrowed.values()))
    broken = [visit["listener"] for feed in crew.borrowed.values() for visit in feed["open"]]
    for child in children():
        os.kill(child, signal.SIGKILL)
    await until("visits go on", lambda: len(visits(crew)) >= 2)
    assert not {visit.listener for visit in visits(crew)} & set(broken)
    states = {entry.state for _, entry in crew.ring.after(0).entries if isinstance(entry, Span)}
    assert State.LIVE in states
