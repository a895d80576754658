"""What every kind of fault says of itself: who carries it out, whether it takes time, and what it is aimed at."""

from enum import StrEnum
from typing import ClassVar

from showstopper.api.schema.base import Spec


class Hand(StrEnum):
    """Who carries out a fault."""

    API_SERVER = "APIServer"
    """The operator itself, by calls to the API server."""
    AGENT = "Agent"
    """The agents of the targets' nodes."""
    CROWD = "Crowd"
    """Pods of our own in the room's namespace, each behind a gate of its node's agent."""
    STAGE = "Stage"
    """The parts of the stage that are ours: the managed host and the door."""

    @property
    def takes_injections(self) -> bool:
        """Whether it is asked by Injections. The operator needs none for what it does itself."""
        return self is not Hand.API_SERVER


class Aim(StrEnum):
    """What a fault is aimed at."""

    PODS = "Pods"
    """Pods of a component of the room."""
    CONTAINER = "Container"
    """One container in each of these pods."""
    HOST = "Host"
    """The room's managed host."""
    DOOR = "Door"
    """All pods of the room's door."""
    LISTENERS = "Listeners"
    """The room's listeners."""
    ROOM = "Room"
    """The room as a whole, and no pod of it."""

    @property
    def at_component(self) -> bool:
        """Whether the targets are pods of the component that `target` names."""
        return self in {Aim.PODS, Aim.CONTAINER}


class FaultKind(Spec):
    """A kind of fault. Nobody else asks what kind a fault is: the class says what they need to know."""

    hand: ClassVar[Hand]
    """Who carries it out."""
    aims_at: ClassVar[Aim]
    """What its targets are."""
    instant: ClassVar[bool] = False
    """Whether it is done in an instant, and has no duration. Every other kind lasts until it is lifted."""
    longest: ClassVar[str] = "1h"
    """The longest duration that it takes."""
    most_targets: ClassVar[int] = 500
    """How many targets it takes at the most."""

    @property
    def port_names(self) -> tuple[str, ...]:
        """The ports of its target that it names."""
        return ()

    @property
    def peer_components(self) -> tuple[str, ...]:
        """The components that are the other side of the traffic that it means; none: everybody is."""
        return ()

    @property
    def reaches_media(self) -> bool:
        """Whether it means the packets of media, where its ports are some that media comes by."""
        return False

    @property
    def means_everything(self) -> bool:
        """Whether it means packets of all ports, to and from everybody: also those of the kubelet's probes."""
        return False

    @property
    def container_name(self) -> str | None:
        """The container that it names."""
        return None
