"""A real API server with our CRDs in it, for the tests that ask it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev.cluster import apiserver
from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError

ROOT = Path(__file__).parents[2]


@contextmanager
def with_crds(*, controllers: bool = False) -> Iterator[ApiServer]:
    """An API server that takes our kinds, with the namespaces of the examples."""
    with apiserver.running(controllers=controllers) as server:
        server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for namespace in ("show", "livekit"):
            server.kubectl("create", "namespace", namespace)
        yield server


def apply(server: ApiServer, body: Mapping[str, Any], *options: str) -> dict[str, Any]:
    """What the server made of an object. Raises CommandError with its refusal."""
    return as_object(server.kubectl("apply", "-f", "-", "-o", "json", *options, stdin=json.dumps(body)))


def refusal(server: ApiServer, body: Mapping[str, Any]) -> str:
    """What the server says against an object that it must not take."""
    try:
        apply(server, body, "--dry-run=server")
    except CommandError as error:
        return str(error)
    raise AssertionError(f"the server took {json.dumps(body)}")


def as_object(text: str) -> dict[str, Any]:
    """kubectl's JSON."""
    made = json.loads(text)
    assert isinstance(made, dict)
    return made
