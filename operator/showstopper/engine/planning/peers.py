"""Peers: the addresses of the components that a fault separates its targets from."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from showstopper.api.room import AudioRoom
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD, SERVICE


async def addresses(client: Client, room: AudioRoom, components: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The addresses of these components' pods, and of the Services that lead to them, by component.

    Raises:
        ClusterError: pods or Services could not be listed.
    """
    declared = [component for component in room.spec.components if component.name in components]
    if not declared:
        return {}
    namespace = room.metadata.namespace
    pods, services = await asyncio.gather(client.list(POD, namespace), client.list(SERVICE, namespace))
    return {each.name: _of_component(each.selector.match_labels, pods, services) for each in declared}


def _of_component(labels: Mapping[str, str], pods: Sequence[Object], services: Sequence[Object]) -> tuple[str, ...]:
    chosen = [pod for pod in pods if _carries(pod, labels)]
    own = {pod.get("status", {}).get("podIP") for pod in chosen}
    for service in services:
        selector = service["spec"].get("selector") or {}
        if selector and any(_carries(pod, selector) for pod in chosen):
            own |= set(service["spec"].get("clusterIPs") or ())
    return tuple(sorted(address for address in own if address and address != "None"))


def _carries(pod: Object, labels: Mapping[str, str]) -> bool:
    held: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels.items() <= held.items()
