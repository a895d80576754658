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
from showstopper.engine.rooms.pods import select


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
    selections = {component.name: select(component, bodies) for component in room.spec.components}
    return Snapshot(
        namespace=room.metadata.namespace,
        room_name=room.metadata.name,
        room=room.spec,
        namespace_labels=labels,
        pods={
            name: [plan.pod(body, serving) for body in selection.running]
            for name, selection in selections.items()
            if name in named
        },
        serving=serving,
        finished={name: [_ended(body) for body in selection.finished] for name, selection in selections.items()},
        selected_fleet={
            name: [body["metadata"]["name"] for body in selection.fleet]
            for name, selection in selections.items()
            if selection.fleet
        },
    )


def objection(made: Plan, addresses: Mapping[str, Sequence[str]]) -> Finding | None:
    """The first reason why a plan may not be carried out. Pure.

    Args:
        made: the plan.
        addresses: of each component that a fault separates its targets from (`peers.addresses`).
    """
    return policies.refusal(made) or peers.missing(addresses)


def _ended(body: Object) -> str:
    """A pod that has ended, and how, for a person: "relay-7c9f (Evicted)"."""
    status = body["status"]
    return f"{body['metadata']['name']} ({status.get('reason') or status['phase']})"


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
