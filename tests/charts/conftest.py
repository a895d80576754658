"""Every test here renders charts; one API server for those that apply them."""

from collections.abc import Iterator

import pytest

from dev.cluster.apiserver import ApiServer
from tests.support.api_server import with_crds


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """An API server with our kinds and with admission by Pod Security, at its strictest in namespace `there`."""
    with with_crds() as running:
        running.kubectl("create", "namespace", "there")
        running.kubectl("create", "namespace", "showstopper-agent")  # where the chart puts the stop switch
        running.kubectl("label", "namespace", "there", "pod-security.kubernetes.io/enforce=restricted")
        yield running
