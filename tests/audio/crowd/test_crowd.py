"""A crowd without a room: what it needs to run, and how it ends."""

import asyncio
import subprocess
import sys

import pytest

from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.pings import ping_phase
from showstopper.audio.settings import RoomSettings
from showstopper.errors import SettingsError

NOWHERE = RoomSettings("crowd", "ws://127.0.0.1:1", "room", "key", "secret-secret-secret-secret-secret")


def test_it_does_without_the_sdk() -> None:
    """The SDK alone would double what an empty process weighs."""
    program = "import sys, showstopper.audio.crowd.crowd; print('livekit.rtc' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


async def test_a_defect_in_a_sweep_ends_it_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(NOWHERE, 1, spread_seconds=0.0)

    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(crowd, "sweep", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        async with crowd:
            await crowd.all_tried()
    with pytest.raises(RuntimeError, match="a defect"):
        async with crowd:
            await asyncio.sleep(0.1)


async def test_what_is_no_url_of_a_room_is_refused_at_once() -> None:
    with pytest.raises(SettingsError):
        async with Crowd(RoomSettings("crowd", "ftp://relay", "room", "key", "secret"), 1):
            pass


def test_the_pods_of_a_crowd_ping_as_one_fleet() -> None:
    pods = [Crowd(NOWHERE, 50, first=first) for first in (0, 50)]
    joins = [pod._first_join(slot) for pod in pods for slot in range(50)]
    assert joins == [ping_phase(index) for index in range(100)]
    assert len(set(joins)) == 100
    assert Crowd(NOWHERE, 1, first=7, spread_seconds=0.5)._first_join(0) == ping_phase(7) / 10
