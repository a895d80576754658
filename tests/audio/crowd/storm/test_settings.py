"""Settings of a storm's process: what the operator writes is read, and what is wrong is refused by its name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.storm.settings import StormSettings
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.storm import schedule
from showstopper.faults.storm import settings as names
from showstopper.faults.storm.settings import Comeback, Depth, MakeTries
from showstopper.faults.task import GATE_PORT

NOW = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
ROOM = {
    "SHOWSTOPPER_ROOM": "main-stage",
    "LIVEKIT_URL": "wss://rooms.example",
    "LIVEKIT_ROOM": "main",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
}
GOOD = MakeTries(
    (Endpoint("198.18.1.2", 7880), Endpoint("fd00::5", 7880)),
    tries=50,
    lasts=timedelta(seconds=8),
    end=NOW + timedelta(seconds=30),
    rate=25,
)


def read(**changes: str) -> StormSettings:
    told = names.environment(GOOD) | {getattr(names, name): value for name, value in changes.items()}
    return StormSettings.read({**ROOM, **{name: value for name, value in told.items() if value}}, NOW.timestamp())


def test_visitors_join_at_the_targets_and_not_at_the_rooms_url() -> None:
    settings = read()
    assert settings.urls == ("ws://198.18.1.2:7880", "ws://[fd00::5]:7880")
    assert (settings.room.livekit_room, settings.room.key) == ("main", "key")


@pytest.mark.parametrize("name", ["TARGETS", "WITHIN", "TRIES", "RATE", "RAMP", "DEPTH", "VISIBILITY", "SECONDS"])
def test_nothing_that_bounds_it_has_a_default(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{getattr(names, name)} is not set"):
        read(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TARGETS", "relay:7880", "is no IP address"),
        ("TARGETS", "203.0.113.9:7880", "which is not within SHOWSTOPPER_STORM_WITHIN"),
        ("TRIES", "0", "from 1 to 3000"),
        ("TRIES", "3001", "from 1 to 3000"),
        ("RATE", "max", 'or "at-once"'),
        ("RATE", "1001", "from 1 to 1000"),
        ("RAMP", "-1", "from 0 to 600"),
        ("DEPTH", "some", "write one of full, signalling, websocket, tcp"),
        ("VISIBILITY", "some", "write hidden or visible"),
        ("SECONDS", "601", "from 0 to 600"),
        ("SECONDS", "1", "whose last visitor comes after 2 s"),
        ("END", "tomorrow", "write a time like"),
        ("GATE", "open", 'or "none" where there is none'),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


STORMS = st.builds(
    MakeTries,
    targets=st.just(GOOD.targets),
    tries=st.integers(1, schedule.MOST_JOINS),
    lasts=st.just(timedelta(seconds=598)),
    end=st.just(GOOD.end),
    rate=st.none() | st.integers(10, 1000),
    depth=st.sampled_from([Depth.FULL, Depth.SIGNALLING]),
    hidden=st.booleans(),
)


@given(STORMS)
def test_the_process_reads_what_the_operator_wrote(make: MakeTries) -> None:
    settings = StormSettings.read({**ROOM, **names.environment(make)}, NOW.timestamp())
    shape = settings.shape
    assert settings.task.targets == tuple(make.targets)
    assert (shape.visitors, shape.rate, shape.depth, shape.hidden) == (make.tries, make.rate, make.depth, make.hidden)
    assert shape.seconds == make.lasts.total_seconds()
    assert settings.task.end == make.end.timestamp()
    assert settings.task.gate == GATE_PORT


def test_clients_who_come_back_are_read_with_their_budget() -> None:
    make = replace(GOOD, tries=1000, rate=None, comeback=Comeback(clients=50, drop=5.0, pause=0.1))
    shape = StormSettings.read({**ROOM, **names.environment(make)}, NOW.timestamp()).shape
    assert (shape.visitors, shape.tries, shape.comeback) == (50, 1000, make.comeback)
    assert read().shape.comeback is None


def test_who_only_connects_needs_no_key() -> None:
    make = replace(GOOD, depth=Depth.TCP, tries=10_000, rate=None)
    settings = StormSettings.read(names.environment(make), NOW.timestamp())
    assert (settings.shape.visitors, settings.room.key, settings.room.secret) == (10_000, "", "")
