"""What runs share: two that do wait for each other, for neither could tell what the other did to its room. Pure.

A run *hits* things by its faults, and *listens* to all that its room names: what is done to any of these its listeners
hear, whoever did it. Two runs share something when one hits what the other hits or listens to.

| thing | hit by | listened to by |
|---|---|---|
| the room with its fleet: the host's and the listeners' uplinks | every run in it | every run in it |
| pods of components | faults aimed at a component | rooms whose selectors may match a pod of it |
| the door | faults aimed at it | rooms that ask it for tokens |
| a ConfigMap | faults that change it | nobody: who reads it is not known from a room |
| the nodes, of all namespaces | drains | runs whose faults end pods, which have to be scheduled anew |

A fault in one component reaches the others of its room: relays whose store is gone take nobody in. So a room on the
same relays hears it also where it does not name the store. The door is apart: relays play on without it, and nobody who
asks another door meets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, Hand
from showstopper.api.room import AudioRoomSpec
from showstopper.api.run import ExperimentRun

Thing = tuple[str, ...]
"""Something that has a name of its own in the cluster: its kind, and where and what it is."""

_NODES: Thing = ("Nodes",)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run hits, or listens to.

    Attributes:
        namespace: of its pods.
        pods: labels that all pods of a component carry, for each component.
        things: all that has a name.
    """

    namespace: str
    pods: tuple[Mapping[str, str], ...]
    things: frozenset[Thing]

    def meets(self, other: "Scope") -> bool:
        """Whether something is, or may be, in both."""
        if self.things & other.things:
            return True
        if self.namespace != other.namespace:
            return False
        return any(_compatible(mine, theirs) for mine in self.pods for theirs in other.pods)


def share(run: ExperimentRun, other: ExperimentRun) -> bool:
    """Whether one of two runs hits what the other hits or listens to."""
    hit, others_hit = hits(run), hits(other)
    return hit.meets(others_hit) or hit.meets(listens(other)) or others_hit.meets(listens(run))


def hits(run: ExperimentRun) -> Scope:
    """What the faults of a run are about: its room in any case, and what they reach of its components and beside."""
    namespace, room = run.metadata.namespace, run.spec.room.spec
    reached = {name for fault in run.spec.faults for name in _reached(room, fault)}
    pods = (component.selector.match_labels for component in room.components if component.name in reached)
    things = _room(run)
    things |= {("ConfigMap", namespace, name) for fault in run.spec.faults for name in fault.spec.config_maps}
    things |= {_NODES for fault in run.spec.faults if fault.aim is Aim.NODE}
    things |= _door(run) if reached & _door_component(room) else set()
    return Scope(namespace, tuple(pods), frozenset(things))


def listens(run: ExperimentRun) -> Scope:
    """What the listeners of a run hear, and what its faults rely on."""
    pods = (component.selector.match_labels for component in run.spec.room.spec.components)
    relied_on = {_NODES for fault in run.spec.faults if _replaces_pods(fault)}
    return Scope(run.metadata.namespace, tuple(pods), frozenset(_room(run) | _door(run) | relied_on))


def _replaces_pods(fault: Fault) -> bool:
    """Whether pods have to be scheduled anew because of it. Containers are restarted where they are."""
    return fault.spec.hand is Hand.API_SERVER and fault.spec.ends_targets


def _reached(room: AudioRoomSpec, fault: Fault) -> frozenset[str]:
    """The components that a fault is felt in."""
    every, door = frozenset(component.name for component in room.components), _door_component(room)
    if fault.aim is Aim.NODE:
        return every
    if fault.aim is Aim.DOOR or fault.component in door:
        return door
    return every - door if fault.aim.at_component else frozenset()


def _door_component(room: AudioRoomSpec) -> frozenset[str]:
    """The name of the component that is the room's door, if one is."""
    return frozenset({room.door.component} if room.door is not None and room.door.component else ())


def _room(run: ExperimentRun) -> set[Thing]:
    return {("AudioRoom", run.metadata.namespace, run.spec.room.name)}


def _door(run: ExperimentRun) -> set[Thing]:
    """The door by the host of its URL, for not every room that uses it has it among its components.

    A Service has one name in its own namespace and longer ones elsewhere: the first two labels tell which it is.
    """
    if (door := run.spec.room.spec.door) is None:
        return set()
    host = urlsplit(door.url).hostname or ""
    service, namespace = (*host.split("."), run.metadata.namespace)[:2]
    return {("Door", namespace, service)}


def _compatible(labels: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether a pod can carry both sets of labels."""
    return all(other.get(label, value) == value for label, value in labels.items())
