"""When a fleet leaves a relay that drains: once for each pod, for a minute at the most, and never under a run."""

from typing import Any

from showstopper.clock import to_timestamp
from showstopper.engine.rooms.draining import AWAY_SECONDS, Draining
from tests.engine.rooms.build import pod

NOW = 1_790_000_000.0
WELL = pod("relay-new")


def draining(name: str = "relay-old", left: float = 3600.0) -> dict[str, Any]:
    made = pod(name)
    made["metadata"]["deletionTimestamp"] = to_timestamp(NOW + left)
    return made


OLD = draining()


def look(
    room: Draining, *serving: dict[str, Any], at: float = 0.0, there: Any = (OLD, WELL), held: bool = False
) -> str | None:
    """For whose sake the fleet is away."""
    room.look(serving, there, NOW + at, held=held)
    return room.away.pod if room.away is not None else None


def test_a_fleet_leaves_the_pod_that_drains_and_comes_back_when_it_has_ended() -> None:
    room = Draining()
    assert look(room, OLD) == "relay-old"
    assert look(room, at=20) == "relay-old", "nobody serves whoever is away"
    assert look(room, at=25, there=[WELL]) is None
    assert look(room, WELL, at=40, there=[WELL]) is None


def test_it_comes_back_after_a_minute_and_leaves_no_pod_twice() -> None:
    """Somebody else keeps it alive, such as a speaker of the room's own."""
    room = Draining()
    assert look(room, OLD) == "relay-old"
    assert look(room, OLD, at=AWAY_SECONDS) is None
    assert look(room, OLD, at=AWAY_SECONDS + 30) is None
    other = draining("relay-other")
    assert look(room, other, at=AWAY_SECONDS + 40, there=[OLD, other]) == "relay-other"


def test_who_is_not_served_by_it_stays() -> None:
    assert look(Draining(), WELL) is None


def test_a_pod_that_ends_soon_is_waited_for() -> None:
    soon = draining(left=30)
    assert look(Draining(), soon, there=[soon]) is None


def test_no_fleet_leaves_under_a_run_and_one_that_is_away_comes_back_for_it() -> None:
    assert look(Draining(), OLD, held=True) is None
    room = Draining()
    assert look(room, OLD) == "relay-old"
    assert look(room, at=5, held=True) is None
