"""Pods of a room's components: who they are, which of them serve, and which images they run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showstopper.api.room import AudioRoom, Component, ComponentImage
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.errors import InvalidResource
from showstopper.faults.containers import DEFAULT_CONTAINER, choose

Pod = Mapping[str, Any]
MediaAddress = tuple[str, int]
"""IP address and port that a listener gets media from, as its transport reports them."""
_LONGEST_TEXT = 256
"""What a status field of ours takes (api/schema/base.py: Text)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The pods that a component's selector matches, by name.

    Attributes:
        running: those that run or start. They alone are the component's: targets, peers, releases and shares.
        finished: those that have ended (Succeeded), failed or were evicted. They stay in the API, with a node and an
            address that may be another pod's by now, until somebody deletes them.
        fleet: our own listeners, hosts and crowd, which are never part of what is under test.
    """

    running: tuple[dict[str, Any], ...]
    finished: tuple[dict[str, Any], ...]
    fleet: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ServicesAndPods:
    """The Services of a namespace, and all of its pods, which they select from."""

    services: Sequence[Pod] = ()
    pods: Sequence[Pod] = ()


def select(component: Component, pods: Iterable[dict[str, Any]]) -> Selection:
    """What the component's selector matches among a namespace's pods."""
    wanted = component.selector.match_labels.items()
    matching = [pod for pod in pods if (pod["metadata"].get("labels") or {}).items() >= wanted]
    matching.sort(key=lambda pod: str(pod["metadata"]["name"]))
    own = [pod for pod in matching if ROLE_LABEL not in (pod["metadata"].get("labels") or {})]
    return Selection(
        running=tuple(pod for pod in own if not is_over(pod)),
        finished=tuple(pod for pod in own if is_over(pod)),
        fleet=tuple(pod for pod in matching if ROLE_LABEL in (pod["metadata"].get("labels") or {})),
    )


def is_over(pod: Pod) -> bool:
    """Whether all containers of the pod have ended, and none starts again (phase Succeeded or Failed)."""
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def selects_fleet(component: Component, fleet: Sequence[str]) -> str:
    """Why a room cannot have this component, for a person: its selector matches these pods of ours."""
    return (
        f"the selector of component {component.name} matches pods of the room's own fleet ({', '.join(fleet[:3])}): "
        "give it labels that only the deployment under test has"
    )


async def component_pods(client: Client, room: AudioRoom, component: Component) -> list[dict[str, Any]]:
    """The component's pods as they are now, by name."""
    return of_component(
        component, await client.list(POD, room.metadata.namespace, labels=component.selector.match_labels)
    )


def of_component(component: Component, pods: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a namespace's pods that are the component's, by name: they run or start, and are not our own."""
    return list(select(component, pods).running)


async def release(client: Client, room: AudioRoom) -> list[ComponentImage]:
    """The images that the room's components run now, in a stable order.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    pods = {component.name: await component_pods(client, room, component) for component in room.spec.components}
    return images(room, pods)


def images(room: AudioRoom, pods: Mapping[str, Iterable[Pod]]) -> list[ComponentImage]:
    """The images of all containers of the components, sidecars included, each once, from the pods by component.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    by_container = {
        (image.component, image.container, image.image, image.digest): image
        for component in room.spec.components
        for pod in pods.get(component.name, ())
        if is_live(pod)
        for image in _images(component, pod)
    }
    return [by_container[key] for key in sorted(by_container)]


def leaving(room: AudioRoom, pods: Mapping[str, Iterable[Pod]], now: Collection[ComponentImage]) -> str | None:
    """A pod that ends, and until then serves whoever is in, for a person.

    LiveKit goes on for as long as its pod's grace period lasts. What is heard then is heard of the release before, and
    when the pod is gone its listeners lose the host for a reason that is no fault of a run's: also where only the
    pod's template has changed, or somebody has scaled the component in.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    digests = {(image.component, image.container, image.digest) for image in now}
    for component in room.spec.components:
        for pod in filter(_ends, pods.get(component.name, ())):
            other = next((image for image in _images(component, pod) if _is_other(image, digests)), None)
            return _draining(pod, other)
    return None


def _is_other(image: ComponentImage, digests: Collection[tuple[str, str, str]]) -> bool:
    """Whether it is known to be of another release."""
    return bool(image.digest) and (image.component, image.container, image.digest) not in digests


def _draining(pod: Pod, other: ComponentImage | None) -> str:
    """Which pod is waited for, until when at the latest, and how to end it now.

    The API server sets deletionTimestamp to the moment at which the grace period is over.
    """
    metadata = pod["metadata"]
    runs = f", which runs {other.image} {other.digest}," if other is not None else ""
    grace = metadata.get("deletionGracePeriodSeconds")
    period = f" (grace period {grace} s)" if grace is not None else ""
    return (
        f"pod {metadata['name']}{runs} has not ended yet: it does by {metadata['deletionTimestamp']}{period}; "
        f"kubectl -n {metadata['namespace']} delete pod {metadata['name']} --grace-period=1 ends it now"
    )


def container_of(component: Component, pod: Pod) -> Mapping[str, Any]:
    """The component's container as the pod's spec has it.

    Raises:
        InvalidResource: when the pod does not have it, or it is not known which one that is.
    """
    containers: dict[str, Mapping[str, Any]] = {container["name"]: container for container in pod["spec"]["containers"]}
    metadata = pod["metadata"]
    choice = choose(
        f"{metadata['namespace']}/{metadata['name']}",
        list(containers),
        named=component.container,
        by=f', which component "{component.name}" names',
        default=(metadata.get("annotations") or {}).get(DEFAULT_CONTAINER, ""),
    )
    if isinstance(choice, Finding):
        raise InvalidResource(choice.message)
    return containers[choice]


def names(pods: Iterable[Pod]) -> list[str]:
    """Their names, each once, in order."""
    return sorted({str(pod["metadata"]["name"]) for pod in pods})


def behind(
    room: AudioRoom, addresses: Iterable[MediaAddress], pods: Mapping[str, Sequence[Pod]], exposed: ServicesAndPods
) -> dict[MediaAddress, Pod]:
    """The pod behind each address that listeners get media from. Those of no pod, or of several, are left out.

    An address is a pod's own, or its node's with a port that the pod has there, or one of a Service that selects that
    pod alone. LiveKit advertises any of them (`rtc.node_ip`, `use_external_ip`).

    Args:
        room: whose components declare ports, ranges too, that no container has to list.
        addresses: as the listeners' transports report them.
        pods: by component, those that run or start.
        exposed: Services, and what they select from.
    """
    owners = {address: _behind(room, address, pods, exposed) for address in addresses}
    return {address: pod for address, pod in owners.items() if pod is not None}


def _behind(
    room: AudioRoom, where: MediaAddress, pods: Mapping[str, Sequence[Pod]], exposed: ServicesAndPods
) -> Pod | None:
    address, port = where
    placed = [(component, pod) for component in room.spec.components for pod in pods.get(component.name, ())]
    own = [pod for _, pod in placed if not pod["spec"].get("hostNetwork") and address in addresses_of(pod)]
    on_nodes = [
        pod
        for component, pod in placed
        if address in node_addresses(pod) and (port in _node_ports(pod) or _declares(component, pod, port))
    ]
    everyone = [pod for _, pod in placed]
    for candidates in (own, on_nodes, _selected(where, everyone, exposed)):
        if candidates:
            alone = len({pod["metadata"]["uid"] for pod in candidates}) == 1
            return candidates[0] if alone else None
    return None


def addresses_of(pod: Pod) -> tuple[str, ...]:
    """The pod's addresses, of both IP versions where it has them."""
    status = pod.get("status", {})
    listed = [str(each["ip"]) for each in status.get("podIPs") or () if each.get("ip")]
    return tuple(dict.fromkeys([*filter(None, [status.get("podIP")]), *listed]))


def node_addresses(pod: Pod) -> set[str]:
    """The addresses of the pod's node, as far as the pod's status has them."""
    status = pod.get("status", {})
    listed = {str(each["ip"]) for each in status.get("hostIPs") or () if each.get("ip")}
    shared = set(addresses_of(pod)) if pod.get("spec", {}).get("hostNetwork") else set()
    return (listed | {status.get("hostIP")} | shared) - {None}


def _declares(component: Component, pod: Pod, port: int) -> bool:
    """Whether the component has that port on its pod's node. A range of media is in no container's list."""
    on_node = bool(pod["spec"].get("hostNetwork"))
    return on_node and any(declared.port <= port <= declared.last for declared in component.ports)


def _selected(where: MediaAddress, pods: Sequence[Pod], exposed: ServicesAndPods) -> list[Pod]:
    """The only pod that a Service with that address selects, if it is one of the components'.

    All pods of the namespace are counted: a Service before the stable and the canary release tells nothing.
    """
    for service in exposed.services:
        if not _leads_to(service, where):
            continue
        selector = (service["spec"].get("selector") or {}).items()
        carriers = [pod for pod in exposed.pods if (pod["metadata"].get("labels") or {}).items() >= selector]
        uids = {pod["metadata"]["uid"] for pod in carriers if not is_over(pod)}
        return [pod for pod in pods if {pod["metadata"]["uid"]} == uids] if selector else []
    return []


def _leads_to(service: Pod, where: MediaAddress) -> bool:
    address, port = where
    spec, balancer = service["spec"], service.get("status", {}).get("loadBalancer", {})
    own = {*(spec.get("clusterIPs") or ()), *(spec.get("externalIPs") or ()), spec.get("clusterIP")}
    own |= {ingress.get("ip") for ingress in balancer.get("ingress") or ()}
    ports = spec.get("ports") or ()
    on_nodes = any(each.get("nodePort") == port for each in ports)
    return (address in own and any(each["port"] == port for each in ports)) or (
        on_nodes and address not in own and spec.get("type") in {"NodePort", "LoadBalancer"}
    )


def _node_ports(pod: Pod) -> set[int]:
    """The ports of the pod that are open on its node."""
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports") or ())
    host_network = pod["spec"].get("hostNetwork", False)
    return {port.get("hostPort") or (port["containerPort"] if host_network else 0) for port in ports} - {0}


def is_live(pod: Pod) -> bool:
    """Whether the pod runs or starts: neither over nor on its way out."""
    return not is_over(pod) and not pod["metadata"].get("deletionTimestamp")


def _ends(pod: Pod) -> bool:
    return not is_over(pod) and bool(pod["metadata"].get("deletionTimestamp"))


def _images(component: Component, pod: Pod) -> list[ComponentImage]:
    """The images of the pod's containers, also of those that run beside them from its start (native sidecars).

    Raises:
        InvalidResource: when the component names a container that the pod does not have.
    """
    if component.container is not None:
        container_of(component, pod)
    spec, status = pod["spec"], pod["status"]
    sidecars = [each for each in spec.get("initContainers", ()) if each.get("restartPolicy") == "Always"]
    statuses = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    identities = {each["name"]: str(each.get("imageID", "")) for each in statuses}
    return [
        ComponentImage(
            component=component.name,
            container=container["name"],
            image=str(container["image"])[:_LONGEST_TEXT],
            digest=identities.get(container["name"], "").rpartition("@")[2][:_LONGEST_TEXT],
        )
        for container in (*spec["containers"], *sidecars)
    ]
