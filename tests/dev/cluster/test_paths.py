"""Clients reach the cluster past a proxy of the user's, and the user's own exceptions stay."""

import urllib.request
from pathlib import Path

import pytest

from dev.cluster import addresses, paths


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a client of a user with a proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet.example.org")
    environment = paths.client_environment(Path("admin.kubeconfig"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("host", [addresses.CONTROL_PLANE, "127.0.0.1", "intranet.example.org"])
def test_python_asks_no_proxy_for_the_api_server(host: str) -> None:
    assert urllib.request.proxy_bypass_environment(host)  # type: ignore[attr-defined]  # what aiohttp asks


@pytest.mark.usefixtures("no_proxy")
def test_python_asks_the_proxy_for_the_rest() -> None:
    assert not urllib.request.proxy_bypass_environment("example.org")  # type: ignore[attr-defined]


def test_go_reads_the_range(no_proxy: dict[str, str]) -> None:
    assert addresses.RANGE in no_proxy["NO_PROXY"].split(",")
    assert no_proxy["NO_PROXY"] == no_proxy["no_proxy"]
