"""The engine as tests meet it: whole, as an operator at work, or only its runs."""

from collections.abc import AsyncIterator

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client
from tests.support import operator_harness, stored_objects
from tests.support.operator_harness import OperatorHarness
from tests.support.run_harness import RunHarness


@pytest.fixture
async def relays(client: Client, namespace: str) -> None:
    """Two relays, a and b, that are ready."""
    for name in ("a", "b"):
        await stored_objects.pod(client, namespace, name)


@pytest.fixture
async def harness(client: Client, namespace: str, relays: None) -> AsyncIterator[RunHarness]:
    """Runs in a namespace with two relays."""
    made = RunHarness(client, namespace)
    yield made
    await made.end()


@pytest.fixture
async def operator(client: Client, server: ApiServer, namespace: str) -> OperatorHarness:
    """An operator that looks at one namespace, in which there is a room."""
    return await operator_harness.declared(client, server, namespace)
