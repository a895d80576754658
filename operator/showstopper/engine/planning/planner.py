"""The planner: what would be hit, and why it may not be. Runs, dry runs and `showstopper preview` all ask it.

What they know is read differently: the operator may know pods from a watch, and hears the listeners itself; the
command line reads everything with the caller's rights. What follows from it is decided here, once.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim
from showstopper.api.room import AudioRoom
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import NAMESPACE, POD, SERVICE
from showstopper.engine.planning import backing, peers, plan, policies
from showstopper.engine.planning.plan import FLEET_ROLES, Plan, Snapshot
from showstopper.engine.rooms.fleet import names
from showstopper.engine.rooms.pods import MediaAddress, ServicesAndPods, behind, is_live, is_over, select
from showstopper.errors import Forbidden


def snapshot(
    room: AudioRoom,
    faults: Sequence[Fault],
    *,
    labels: Mapping[str, str],
    pods: Iterable[Object],
    serving: Mapping[MediaAddress, int],
    services: Sequence[Object] = (),
) -> Snapshot:
    """The snapshot that some faults are planned from. Pure.

    Args:
        room: with its namespace.
        faults: only the components, and the parts of the fleet, that they aim at are looked at.
        labels: of the room's namespace.
        pods: all of that namespace.
        serving: by address and port, how many residents get their sound from it.
        services: of that namespace, as far as they are needed to tell which pods serve.
    """
    named, aims = {fault.component for fault in faults}, {fault.aim for fault in faults}
    bodies = list(pods)
    selections = {component.name: select(component, bodies) for component in room.spec.components}
    running = {name: selection.running for name, selection in selections.items()}
    owners = behind(room, serving, running, ServicesAndPods(services, bodies))
    servers = {address: owner["metadata"]["uid"] for address, owner in owners.items()}
    return Snapshot(
        namespace=room.metadata.namespace,
        room_name=room.metadata.name,
        room=room.spec,
        namespace_labels=labels,
        pods={
            name: [plan.pod(body, serving, servers) for body in selection.running]
            for name, selection in selections.items()
            if name in named
        },
        serving=serving,
        servers=servers,
        fleet={
            aim: [plan.pod(body, serving, servers) for body in _aimed_at(aim, room, bodies, running)]
            for aim in (*FLEET_ROLES, Aim.DOOR)
            if aim in aims
        },
        finished={name: [_ended(body) for body in selection.finished] for name, selection in selections.items()},
        on_nodes={
            name: there
            for name, selection in selections.items()
            if (there := [body["metadata"]["name"] for body in selection.running if _on_node(body)])
        },
        selected_fleet={
            name: [body["metadata"]["name"] for body in selection.fleet]
            for name, selection in selections.items()
            if selection.fleet
        },
        staying=frozenset(
            body["metadata"]["uid"] for selection in selections.values() for body in selection.running if is_live(body)
        ),
    )


def _aimed_at(
    aim: Aim, room: AudioRoom, bodies: Iterable[Object], running: Mapping[str, Sequence[Object]]
) -> list[Object]:
    """The pods that can be hit of the room's own fleet, of its managed host one or none; or all of its staged door."""
    if aim is Aim.DOOR:
        door = (room.spec.door.component if room.spec.door is not None else None) or ""
        return [body for body in running.get(door, ()) if body.get("status", {}).get("podIP")]
    wanted = names.selector(room, FLEET_ROLES[aim]).items()
    return [
        body
        for body in bodies
        if (body["metadata"].get("labels") or {}).items() >= wanted
        and not is_over(body)
        and body.get("status", {}).get("podIP")
    ]


def objection(made: Plan, addresses: Mapping[str, Sequence[str]]) -> Finding | None:
    """The first reason why a plan may not be carried out. Pure.

    Args:
        made: the plan.
        addresses: of each component that a fault separates its targets from (`peers.addresses`).
    """
    return policies.refusal(made) or peers.missing(addresses)


def _on_node(body: Object) -> bool:
    return bool(body["spec"].get("hostNetwork"))


def _ended(body: Object) -> str:
    """A pod that has ended, and how, for a person: "relay-7c9f (Evicted)"."""
    status = body["status"]
    return f"{body['metadata']['name']} ({status.get('reason') or status['phase']})"


async def look(
    client: Client, room: AudioRoom, faults: Sequence[Fault], serving: Mapping[MediaAddress, int]
) -> tuple[Snapshot, list[Object]]:
    """The snapshot that some faults are planned from, and all pods of the namespace, as the API server has them now.

    Services are read only where no pod has an address that serves. Without the right to read them there are none.
    Workloads are read only where faults change them.

    Raises:
        ClusterError: the namespace or its pods could not be read.
    """
    namespace = room.metadata.namespace
    body, pods = await asyncio.gather(client.get(NAMESPACE, "", namespace), client.list(POD, namespace))
    labels: Mapping[str, str] = body["metadata"].get("labels", {})
    made = snapshot(room, faults, labels=labels, pods=pods, serving=serving)
    if made.strangers:
        with contextlib.suppress(Forbidden):
            services = await client.list(SERVICE, namespace)
            made = snapshot(room, faults, labels=labels, pods=pods, serving=serving, services=services)
    known = await backing.look(client, room, faults, pods, lambda body: plan.pod(body, made.serving, made.servers))
    return replace(made, backing=known), pods


async def read_peers(client: Client, room: AudioRoom, made: Plan) -> Mapping[str, Sequence[str]]:
    """The addresses of the components that the plan's faults separate their targets from; {}: there are none.

    Raises:
        ClusterError: pods or Services could not be listed.
    """
    return await peers.addresses(client, room, peers.peers_of_all(planned.fault for planned in made.faults))
