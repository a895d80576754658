"""One cluster and one stage for all tests; each test begins when the room is well, and cleans up after itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dev import stage
from dev.cluster import api
from tests.support import staged_room


@pytest.fixture(scope="session")
def running() -> api.Cluster:
    """The cluster with the operator and the stage on it, in the version of these sources."""
    found = api.ensure_up()
    stage.install_operator(found, values=stage.WITH_AGENTS)
    stage.wait_for_agents(found)
    stage.install_stage(found, namespace=staged_room.NAMESPACE, values=staged_room.FLEET)
    stage.wait_for_room(found, namespace=staged_room.NAMESPACE)
    return found


@pytest.fixture(scope="session")
def connection(running: api.Cluster) -> staged_room.Api:
    return staged_room.Api(running)


@pytest.fixture
def show(running: api.Cluster, connection: staged_room.Api) -> Iterator[staged_room.Show]:
    """The room, well at the start of the test."""
    room = staged_room.Show(running, connection)
    room.wait_until_well()
    yield room
    room.clean()
