"""The planner: what would be hit, and why it may not be. Runs, dry runs and `showstopper preview` all ask it.

What they know is read differently: the operator may know pods from a watch, and hears the listeners itself; the
command line reads everything with the caller's rights. What follows from it is decided here, once.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.room import AudioRoom
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import NAMESPACE, POD
from showstopper.engine.planning import peers, plan, policies
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.engine.rooms.pods import of_component


def snapshot(
    room: AudioRoom,
    faults: Sequence[Fault],
    *,
    labels: Mapping[str, str],
    pods: Iterable[Object],
    serving: Mapping[str, int],
) -> Snapshot:
    """The snapshot that some faults are planned from. Pure.

    Args:
        room: with its namespace.
        faults: only the components that they aim at are looked at.
        labels: of the room's namespace.
        pods: all of that namespace.
        serving: by media address, how many residents get their sound from it.
    """
    named = {fault.component for fault in faults}
    bodies = list(pods)
    return Snapshot(
        namespace=room.metadata.namespace,
        room_name=room.metadata.name,
        room=room.spec,
        namespace_labels=labels,
        pods={
            component.name: [plan.pod(body, serving) for body in of_component(component, bodies)]
            for component in room.spec.components
            if component.name in named
        },
        serving=serving,
    )


def objection(made: Plan, addresses: Mapping[str, Sequence[str]]) -> Finding | None:
    """The first reason why a plan may not be carried out. Pure.

    Args:
        made: the plan.
        addresses: of each component that a fault separates its targets from (`peers.addresses`).
    """
    return policies.refusal(made) or peers.missing(addresses)


async def read(client: Client, namespace: str) -> tuple[Mapping[str, str], list[Object]]:
    """The labels of a namespace, and its pods, as the API server has them now.

    Raises:
        ClusterError: one of them could not be read.
    """
    body, pods = await asyncio.gather(client.get(NAMESPACE, "", namespace), client.list(POD, namespace))
    return body["metadata"].get("labels", {}), pods


async def read_peers(client: Client, room: AudioRoom, made: Plan) -> Mapping[str, Sequence[str]]:
    """The addresses of the components that the plan's faults separate their targets from; {}: there are none.

    Raises:
        ClusterError: pods or Services could not be listed.
    """
    return await peers.addresses(client, room, peers.peers_of_all(planned.fault for planned in made.faults))
