"""One real API server for all tests of this folder."""

from collections.abc import Iterator

import pytest

from dev.cluster.apiserver import ApiServer
from tests.support.api_server import with_crds


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """An API server with our CRDs."""
    with with_crds() as found:
        yield found
