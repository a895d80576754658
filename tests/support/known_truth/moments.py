"""Moments of a run at which something is done to the room, and what is done."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.staged_room import Object, Show, proven


def active(show: Show, name: str) -> Object:
    """The run, as soon as its fault is proven."""
    return show.at(name, "the fault is proven", proven)


def in_force(show: Show, name: str) -> Object:
    """The run, as soon as its fault has begun: some are proven much later."""
    return show.at(name, "the fault is in force", lambda status: status.get("step") == "Active")


def recovering(show: Show, name: str) -> Object:
    """The run, as soon as its fault is over."""
    return show.at(name, "its recovery", lambda status: status.get("step") == "Recovering")


def delete(show: Show, pod: str) -> None:
    """As a crash of its node does it."""
    show.api.delete(f"/api/v1/namespaces/{show.namespace}/pods/{pod}", {"gracePeriodSeconds": 0})


def of_role(show: Show, role: str) -> Sequence[str]:
    """The names of our own pods that do that for the room."""
    listed = show.api.get(f"/api/v1/namespaces/{show.namespace}/pods", labelSelector=f"showstopper.dev/role={role}")
    return [pod["metadata"]["name"] for pod in listed["items"]]


def serving(show: Show) -> str:
    """The name of the relay that the room is heard by."""
    name: str = show.api.get(show.path("audiorooms", show.room))["status"]["serving"][0]
    return name
