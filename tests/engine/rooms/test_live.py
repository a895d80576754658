"""A live room that a run holds: who its residents are, and what is kept of what they hear."""

from typing import cast

import aiohttp
import pytest

from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.engine.rooms import LiveRoom
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.rooms.listening.roster import Roster
from showstopper.engine.rooms.pod_cache import PodCache
from tests.engine.rooms.build import IMAGES, room


@pytest.fixture
def live() -> LiveRoom:
    """A room of six that nobody listens to."""
    client, session = cast("Client", None), cast("aiohttp.ClientSession", None)
    return LiveRoom(
        room(),
        client,
        Clock(),
        session=session,
        roster=Roster(client),
        pod_cache=PodCache(client),
        images=IMAGES,
        archive=ArchiveWatch(),
    )


def test_its_residents_are_those_of_the_run_until_it_is_over(live: LiveRoom) -> None:
    live.hold("kill-1", room())
    live.on_change(room(listeners={"count": 1}))
    assert (len(live.residents), len(live.pods), live.under_experiment) == (6, 2, "kill-1")
    assert live.timeline.held
    live.release("another")
    assert len(live.residents) == 6
    live.release("kill-1")
    assert (len(live.residents), live.under_experiment, live.timeline.held) == (1, None, False)


def test_an_operator_that_restarts_keeps_the_fleet_as_the_run_knows_it(live: LiveRoom) -> None:
    """The room was changed while no operator was there."""
    live.hold("kill-1", room(listeners={"count": 9}))
    assert len(live.residents) == 9


def test_a_room_of_the_same_name_that_was_made_anew_is_nobodys(live: LiveRoom) -> None:
    other = room(listeners={"count": 9})
    other.metadata.uid = "another"
    live.hold("kill-1", other)
    assert (len(live.residents), live.under_experiment) == (6, None)
