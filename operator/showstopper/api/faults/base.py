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
    WORKLOAD = "Workload"
    """The workload that makes the pods of a component: all of these are its targets."""
    NODE = "Node"
    """The node of one pod of a component, with the pods of all components there."""
    HOST = "Host"
    """The room's managed host."""
    DOOR = "Door"
    """All pods of the room's door."""
    LISTENERS = "Listeners"
    """The room's listeners."""
    ROOM = "Room"
    """The room as a whole, and no pod of it."""

    @property
    def behind_pods(self) -> bool:
        """Whether what is behind a component's pods has to be known: what makes them, or the nodes that they are on."""
        return self in {Aim.WORKLOAD, Aim.NODE}

    @property
    def at_component(self) -> bool:
        """Whether the targets are pods of the component that `target` names."""
        return self in {Aim.PODS, Aim.CONTAINER, Aim.WORKLOAD, Aim.NODE}


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
    hits_fleet: ClassVar[bool] = False
    """Whether it may be aimed at the room's own fleet, where it means media alone."""
    one_at_a_time: ClassVar[bool] = False
    """Whether an experiment takes only one of it."""
    brings_people: ClassVar[bool] = False
    """Whether it lets people into the room who are none of its listeners, and whom its public count has, too."""

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
    def names_more_than_media(self) -> bool:
        """Whether it names packets that are no media of the fleet: ports of its target, or a protocol of signalling."""
        return False

    @property
    def means_everything(self) -> bool:
        """Whether it means packets of all ports, to and from everybody: also those of the kubelet's probes."""
        return False

    @property
    def container_name(self) -> str | None:
        """The container that it names."""
        return None

    @property
    def config_maps(self) -> tuple[str, ...]:
        """The ConfigMaps that it changes."""
        return ()

    @property
    def is_held(self) -> bool:
        """Whether it is kept up and lifted: what lasts, and all that executors are asked for."""
        return self.hand.takes_injections or not self.instant

    @property
    def ends_targets(self) -> bool:
        """Whether it is meant to end its targets: nobody else has, then."""
        return self.instant

    @property
    def named_whole(self) -> bool:
        """Whether a run's status names each of its targets. Of others, Injections have each."""
        return self.instant or not self.hand.takes_injections

    def hits(self, pods: int) -> int:
        """How many of so many targets it hits. Of a workload's pods, that may be some, whichever."""
        return pods
