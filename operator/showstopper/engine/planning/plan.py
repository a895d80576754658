"""The plan: which pods a run would hit. Pure."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim
from showstopper.api.room import AudioRoomSpec
from showstopper.api.run import MOST_MEDIA, ChangeRecord, ChosenPod
from showstopper.cluster.listeners import HOST, LISTENER
from showstopper.engine.rooms import media_paths, probes
from showstopper.engine.rooms.pods import MediaAddress, addresses_of, node_addresses
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.containers import DEFAULT_CONTAINER
from showstopper.faults.effects import Backing, Container, Pod
from showstopper.faults.pods.behaviour import changes_of
from showstopper.faults.workloads import fields

FLEET_ROLES: Mapping[Aim, str] = {Aim.HOST: HOST, Aim.LISTENERS: LISTENER}
"""By what is aimed at of a room's own fleet, the role of its pods."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is when a plan is made.

    Attributes:
        room_name: of the AudioRoom.
        room: its spec.
        namespace_labels: of the namespace that it lives in.
        pods: by component name, all that run or start, of the components that faults aim at.
        finished: by component name, what else its selector matches: "NAME (REASON)" of pods that have ended.
        on_nodes: by component name, the pods that share their node's network, of all components.
        selected_fleet: by component name, the pods of our own fleet that its selector matches, of all components.
        serving: address and port → how many residents get their sound from it. Empty if it is not known.
        servers: address and port → UID of the room's pod behind it. What is missing belongs to no pod that is known.
        staying: UIDs of the pods of all components that nobody has told to end.
        backing: by component name, what is behind its pods, where faults change that. None: nobody has looked.
        fleet: the pods of ours that faults aim at instead of a component's: the host's, and the listeners'.
    """

    namespace: str
    room_name: str
    room: AudioRoomSpec
    namespace_labels: Mapping[str, str]
    pods: Mapping[str, Sequence[Pod]]
    serving: Mapping[MediaAddress, int]
    fleet: Mapping[Aim, Sequence[Pod]] = field(default_factory=dict)
    finished: Mapping[str, Sequence[str]] = field(default_factory=dict)
    on_nodes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    selected_fleet: Mapping[str, Sequence[str]] = field(default_factory=dict)
    servers: Mapping[MediaAddress, str] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()
    backing: Mapping[str, Backing] | None = None

    @property
    def strangers(self) -> tuple[MediaAddress, ...]:
        """The addresses that residents get their sound from, and that belong to no pod that is known."""
        return tuple(sorted(self.serving.keys() - self.servers.keys()))

    def behind(self, fault: Fault) -> Backing | None:
        """What is behind the component that a fault is aimed at. None: it is aimed elsewhere, or nobody has looked."""
        return self.backing.get(fault.component) if self.backing is not None and fault.component is not None else None


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault with the pods that it would hit, and those that it chose from."""

    fault: Fault
    targets: tuple[Pod, ...]
    candidates: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Every fault with its targets. The run records the seed that chose them."""

    snapshot: Snapshot
    faults: tuple[PlannedFault, ...]
    seed: int

    def context(self, planned: PlannedFault, targets: tuple[Pod, ...]) -> FaultContext:
        """Where a fault is to be carried out, on these targets."""
        snapshot = self.snapshot
        behind = snapshot.behind(planned.fault)
        return FaultContext(snapshot.namespace, snapshot.room_name, snapshot.room, targets, behind)


def make(snapshot: Snapshot, faults: Sequence[Fault], seed: int) -> Plan:
    """Choose the targets: the same snapshot and seed always give the same ones."""
    planned = tuple(_choose(snapshot, fault, random.Random(f"{seed}/{fault.name}")) for fault in faults)  # noqa: S311
    return Plan(snapshot, planned, seed)


def again(snapshot: Snapshot, faults: Sequence[Fault], chosen: Collection[ChosenPod], seed: int) -> Plan:
    """The plan with the very pods that were chosen before, in a newer snapshot. Those that went are left out."""
    planned = []
    for fault in faults:
        uids = {pod.uid for pod in chosen if pod.fault == fault.name}
        candidates = tuple(candidates_of(snapshot, fault))
        planned.append(PlannedFault(fault, tuple(pod for pod in candidates if pod.uid in uids), candidates))
    return Plan(snapshot, tuple(planned), seed)


def chosen(plan: Plan) -> tuple[ChosenPod, ...]:
    """The targets, as a run records them before it hits them."""
    return tuple(
        ChosenPod(
            fault=planned.fault.name,
            pod=pod.name,
            uid=pod.uid,
            node=pod.node,
            address=pod.address,
            serving=pod.serving,
            restarts=pod.restarts,
            media=tuple(media_paths.text(*address) for address in pod.media[:MOST_MEDIA]),
        )
        for planned in plan.faults
        for pod in planned.targets
    )


def changes(plan: Plan, now: str) -> list[ChangeRecord]:
    """What is changed, and what it was, as a run records it before it changes anything. `now`: RFC 3339."""
    return [
        ChangeRecord(
            fault=planned.fault.name,
            kind=change.kind,
            name=change.name,
            uid=change.uid,
            field=change.field,
            before=fields.text(change.before),
            after=fields.text(change.after),
            lasts=change.lasts,
        )
        for planned in plan.faults
        for change in changes_of(planned.fault, plan.context(planned, planned.targets), now)
    ]


def rests_on(plan: Plan) -> tuple[Pod, ...] | None:
    """The pods that carry the plan: its targets, and as many others as have to stay ready.

    None: that cannot be told from some of the pods, for a share of all of them is allowed.
    """
    carriers: dict[str, Pod] = {}
    for planned in plan.faults:
        target = planned.fault.target
        if target is not None and (target.percent is not None or target.max_percent is not None):
            return None
        others = [pod for pod in planned.candidates if pod.ready and not pod.terminating and pod not in planned.targets]
        for pod in (*planned.targets, *others[: target.min_ready if target is not None else 0]):
            carriers[pod.uid] = pod
    return tuple(carriers.values())


def candidates_of(snapshot: Snapshot, fault: Fault) -> Sequence[Pod]:
    """The pods that a fault chooses its targets from, by what it is aimed at."""
    if fault.component is not None:
        return snapshot.pods.get(fault.component, ())
    return snapshot.fleet.get(fault.aim, ())


def may_hit(fault: Fault, pod: Pod) -> bool:
    """Whether a candidate is one that the fault means."""
    serving = fault.target.serving if fault.target is not None else None
    return not pod.terminating and bool(pod.node) and (serving is None or pod.serving is serving)


def most(fault: Fault, candidates: int) -> int:
    """How many of so many pods the fault may hit. Where it has no target to choose, all: the host, or the door."""
    return fault.target.most(candidates) if fault.target is not None else candidates


def pod(body: Mapping[str, Any], serving: Collection[MediaAddress], servers: Mapping[MediaAddress, str]) -> Pod:
    """The facts of a pod from the API's object. A pod that no address is known of serves only perhaps, or not at all.

    Args:
        body: of the pod.
        serving: all addresses that residents get their sound from.
        servers: the UID of the pod behind each of them, as far as it is known.
    """
    metadata, status = body["metadata"], body.get("status", {})
    address = status.get("podIP", "")
    media = tuple(sorted(address for address, uid in servers.items() if uid == metadata["uid"]))
    others_known = bool(serving) and set(serving) <= servers.keys()
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        node=body.get("spec", {}).get("nodeName", ""),
        address=address,
        ready=conditions.get("Ready") == "True",
        terminating="deletionTimestamp" in metadata,
        serving=True if media else (False if others_known else None),
        host_network=bool(body.get("spec", {}).get("hostNetwork")),
        created=metadata.get("creationTimestamp", ""),
        containers=_containers(body),
        ports=tuple(
            (port["containerPort"], port.get("protocol", "TCP"))
            for container in body.get("spec", {}).get("containers") or ()
            for port in container.get("ports") or ()
        ),
        addresses=addresses_of(body),
        node_addresses=tuple(sorted(node_addresses(body))),
        probes=probes.ports_of(body.get("spec", {})),
        media=media,
        default_container=(metadata.get("annotations") or {}).get(DEFAULT_CONTAINER, ""),
    )


def _containers(body: Mapping[str, Any]) -> tuple[Container, ...]:
    """By name, and by id (`containerd://ID`) those that run."""
    statuses = {each["name"]: each for each in body.get("status", {}).get("containerStatuses") or ()}
    declared = body.get("spec", {}).get("containers") or ()
    return tuple(_container(each, statuses.get(each["name"], {})) for each in declared)


def _container(declared: Mapping[str, Any], status: Mapping[str, Any]) -> Container:
    runs = "running" in (status.get("state") or {})
    ended = (status.get("lastState") or {}).get("terminated") or {}
    return Container(
        declared["name"],
        status.get("containerID", "").rpartition("://")[2] if runs else "",
        restarts=status.get("restartCount", 0),
        exit_code=ended.get("exitCode"),
        exit_reason=ended.get("reason", ""),
        memory_limit=((declared.get("resources") or {}).get("limits") or {}).get("memory", ""),
    )


def _choose(snapshot: Snapshot, fault: Fault, dice: random.Random) -> PlannedFault:
    candidates = tuple(sorted(candidates_of(snapshot, fault), key=lambda pod: pod.name))
    hittable = [pod for pod in candidates if may_hit(fault, pod)]
    dice.shuffle(hittable)
    # Ready pods first: killing what is broken already proves nothing.
    hittable.sort(key=lambda pod: not pod.ready)
    return PlannedFault(fault, _targets(snapshot, fault, hittable, most(fault, len(candidates))), candidates)


def _targets(snapshot: Snapshot, fault: Fault, hittable: Sequence[Pod], bound: int) -> tuple[Pod, ...]:
    """The targets among the pods that a fault may hit, in the order of choice.

    Of a workload all of its pods, and of a node all that are on it, whatever the target allows: then it is refused. So
    is a pod whose node was deleted, which is chosen only where there is no other.
    """
    if fault.spec.aims_at is Aim.WORKLOAD:
        return tuple(hittable)
    if fault.spec.aims_at is not Aim.NODE:
        return tuple(hittable[:bound])
    if (behind := snapshot.behind(fault)) is None:
        return ()
    node = next((behind.nodes[pod.node] for pod in hittable if pod.node in behind.nodes), None)
    return node.pods if node is not None else tuple(hittable[:1])
