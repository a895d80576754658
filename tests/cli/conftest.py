"""A real API server with our resources, and somebody who answers in the operator's place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.cluster import apiserver
from dev.cluster.apiserver import ApiServer

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """With our resources' definitions, and a namespace called show."""
    with apiserver.running() as found:
        found.kubectl("apply", "--server-side", "--filename", str(CRDS))
        found.kubectl("wait", "--for=condition=Established", "--filename", str(CRDS), "--timeout=60s")
        found.kubectl("create", "namespace", "show")
        yield found
