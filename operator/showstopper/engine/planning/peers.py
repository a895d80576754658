"""Peers: the addresses of the components that a fault separates its targets from."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom, Component
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD, SERVICE
from showstopper.engine.rooms.pods import addresses_of, of_component
from showstopper.faults.network.bounds import MOST_PEERS


def peers_of(fault: Fault) -> tuple[str, ...]:
    """The components that a fault separates its targets from; none: it concerns everybody."""
    return fault.spec.peer_components


def peers_of_all(faults: Iterable[Fault]) -> frozenset[str]:
    """The same of several faults."""
    return frozenset(name for fault in faults for name in peers_of(fault))


def missing(addresses: Mapping[str, Sequence[str]]) -> Finding | None:
    """Why targets cannot be separated from these components: one of them has no address, or all have too many."""
    name = next((name for name, own in addresses.items() if not own), None)
    if name is not None:
        message = f"component {name} has no pod and no Service: there is nothing to partition from"
        return Finding(Reason.NO_PEERS, message)
    everyone = {address for own in addresses.values() for address in own}
    if len(everyone) > MOST_PEERS:
        return Finding(
            Reason.TOO_MANY_PEERS,
            f"components {', '.join(sorted(addresses))} have {len(everyone)} addresses, and a fault may have "
            f"{MOST_PEERS} peers: name fewer components",
        )
    return None


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
    return {component.name: of_pods(component, pods, services) for component in declared}


def of_pods(component: Component, pods: Sequence[Object], services: Sequence[Object]) -> tuple[str, ...]:
    """The addresses of a component's pods, of both IP versions, and of the Services that lead to one of them. Pure."""
    chosen = of_component(component, pods)
    own = {address for pod in chosen for address in addresses_of(pod)}
    for service in services:
        selector = service["spec"].get("selector") or {}
        if selector and any(_carries(pod, selector) for pod in chosen):
            own |= set(service["spec"].get("clusterIPs") or ())
    return tuple(sorted(address for address in own if address and address != "None"))


def _carries(pod: Object, labels: Mapping[str, str]) -> bool:
    held: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels.items() <= held.items()
