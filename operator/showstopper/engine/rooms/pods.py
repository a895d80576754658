"""Pods of a room's components: who they are, which of them serve, and which images they run."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from showstopper.api.room import AudioRoom, Component, ComponentImage
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.errors import InvalidResource

Pod = Mapping[str, Any]
# What a status field of ours takes (api/schema/base.py: Text).
_LONGEST_TEXT = 256


async def component_pods(client: Client, room: AudioRoom, component: Component) -> list[dict[str, Any]]:
    """The component's pods as they are now, by name."""
    return of_component(
        component, await client.list(POD, room.metadata.namespace, labels=component.selector.match_labels)
    )


def of_component(component: Component, pods: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a namespace's pods that are the component's, by name. Our own listeners and hosts never are."""
    wanted = component.selector.match_labels.items()
    own = [
        pod
        for pod in pods
        if (labels := pod["metadata"].get("labels") or {}).items() >= wanted and ROLE_LABEL not in labels
    ]
    return sorted(own, key=lambda pod: str(pod["metadata"]["name"]))


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
    """A pod that ends, and until then serves an image that is not among those of `now`, for a person.

    LiveKit goes on serving whoever is in for as long as its pod's grace period lasts: what is heard then is heard of
    the release before.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    digests = {(image.component, image.container, image.digest) for image in now}
    for component in room.spec.components:
        for pod in pods.get(component.name, ()):
            for image in _images(component, pod) if _ends(pod) else ():
                if image.digest and (image.component, image.container, image.digest) not in digests:
                    return _draining(pod, image)
    return None


def _draining(pod: Pod, image: ComponentImage) -> str:
    """Which pod is waited for, until when at the latest, and how to end it now.

    The API server sets deletionTimestamp to the moment at which the grace period is over.
    """
    metadata = pod["metadata"]
    grace = metadata.get("deletionGracePeriodSeconds")
    period = f" (grace period {grace} s)" if grace is not None else ""
    return (
        f"pod {metadata['name']}, which runs {image.image} {image.digest}, has not ended yet: it does by "
        f"{metadata['deletionTimestamp']}{period}; kubectl -n {metadata['namespace']} delete pod {metadata['name']} "
        "--grace-period=1 ends it now"
    )


def container_of(component: Component, pod: Pod) -> Mapping[str, Any]:
    """The component's container as the pod's spec has it.

    Raises:
        InvalidResource: when the pod does not have it, naming those that it has.
    """
    containers: list[Mapping[str, Any]] = pod["spec"]["containers"]
    if component.container is None:
        return containers[0]
    for container in containers:
        if container["name"] == component.container:
            return container
    names = ", ".join(str(container["name"]) for container in containers)
    metadata = pod["metadata"]
    raise InvalidResource(
        f'pod {metadata["namespace"]}/{metadata["name"]} has no container "{component.container}", which component '
        f'"{component.name}" names; it has: {names}'
    )


def serving(addresses: Iterable[tuple[str, int]], pods: Mapping[str, Iterable[Pod]]) -> list[str]:
    """The names of the pods behind the addresses that listeners get media from, in order. Unknown ones are left out."""
    everyone = [pod for group in pods.values() for pod in group]
    names = {_behind(address, port, everyone) for address, port in addresses}
    return sorted(name for name in names if name)


def _behind(address: str, port: int, pods: Iterable[Pod]) -> str | None:
    """The pod with that address. Among pods that share their node's address, the one with that port."""
    candidates = [pod for pod in pods if address in {pod["status"].get("podIP"), pod["status"].get("hostIP")}]
    own = [pod for pod in candidates if pod["status"].get("podIP") == address and not pod["spec"].get("hostNetwork")]
    for pod in own or [pod for pod in candidates if port in _node_ports(pod)]:
        return str(pod["metadata"]["name"])
    return None


def _node_ports(pod: Pod) -> set[int]:
    """The ports of the pod that are open on its node."""
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports", ()))
    host_network = pod["spec"].get("hostNetwork", False)
    return {port.get("hostPort") or (port["containerPort"] if host_network else 0) for port in ports} - {0}


def is_live(pod: Pod) -> bool:
    """Whether the pod runs or starts: neither over nor on its way out."""
    return not _is_over(pod) and not pod["metadata"].get("deletionTimestamp")


def _ends(pod: Pod) -> bool:
    return not _is_over(pod) and bool(pod["metadata"].get("deletionTimestamp"))


def _is_over(pod: Pod) -> bool:
    return pod["status"].get("phase") in {"Succeeded", "Failed"}


def _images(component: Component, pod: Pod) -> list[ComponentImage]:
    """The images of the pod's containers, also of those that run beside them from its start (native sidecars).

    Raises:
        InvalidResource: when the component names a container that the pod does not have.
    """
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
