"""What the tests on loopback share: a stage of real relays, and processes of ours that play and listen there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.audio.participants import Participants
from tests.support.relays import Stage, own_network, stage


@pytest.fixture(scope="module")
def two_relays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two relays that share a store."""
    with own_network(), stage(tmp_path_factory.mktemp("stage"), 2) as relays:
        yield relays


@pytest.fixture
def participants(two_relays: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Participants]:
    """Starts hosts and listeners in a room of their own; all are gone afterwards. When a test fails, says what they and
    the relays said.
    """
    failed = request.session.testsfailed
    with Participants.gathered(two_relays, tmp_path) as gathered:
        yield gathered
        if request.session.testsfailed > failed:
            sys.stdout.write(f"{gathered.words()}\n{two_relays.words()}\n")


@pytest.fixture
def all_relays_up(two_relays: Stage) -> Callable[[], None]:
    """Starts again whatever a test killed."""

    def start() -> None:
        for relay in two_relays.relays:
            if relay.process is None:
                relay.start()

    return start
