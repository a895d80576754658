"""Pods as faults need them, and what the operator does to them. Data, no deeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod.

    Attributes:
        id: as its runtime gives it, without the runtime's name; empty: it does not run.
        restarts: how often its kubelet has started it anew.
        exit_code: of its last end; None: it has not ended, or that is not known.
        exit_reason: of its last end, such as OOMKilled, Error or Completed.
        memory_limit: as its pod declares it, such as 512Mi; empty: it has none.
    """

    name: str
    id: str = ""
    restarts: int = 0
    exit_code: int | None = None
    exit_reason: str = ""
    memory_limit: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as far as faults need it.

    Attributes:
        address: its pod IP; a relay in the host's network has its node's.
        addresses: all of its own, of both IP versions where it has them.
        node_addresses: those of its node, as far as they are known.
        probes: TCP ports at which its kubelet asks how its containers are.
        ready: its Ready condition.
        terminating: it is being deleted.
        serving: residents get their sound from it; None: not known.
        ports: what its containers list, as port number and protocol.
        media: addresses and ports that residents get their sound from it at.
        host_network: it has its node's network, not one of its own.
        created: when the API server made it (RFC 3339, whole seconds).
        containers: in the order of its spec.
        default_container: the value of its annotation `kubectl.kubernetes.io/default-container`.
    """

    namespace: str
    name: str
    uid: str
    node: str = ""
    address: str = ""
    ready: bool = True
    terminating: bool = False
    serving: bool | None = None
    host_network: bool = False
    created: str = ""
    containers: tuple[Container, ...] = ()
    default_container: str = ""
    ports: tuple[tuple[int, str], ...] = ()
    addresses: tuple[str, ...] = ()
    node_addresses: tuple[str, ...] = ()
    probes: tuple[int, ...] = ()
    media: tuple[tuple[str, int], ...] = ()

    @property
    def restarts(self) -> int:
        """How often its containers were started anew, all together."""
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete a pod by UID, so that a successor of the same name is never hit."""

    pod: Pod
    grace_period: timedelta


@dataclass(frozen=True, slots=True)
class EvictPod:
    """Ask the API server to evict a pod by UID, which a PodDisruptionBudget may refuse.

    Attributes:
        grace_period: None: the pod's own.
    """

    pod: Pod
    grace_period: timedelta | None


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload that makes pods of a component.

    Attributes:
        kind: Deployment, StatefulSet or DaemonSet.
        replicas: that it asks for; None: it has a pod for each node.
        restarted: when a fault of ours has restarted it last.
        scaler: the HorizontalPodAutoscaler that owns its replicas; empty: none.
        held: why a change of its template would not reach all of its pods, and what to do; empty: it would.
        others: its pods that the component does not select.
        config_maps: the names of those that its pods mount or read.
        followed: the names of those whose values come to its running pods, as files.
        deletes_volumes: whether it deletes the volumes of pods that it has no longer.
    """

    kind: str
    name: str
    uid: str
    replicas: int | None = None
    restarted: str | None = None
    scaler: str = ""
    held: str = ""
    others: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()
    deletes_volumes: bool = False

    @property
    def title(self) -> str:
        """Kind and name, for a person."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap that a fault names.

    Attributes:
        data: its texts, by key.
    """

    name: str
    uid: str
    data: Mapping[str, str]
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A node with pods of a room.

    Attributes:
        cordoned: it takes no new pods.
        pods: those of the room's components that a drain evicts: not those of DaemonSets, which stay.
        bare: the names of those that nobody makes anew.
    """

    name: str
    uid: str
    cordoned: bool = False
    pods: tuple[Pod, ...] = ()
    bare: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backing:
    """What is behind the pods of a component.

    Attributes:
        loose: the names of the pods that none of the workloads makes.
        config_maps: of those that faults of the component name, the ones that are there.
        nodes: by name, those that the component's pods are on, where faults drain one.
    """

    workloads: tuple[Workload, ...] = ()
    loose: tuple[str, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    nodes: Mapping[str, Node] = field(default_factory=dict)

    def config_map(self, name: str) -> ConfigMap | None:
        """The one of that name; None: it is not there."""
        return next((each for each in self.config_maps if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Change:
    """Give a field of an object another value.

    Attributes:
        field: a JSON pointer.
        before: what it holds; None: it is not there.
        lasts: whether it is put back when the fault is over.
    """

    kind: str
    name: str
    uid: str
    field: str
    before: str | int | None
    after: str | int | bool
    lasts: bool = True
