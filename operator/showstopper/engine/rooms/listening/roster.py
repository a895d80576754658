"""Roster: the listener pods of all rooms, as one cluster-wide watch tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from showstopper.cluster.listeners import ROOM_LABEL
from showstopper.engine.rooms.fleet.names import FLEET_ANNOTATION


@dataclass(frozen=True, slots=True)
class ListenerPod:
    """What is kept of a listener pod: little, for there may be a thousand."""

    name: str
    uid: str
    address: str | None
    version: str
    trouble: str


class Roster:
    """The listener pods by room."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, str], dict[str, ListenerPod]] = {}

    def clear(self) -> None:
        """Forget all, before a watch that begins afresh."""
        self._rooms.clear()

    def changed(self, event: str, pod: Mapping[str, Any]) -> None:
        """Take in one event of the watch."""
        metadata = pod["metadata"]
        key = metadata["namespace"], metadata.get("labels", {}).get(ROOM_LABEL, "")
        room = self._rooms.setdefault(key, {})
        found = read(pod)
        if event != "DELETED":
            room[found.name] = found
        elif (known := room.get(found.name)) is not None and known.uid == found.uid:
            del room[found.name]
        if not room:
            del self._rooms[key]

    def pods(self, namespace: str, room: str) -> Mapping[str, ListenerPod]:
        """The room's listener pods by name."""
        return self._rooms.get((namespace, room), {})


def read(pod: Mapping[str, Any]) -> ListenerPod:
    """What matters of a pod."""
    metadata, status = pod["metadata"], pod.get("status", {})
    return ListenerPod(
        name=metadata["name"],
        uid=metadata["uid"],
        address=status.get("podIP"),
        version=metadata.get("annotations", {}).get(FLEET_ANNOTATION, ""),
        trouble=trouble(status),
    )


def trouble(status: Mapping[str, Any]) -> str:
    """Why a pod does not run, in the kubelet's or the scheduler's words; empty if it does or is just being made."""
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        reason = waiting.get("reason", "")
        if reason and reason not in {"ContainerCreating", "PodInitializing"}:
            return f"{reason}: {waiting['message']}" if waiting.get("message") else str(reason)
    for condition in status.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}"
    return ""
