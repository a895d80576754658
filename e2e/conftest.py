"""One cluster and one stage for all tests; each test begins when the room is well, and cleans up after itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e import stage, trials
from e2e.cluster import api


@pytest.fixture(scope="session")
def running() -> api.Cluster:
    """The cluster with the operator and the stage on it, in the version of these sources."""
    found = api.ensure_up()
    stage.install_operator(found, values=stage.WITH_AGENTS)
    stage.wait_for_agents(found)
    stage.install_stage(found, namespace=trials.NAMESPACE, values=trials.FLEET)
    stage.wait_for_room(found, namespace=trials.NAMESPACE)
    return found


@pytest.fixture(scope="session")
def connection(running: api.Cluster) -> trials.Api:
    return trials.Api(running)


@pytest.fixture
def show(running: api.Cluster, connection: trials.Api) -> Iterator[trials.Show]:
    """The room, well at the start of the test."""
    room = trials.Show(running, connection)
    room.wait_until_well()
    yield room
    room.clean()
