"""A PodDisruptionBudget of the staged room's relays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.staged_room import Show, eventually

NAME = "relays-stay"


@contextmanager
def budget(show: Show, least: int) -> Iterator[str]:
    """So many of the two relays have to be left. Its name, as soon as its controller has counted them."""
    budgets = f"/apis/policy/v1/namespaces/{show.namespace}/poddisruptionbudgets"
    labels = {"app.kubernetes.io/component": "relay"}
    spec = {"minAvailable": least, "selector": {"matchLabels": labels}}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": NAME}, "spec": spec}
    show.api.create(budgets, body)
    path = f"{budgets}/{NAME}"
    try:
        eventually(
            "the relays are counted", 30, lambda: show.api.get(path).get("status", {}).get("currentHealthy") == 2
        )
        yield NAME
    finally:
        show.api.delete(path)
