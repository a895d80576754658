"""When the residents of a fleet join for the first time."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from showstopper.audio.listener.crew import Crew
from showstopper.audio.listener.residents import reside
from showstopper.audio.pings import ping_phase


class Entered(Exception):
    """A resident was let in."""


class Door:
    """A crew that nobody comes into."""

    def resident(self, _index: int) -> None:
        raise Entered


async def test_a_resident_is_nobody_before_its_turn() -> None:
    began = time.monotonic()
    with pytest.raises(Entered):
        await reside(cast("Crew", Door()), 0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reside(cast("Crew", Door()), 1)
    with pytest.raises(Entered):
        await reside(cast("Crew", Door()), 1)
    assert time.monotonic() - began > 0.1 + ping_phase(1)
