"""A real relay, and a room on it in which a host speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from showstopper.audio.settings import RoomSettings
from tests.audio.participants import Participants
from tests.support.relays import KEY, SECRET, Relay, Stage, own_network, stage


@pytest.fixture(scope="module")
def one_relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with own_network(), stage(tmp_path_factory.mktemp("crowd"), 1) as running:
        yield running


@pytest.fixture
def relay(one_relay: Stage) -> Relay:
    (relay,) = one_relay.relays
    if relay.process is None:
        relay.start()
    return relay


@pytest.fixture
def people(one_relay: Stage, tmp_path: Path, relay: Relay) -> Iterator[Participants]:
    """A room in which a host speaks."""
    with Participants.gathered(one_relay, tmp_path) as participants:
        host = participants.start("host", SHOWSTOPPER_HOLD_SECONDS="0")
        participants.until("the host is in the room", lambda: (host.get("/v1/host") or {}).get("published"))
        yield participants


@pytest.fixture
def room(people: Participants, relay: Relay) -> RoomSettings:
    return RoomSettings("crowd", relay.url, people.room, KEY, SECRET)
