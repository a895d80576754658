"""A storm at a real relay."""

from __future__ import annotations

import dataclasses

import pytest

from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.audio.settings import RoomSettings
from showstopper.faults.storm.settings import Depth

pytestmark = pytest.mark.livekit

SIZE = 20


@pytest.mark.parametrize("hidden", [False, True], ids=["visible", "hidden"])
async def test_all_who_come_at_once_get_in_and_hear(room: RoomSettings, hidden: bool) -> None:
    tally = await Storm(room, StormShape(SIZE, hidden=hidden, listen_seconds=20.0)).run()
    assert (tally.let_in, tally.heard, tally.refused, tally.lost) == (SIZE, SIZE, {}, {}), tally.messages
    assert tally.unknown == 0
    assert tally.upgraded is not None
    assert tally.connected is not None
    assert tally.first_packet is not None
    assert tally.upgraded.count == tally.connected.count == tally.first_packet.count == SIZE
    assert 0 < tally.upgraded.p50 < tally.connected.p50
    # A packet's time is the kernel's; on a busy machine we read the end of the handshake after it.
    assert tally.upgraded.p50 < tally.first_packet.p50 <= tally.first_packet.longest


async def test_who_only_signals_gets_in_without_a_transport(room: RoomSettings) -> None:
    tally = await Storm(room, StormShape(SIZE, depth=Depth.SIGNALLING)).run()
    assert (tally.let_in, tally.refused) == (SIZE, {}), tally.messages
    assert (tally.heard, tally.connected) == (0, None)


async def test_with_a_wrong_key_all_are_refused_at_the_first_try(room: RoomSettings) -> None:
    stranger = dataclasses.replace(room, secret="not-the-secret-that-the-relay-has")
    tally = await Storm(stranger, StormShape(SIZE)).run()
    assert (tally.let_in, tally.refused, tally.unknown) == (0, {Refusal.UNAUTHORIZED: SIZE}, 0), tally.messages
    assert all(message.startswith("HTTP 401") for message in tally.messages)
