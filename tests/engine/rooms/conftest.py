"""A real API server with our CRDs, for the tests of what is applied and written."""

from collections.abc import AsyncIterator, Iterator

import pytest

from dev.cluster import apiserver, paths
from showstopper.cluster.client import Client


@pytest.fixture(scope="package")
def server() -> Iterator[apiserver.ApiServer]:
    with apiserver.running() as found:
        found.kubectl("apply", "--server-side", "-f", str(paths.PROJECT / "crds"))
        found.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        found.kubectl("create", "namespace", "show")
        yield found


@pytest.fixture
async def client(server: apiserver.ApiServer) -> AsyncIterator[Client]:
    async with await Client.connect(server.kubeconfig) as found:
        yield found
