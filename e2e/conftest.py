"""One cluster for all tests, and one staged room for each worker. Each test begins when its room is well.

With pytest-xdist, tests run in several rooms at once. Those marked `alone` take away what all rooms share (the
operator, an agent, the archive) or stop it: they run by themselves, in a pass of their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from dev import stage
from dev.cluster import api, lock
from e2e import judges, relays
from tests.support import repeats, staged_room
from tests.support.matrices import Matrices
from tests.support.repeats import Repeats

# Which scenarios of known truth are run. The workers of pytest-xdist have it from the process that starts them.
SEED = os.environ.setdefault("SHOWSTOPPER_TRUTH_SEED", str(int(time.time())))


def pytest_configure(config: pytest.Config) -> None:
    """Count the runs that are asked for again, and run a third of each matrix where a seed is given."""
    config.pluginmanager.register(Matrices())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Repeats())


def pytest_report_header() -> str:
    """The seed, to run the same scenarios again."""
    return f"SHOWSTOPPER_TRUTH_SEED={SEED}"


@pytest.fixture(scope="session")
def running() -> Iterator[api.Cluster]:
    """The cluster with the operator and this worker's stage on it, in the version of these sources."""
    with lock.held("stage"):  # the first worker builds and installs, and the others find it so
        cluster = api.ensure_up()
        judges.ensure()  # now, for compilers would take the processors from rooms
        if cluster.is_embedded:
            relays.withholding()
        stage.install_operator(cluster, agents=True)
    stage.install_stage(cluster, namespace=staged_room.NAMESPACE, values=staged_room.SMALL_STAGE)
    stage.wait_for_room(cluster, namespace=staged_room.NAMESPACE)
    yield cluster
    if staged_room.WORKER:  # a further room: the tests that run alone afterwards have all processors for theirs
        stage.remove_stage(cluster, namespace=staged_room.NAMESPACE)


@pytest.fixture(scope="session")
def connection(running: api.Cluster) -> staged_room.Api:
    return staged_room.Api(running)


@pytest.fixture
def show(
    running: api.Cluster, connection: staged_room.Api, request: pytest.FixtureRequest
) -> Iterator[staged_room.Show]:
    """The room, well at the start of the test."""
    room = staged_room.Show(running, connection)
    room.wait_until_well()
    yield room
    room.clean()
    repeats.note(request.node, runs=room.runs_made, repeated=room.runs_repeated)
