"""One API server for all tests here; hypothesis without a stopwatch."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from dev.cluster.apiserver import ApiServer
from tests.support.api_server import with_crds

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """Started at the first test that asks for it."""
    with with_crds() as running:
        yield running
