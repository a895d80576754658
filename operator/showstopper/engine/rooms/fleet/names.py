"""Names and labels of what the operator makes for a room: the listener fleet, the crowd and the managed host."""

import hashlib
import math

from showstopper.api.room import AudioRoom
from showstopper.api.schema.base import GROUP
from showstopper.cluster.listeners import ROLE_LABEL, ROOM_LABEL

# On the pod template: which version of the fleet a pod belongs to.
FLEET_ANNOTATION = f"{GROUP}/fleet"
FLEET_LABELS = {"app.kubernetes.io/part-of": "showstopper", "app.kubernetes.io/managed-by": "showstopper"}
"""Labels of everything that the operator makes for rooms, in all namespaces."""

_LONGEST = 63 - 11 - len("-listeners")
"""A StatefulSet's name and an 11 characters long hash make the label controller-revision-hash, of at most 63."""


def base(room: str) -> str:
    """The room's name, or a shorter one that no other room has, where the objects' labels would become too long."""
    if len(room) <= _LONGEST:
        return room
    digest = hashlib.sha256(room.encode()).hexdigest()[:8]
    return f"{room[: _LONGEST - 9].rstrip('-')}-{digest}"


def listeners(room: AudioRoom) -> str:
    """The name of the room's StatefulSet of listeners."""
    return f"{base(room.metadata.name)}-listeners"


def host(room: AudioRoom) -> str:
    """The name of the Deployment of the room's managed host."""
    return f"{base(room.metadata.name)}-host"


def pod_count(room: AudioRoom) -> int:
    """How many listener pods hold the room's residents."""
    return math.ceil(room.spec.listeners.count / room.spec.listeners.per_pod)


def pods(room: AudioRoom) -> frozenset[str]:
    """The names of the listener pods that are meant to be."""
    name = listeners(room)
    return frozenset(f"{name}-{ordinal}" for ordinal in range(pod_count(room)))


def residents(room: AudioRoom) -> tuple[str, ...]:
    """The residents who are meant to be in, named as the feeds name them: pod, and place in the whole fleet."""
    name, per_pod = listeners(room), room.spec.listeners.per_pod
    return tuple(f"{name}-{index // per_pod}/{index}" for index in range(room.spec.listeners.count))


def crowd(room: AudioRoom) -> str:
    """The name of the StatefulSet of the room's crowd."""
    return f"{base(room.metadata.name)}-crowd"


def crowd_pods(room: AudioRoom) -> frozenset[str]:
    """The names of the crowd pods that are meant to be."""
    wanted = room.spec.listeners.crowd
    count = wanted.pods if wanted is not None else 0
    return frozenset(f"{crowd(room)}-{ordinal}" for ordinal in range(count))


def crowd_listeners(room: AudioRoom) -> tuple[str, ...]:
    """The crowd's listeners who are meant to be in, named as their feeds name them: pod, and place in the pod."""
    wanted = room.spec.listeners.crowd
    if wanted is None:
        return ()
    name, per_pod = crowd(room), wanted.per_pod
    return tuple(f"{name}-{index // per_pod}/{index % per_pod}" for index in range(wanted.count))


def labels(room: AudioRoom, role: str) -> dict[str, str]:
    """All labels of an object of ours. The first two select its pods."""
    return {
        **selector(room, role),
        "app.kubernetes.io/name": "showstopper",
        "app.kubernetes.io/instance": base(room.metadata.name),
        "app.kubernetes.io/component": role,
        **FLEET_LABELS,
    }


def selector(room: AudioRoom, role: str) -> dict[str, str]:
    """What selects the pods of that role, and never changes (a StatefulSet's selector cannot)."""
    return {ROOM_LABEL: room.metadata.name, ROLE_LABEL: role}
