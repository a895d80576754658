"""Which events tell nothing but a status."""

from typing import Any

import pytest

from showstopper.controllers.echoes import Echoes

BODY: dict[str, Any] = {
    "metadata": {"uid": "u", "generation": 1, "resourceVersion": "1", "labels": {"a": "b"}, "annotations": {"c": "d"}},
    "status": {},
}


def body(**metadata: Any) -> dict[str, Any]:
    return {**BODY, "metadata": {**BODY["metadata"], **metadata}}


@pytest.fixture
def echoes() -> Echoes:
    primed = Echoes()
    assert not primed.is_echo(None, BODY)
    return primed


def test_a_status_is_an_echo(echoes: Echoes) -> None:
    assert echoes.is_echo("MODIFIED", {**body(resourceVersion="2"), "status": {"step": "Injecting"}})


@pytest.mark.parametrize(
    "changed",
    [
        {"generation": 2},
        {"labels": {}},
        {"annotations": {"c": "e"}},
        {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        {"uid": "another"},
    ],
)
def test_what_somebody_asks_for_is_none(echoes: Echoes, changed: dict[str, Any]) -> None:
    assert not echoes.is_echo("MODIFIED", body(**changed))
    assert echoes.is_echo("MODIFIED", body(**changed))


def test_a_deletion_is_none_and_is_forgotten(echoes: Echoes) -> None:
    assert not echoes.is_echo("DELETED", BODY)
    assert not echoes.is_echo("ADDED", BODY)
