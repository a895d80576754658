"""Roster: the pods of all rooms' fleets, listeners, crowds and hosts, from one cluster-wide watch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import CROWD, HOST, LISTENER, ROLE_LABEL, ROOM_LABEL
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.engine.rooms.fleet.names import FLEET_ANNOTATION


@dataclass(frozen=True, slots=True)
class ListenerPod:
    """What is kept of a pod of a fleet: little, for there may be a thousand."""

    name: str
    address: str | None
    version: str
    trouble: str
    room: str
    role: str = LISTENER
    ends: bool = False
    """Whether it has been told to end."""


class Roster:
    """The pods by room."""

    def __init__(self, client: Client) -> None:
        self.mirror = Mirror(client, POD, labels={ROLE_LABEL: "", ROOM_LABEL: ""}, keep=read, on_change=self._take)
        self._rooms: dict[tuple[str, str], dict[str, ListenerPod]] = {}

    async def run(self) -> None:
        """Watch the pods until cancelled."""
        await self.mirror.run()

    def pods(self, namespace: str, room: str) -> Mapping[str, ListenerPod]:
        """The room's listener pods by name."""
        return self._of(namespace, room, LISTENER)

    def hosts(self, namespace: str, room: str) -> Mapping[str, ListenerPod]:
        """The pods of the room's host by name: one, or two while one replaces the other."""
        return self._of(namespace, room, HOST)

    def crowd(self, namespace: str, room: str) -> Mapping[str, ListenerPod]:
        """The room's crowd pods by name."""
        return self._of(namespace, room, CROWD)

    def _of(self, namespace: str, room: str, role: str) -> Mapping[str, ListenerPod]:
        pods = self._rooms.get((namespace, room), {})
        return {name: pod for name, pod in pods.items() if pod.role == role}

    def _take(self, change: Change[ListenerPod]) -> None:
        pod = change.value
        key = change.key[0], pod.room
        if change.type is not ChangeType.DELETED:
            self._rooms.setdefault(key, {})[pod.name] = pod
        elif (pods := self._rooms.get(key)) is not None:
            pods.pop(pod.name, None)
            if not pods:
                del self._rooms[key]


def read(pod: Mapping[str, Any]) -> ListenerPod:
    """What matters of a pod."""
    metadata, status = pod["metadata"], pod.get("status", {})
    return ListenerPod(
        name=metadata["name"],
        address=status.get("podIP"),
        version=metadata.get("annotations", {}).get(FLEET_ANNOTATION, ""),
        trouble=trouble(status),
        room=metadata.get("labels", {}).get(ROOM_LABEL, ""),
        role=metadata.get("labels", {}).get(ROLE_LABEL, LISTENER),
        ends="deletionTimestamp" in metadata,
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
