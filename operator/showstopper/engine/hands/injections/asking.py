"""Asking: what a plan's faults become as Injections: one for each node, in shards, or for a pod of the stage. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, Hand
from showstopper.api.faults.network import Protocol
from showstopper.api.injection import (
    LEASE_LABEL,
    MOST_PROBED,
    Injection,
    InjectionSpec,
    InjectionTarget,
    Probes,
    RunReference,
    TargetPort,
)
from showstopper.api.room import AudioRoomSpec
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.cluster.client import Object
from showstopper.engine.planning.peers import peers_of
from showstopper.engine.planning.plan import PlannedFault
from showstopper.faults.effects import Pod
from showstopper.faults.processes.behaviour import container_of

SUCCESSOR_LABEL = "showstopper.dev/successor"
"""On the Injections of pods that have replaced a target while the fault lasted."""
OVERLAY_PORTS = (51820, 51821, 51871)
"""UDP ports above those of Services on which nodes carry the traffic of all pods: WireGuard as flannel and Calico set
it up, for IPv4 and IPv6, and as Cilium does."""
SHARD = 100
"""Targets in one Injection: what its status holds, and its admission costs, is bounded."""


def compose(run: ExperimentRun, planned: PlannedFault, addresses: Mapping[str, Sequence[str]]) -> Iterator[Object]:
    """The Injections of one fault: one for each node, in shards. `addresses`: of each component that is a peer."""
    fault, peers = planned.fault, all_of(addresses, peers_of(planned.fault))
    return ask(run, fault, planned.targets, _asked(fault, run.spec.room.spec, peers))


def of_successor(run: ExperimentRun, fault: Fault, pod: Pod, addresses: Mapping[str, Sequence[str]]) -> Object:
    """The Injection of a pod that has replaced a target."""
    asked = _asked(fault, run.spec.room.spec, all_of(addresses, peers_of(fault)))
    body = _body(run, fault, [pod], asked, pod.uid)
    body["metadata"]["labels"][SUCCESSOR_LABEL] = ""
    return body


def of_stage(run: ExperimentRun, fault: Fault, pod: Pod) -> Object:
    """The Injection of a fault that a pod of the stage carries out on itself: the host, or one of the door."""
    return _body(run, fault, [pod], {fault.kind: fault.spec}, pod.uid)


def ask(
    run: ExperimentRun, fault: Fault, pods: Sequence[Pod], asked: Mapping[str, Any], *, part: str = ""
) -> Iterator[Object]:
    """The Injections that ask the same for some pods: one for each node, in shards.

    Args:
        run: whose they are, under whose lease.
        fault: of the run.
        pods: the targets.
        asked: fields of their spec: the kind, and which packets.
        part: tells apart what is asked for one fault on one node.
    """
    for node, there in groupby(sorted(pods, key=lambda pod: (pod.node, pod.name)), lambda pod: pod.node):
        chosen = list(there)
        for first in range(0, len(chosen), SHARD):
            yield _body(run, fault, chosen[first : first + SHARD], asked, f"{part}{node}/{first}")


def all_of(addresses: Mapping[str, Sequence[str]], names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The addresses of these components (None: of all), in the order in which an Injection has them."""
    return tuple(sorted({address for name in (addresses if names is None else names) for address in addresses[name]}))


def spec_of(
    run: RunReference, fault: Fault, room: AudioRoomSpec, pods: Sequence[Pod], peers: Sequence[str]
) -> InjectionSpec:
    """What is asked of the agent of the node that these pods are on."""
    return _spec(run, fault, room, pods, _asked(fault, room, peers))


def owned(run: ExperimentRun) -> Object:
    """Metadata of what goes with its run: the run's name, label and owner reference."""
    return {
        "name": run.metadata.name,
        "namespace": run.metadata.namespace,
        "labels": {LEASE_LABEL: run.metadata.name, "app.kubernetes.io/managed-by": "showstopper"},
        "ownerReferences": [
            {"apiVersion": API_VERSION, "kind": run.kind, "name": run.metadata.name, "uid": run.metadata.uid}
        ],
    }


def _asked(fault: Fault, room: AudioRoomSpec, peers: Sequence[str]) -> Mapping[str, Any]:
    """The kind of a fault, and which packets it means, as fields of an Injection's spec."""
    return {
        "ports": _ports(fault, room),
        "media": _media(fault, room),
        "media_only": fault.fleet is not None,
        "peers": tuple(peers) if peers_of(fault) else None,
        fault.kind: fault.spec,
    }


def _spec(
    run: RunReference, fault: Fault, room: AudioRoomSpec, pods: Sequence[Pod], asked: Mapping[str, Any]
) -> InjectionSpec:
    targets = tuple(_target(pod, fault, room) for pod in pods)
    if any(pod.host_network for pod in pods):
        asked = {**asked, "ports": tuple(_spared(asked.get("ports", ())))}
    probes = _probes(fault, pods, asked.get("ports", ()))
    asked = {**asked, **({"probes": probes} if probes else {})}
    where: Mapping[str, Any] = {"pod": pods[0].name} if fault.spec.hand is Hand.STAGE else {"node": pods[0].node}
    return InjectionSpec(run=run, fault=fault.name, lease=run.name, targets=targets, **where, **asked)


def _probes(fault: Fault, pods: Sequence[Pod], ports: Sequence[TargetPort]) -> Probes | None:
    """What these pods' kubelet asks over the network, where the fault would meet it. Without answers it restarts them.

    That would be another fault, and is spared. Who names the very ports that it asks gets both, and is told. A fault of
    media alone does not meet it.
    """
    if fault.fleet is not None:
        return None
    probed = sorted({port for pod in pods for port in pod.probes})[:MOST_PROBED]
    if fault.spec.means_everything and probed and not any(pod.host_network for pod in pods):
        addresses = sorted({address for pod in pods for address in pod.node_addresses})
        return Probes(addresses=tuple(addresses), ports=tuple(probed))
    named = [port for port in ports if port.protocol is Protocol.TCP and not fault.spec.peer_components]
    hit = tuple(number for number in probed if any(port.port <= number <= port.last for port in named))
    return Probes(ports=hit, spared=False) if hit else None


def _target(pod: Pod, fault: Fault, room: AudioRoomSpec) -> InjectionTarget:
    container = container_of(fault, room, pod) if fault.spec.aims_at is Aim.CONTAINER else None
    return InjectionTarget(
        pod=pod.name,
        uid=pod.uid,
        address=pod.address,
        addresses=pod.addresses,
        host_network=pod.host_network,
        container_id=container.id if container else None,
    )


def _ports(fault: Fault, room: AudioRoomSpec) -> tuple[TargetPort, ...]:
    """The target's ports that a fault names, as the room declares them."""
    declared = _declared(fault, room)
    return tuple(declared[name] for name in fault.spec.port_names)


def _media(fault: Fault, room: AudioRoomSpec) -> tuple[TargetPort, ...]:
    """The target's ports that media comes by, of those that the fault means: the UDP ports of its component."""
    if not fault.spec.reaches_media:
        return ()
    declared = _declared(fault, room)
    meant = [declared[name] for name in fault.spec.port_names or declared]
    return tuple(port for port in meant if port.protocol is Protocol.UDP)


def _declared(fault: Fault, room: AudioRoomSpec) -> dict[str, TargetPort]:
    """The ports of the fault's component, by name."""
    component = room.component(fault.component) if fault.component is not None else None
    return {
        port.name: TargetPort(port=port.port, end_port=port.end_port, protocol=Protocol(port.protocol))
        for port in (component.ports if component else ())
    }


def _spared(ports: Sequence[TargetPort]) -> Iterator[TargetPort]:
    """The ports without those of the node's overlay, which a range of media may have in it."""
    for port in ports:
        first = port.port
        for taken in (number for number in OVERLAY_PORTS if port.end_port is not None and first <= number <= port.last):
            if first < taken:
                yield port.model_copy(update={"port": first, "end_port": taken - 1})
            first = taken + 1
        if first <= port.last:
            yield port.model_copy(update={"port": first})


def _body(run: ExperimentRun, fault: Fault, pods: Sequence[Pod], asked: Mapping[str, Any], part: str) -> Object:
    """An Injection as it is created. `part`: what tells it apart from the others of its fault."""
    reference = RunReference(name=run.metadata.name, uid=run.metadata.uid)
    return {
        "apiVersion": API_VERSION,
        "kind": Injection.kind,
        "metadata": {**owned(run), "name": _name(run, fault.name, part)},
        "spec": dump(_spec(reference, fault, run.spec.room.spec, pods, asked)),
    }


def _name(run: ExperimentRun, fault: str, part: str) -> str:
    """A name that is always the same for the same part of a run, so nothing is asked for twice. At most 63 long."""
    digest = hashlib.sha256(f"{run.metadata.uid}/{fault}/{part}".encode()).hexdigest()[:10]
    return f"{run.metadata.name[:52]}-{digest}"
