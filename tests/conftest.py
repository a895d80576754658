"""What all tests share: properties without a stopwatch, one real API server, and a namespace of one's own in it."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.marked_modules import MarkedModules
from tests.support.matrices import Matrices

if TYPE_CHECKING:  # the agent's tests also run in a virtual machine that has no Kubernetes client
    from dev.cluster.apiserver import ApiServer
    from showstopper.cluster.client import Client

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")  # a busy machine must not fail a property

NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Run a third of each matrix where a seed is given, and load the modules that a run is about."""
    config.pluginmanager.register(Matrices())
    config.pluginmanager.register(MarkedModules(config.getoption("markexpr"), Path(__file__).parent))


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """A real API server with our kinds, and the namespaces of the examples; each worker of pytest-xdist has its own.

    It lives as long as the tests do, with all that they put into it: take a `namespace`.
    """
    from tests.support import api_server

    with api_server.with_crds() as running:
        yield running


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    """Our client of that API server, with an administrator's rights."""
    from showstopper.cluster.client import Client

    async with await Client.connect(server.kubeconfig) as connected:
        yield connected


@pytest.fixture
async def namespace(client: Client, request: pytest.FixtureRequest) -> str:
    """A new namespace that allows experiments, named after the test."""
    from tests.support import stored_objects

    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    name = f"{words[:50].strip('-')}-{next(NUMBERS)}"
    await stored_objects.namespace(client, name)
    return name
