"""Injections: what a plan's faults ask of each node's agent, and what the agents' answers amount to. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from showstopper.api.base import API_VERSION, dump
from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, FaultKind
from showstopper.api.faults.network import Protocol
from showstopper.api.injection import (
    LEASE_LABEL,
    InjectedTarget,
    Injection,
    InjectionSpec,
    InjectionTarget,
    RunReference,
    TargetPort,
    TargetState,
)
from showstopper.api.room import AudioRoomSpec
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.stop_switch import STOPPED
from showstopper.faults import registry
from showstopper.faults.behaviour import Behaviour
from showstopper.faults.effects import Pod
from showstopper.faults.observed import NO_EFFECT, TARGETS_GONE, Observed, ObservedTarget
from showstopper.faults.processes.behaviour import container_of

Object = dict[str, Any]
SUCCESSOR_LABEL = "showstopper.dev/successor"
"""On the Injections of pods that have replaced a target while the fault lasted."""
SUCCESSOR_SECONDS = 5.0
"""How long a successor must have been hit before it has to be proven, as the targets before it have."""
LEASE_LOST = "LeaseLost"
CUT_SHORT = {LEASE_LOST, "AgentStopped", "AgentBroke", "NotKeptUp"}
"""An Injection that ended so had ended before its end was asked for, also where that was asked for since."""
SILENT_SECONDS = 12.0
"""An active agent says something at every renewal. After a lease's length, and a little, its faults have lifted."""
SHARD = 100
"""Targets in one Injection: what its status holds, and its admission costs, is bounded."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the agents of one fault have said, over all its Injections.

    Attributes:
        fault: as declared in the run.
        places: every target that was asked for, with its node.
        targets: what is known of them.
        gated: of a flood, how many flooders were asked for, which are no targets.
        gates: what is known of those.
        remains: what is still there that is no agent's to remove, for a person.
        silent: nodes whose agents have not answered.
        trouble: why it ended, or never began, though nobody had asked for its end.
        cut_short: why it had ended when its end was asked for.
        successors: UIDs of the targets that have replaced others.
    """

    fault: Fault
    places: tuple[tuple[str, InjectionTarget], ...]
    targets: tuple[InjectedTarget, ...]
    silent: tuple[str, ...]
    backend: str | None
    trouble: Finding | None
    cut_short: Finding | None = None
    successors: frozenset[str] = frozenset()
    gated: int = 0
    gates: tuple[InjectedTarget, ...] = ()
    remains: str = ""

    @property
    def hits(self) -> tuple[InjectedTarget, ...]:
        """All that is asked for."""
        return (*self.gates, *self.targets)

    @property
    def wanted(self) -> int:
        """How many pods there are that agents do something to."""
        return len(self.places) + self.gated

    @property
    def armed(self) -> bool:
        """Every target was hit, at some time; successors may have gone before."""
        return len(self.hits) == self.wanted and all(hit.armed_at or hit.uid in self.successors for hit in self.hits)

    @property
    def matched(self) -> int:
        """Packets that the fault was meant for; of a flood: that were sent."""
        if self.gates:
            return sum(gate.last.affected for gate in self.gates if gate.last)
        return sum(target.last.matched for target in self.targets if target.last)

    @property
    def affected(self) -> int:
        """Packets that it did something to; of a flood: that arrived."""
        return sum(target.last.affected for target in self.targets if target.last)

    @property
    def proven(self) -> bool:
        """Every target was hit, and nothing is missing for the proof as far as agents can tell."""
        return self.missing() is None

    @property
    def behaviour(self) -> Behaviour[FaultKind]:
        """What the fault's kind says of proof and figures."""
        return registry.of(self.fault.spec)

    def missing(self, quiet: Collection[str] | None = None) -> Finding | None:
        """What is missing for the proof; `quiet`: UIDs of targets that send no media any more, if that is asked."""
        missing = self.behaviour.proof(self.observed(quiet))
        if missing is None and not self.armed:
            armed = sum(hit.armed_at is not None for hit in self.hits)
            return Finding(NO_EFFECT, f"was set up on {armed} of {self.wanted} targets")
        return missing

    def observed(self, quiet: Collection[str] | None = None) -> Observed:
        """The same for the fault's own proof and figures. `quiet`: UIDs of targets that send no media any more.

        A successor may be there too late to see traffic: it is excused.
        """
        return Observed(
            self.fault.name,
            tuple(
                ObservedTarget.injected(
                    target,
                    excused=target.uid in self.successors and _armed_seconds(target) < SUCCESSOR_SECONDS,
                    quiet=None if quiet is None else target.uid in quiet,
                )
                for target in self.targets
            ),
            tuple(map(ObservedTarget.injected, self.gates)),
        )

    @property
    def over(self) -> bool:
        """No agent has anything left to do."""
        return len(self.hits) == self.wanted and all(hit.state is not TargetState.ARMED for hit in self.hits)

    @property
    def reverted(self) -> bool:
        """Nothing of it is left: it was looked for, or went with the pod or its container."""
        clean = {TargetState.LIFTED, TargetState.GONE}
        return not self.remains and len(self.hits) == self.wanted and all(hit.state in clean for hit in self.hits)


def peers_of(fault: Fault) -> tuple[str, ...]:
    """The components that are its peers; none: everybody."""
    return fault.spec.peer_components


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
    return tuple(sorted({one for name in (addresses if names is None else names) for one in addresses[name]}))


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


def answers(injections: Sequence[Injection], fault: Fault, *, lifting: bool) -> Answers:
    """What the agents say of a fault. `lifting`: its end was asked for, so that it is no trouble."""
    own = [injection for injection in injections if injection.spec.fault == fault.name]
    gates = [injection for injection in own if injection.spec.flood_gate is not None]
    troubles = [trouble for trouble in map(_trouble, own) if trouble is not None]
    return Answers(
        fault=fault,
        places=tuple((one.spec.node, target) for one in own if one not in gates for target in one.spec.targets),
        targets=tuple(target for one in own if one not in gates for target in one.status.targets),
        gated=sum(len(one.spec.targets) for one in gates),
        gates=tuple(gate for one in gates for gate in one.status.targets),
        silent=tuple(sorted({one.spec.node for one in own if one.status.observed_generation < 0})),
        backend=next((one.status.backend for one in own if one.status.backend), None),
        trouble=None if lifting else next(iter(troubles), None),
        cut_short=next((trouble for trouble in troubles if trouble.reason in CUT_SHORT), None),
        successors=frozenset(target.uid for one in own if _is_successor(one) for target in one.spec.targets),
    )


def without_peers(peers: Mapping[str, Sequence[str]]) -> Finding | None:
    """A component that has no address: whoever is cut off from nobody is not cut off. `peers`: those by component."""
    lost = next((name for name, addresses in peers.items() if not addresses), None)
    if lost is None:
        return None
    return Finding("NoPeers", f"component {lost} has no pod and no Service: there is nobody to be cut off from")


def unanswered(asked: Sequence[Answers]) -> Finding:
    """Why not everything was set up in time."""
    silent = sorted({node for each in asked for node in each.silent})
    if silent:
        return Finding(
            "AgentMissing",
            f"no agent answers on node {', '.join(silent)}: look at the showstopper-agent pods there, "
            "or install the chart with agent.enabled=true",
        )
    return Finding("NotArmed", "the agents could not set everything up in time: look at the Injections")


def unheard(silent: Sequence[Injection]) -> Finding | None:
    """Agents that had begun, and say nothing any more, are dead or cut off."""
    nodes = sorted({injection.spec.node for injection in silent if injection.status.observed_generation >= 0})
    if not nodes:
        return None
    return Finding(
        LEASE_LOST,
        f"the agent on node {', '.join(nodes)} has said nothing for {SILENT_SECONDS:g} s, so that what it held has "
        "lifted itself: look at the showstopper-agent pods there",
    )


def _trouble(injection: Injection) -> Finding | None:
    """An Injection that is over, or was refused, before anybody asked for its end."""
    where = f"fault {injection.spec.fault} on node {injection.spec.node}"
    gone = [target for target in injection.status.targets if target.state is TargetState.GONE]
    if (missed := next((one for one in gone if not one.armed_at), None)) and not _is_successor(injection):
        message = (
            f"{missed.message or missed.pod}: it was deleted while it was being hit; run again when its component rests"
        )
        return Finding(TARGETS_GONE, f"{where}: {message}")
    stalled = next((each for each in injection.status.conditions if each.type == "Stalled"), None)
    if stalled is None or stalled.status != "True" or (gone and stalled.reason == TARGETS_GONE):
        return None  # who is gone may be replaced
    message = injection.status.message or stalled.message
    # Nobody renewed what an agent held that died: for the run it is the same whether it came back or not.
    reason = LEASE_LOST if stalled.reason == "AgentRestarted" else stalled.reason
    verdict = Verdict.ABORTED if reason == STOPPED else Verdict.INCONCLUSIVE
    return Finding(reason, f"{where}: {message}", verdict)


def _is_successor(injection: Injection) -> bool:
    return SUCCESSOR_LABEL in injection.metadata.labels


def _armed_seconds(target: InjectedTarget) -> float:
    """For how long it was hit, by its agent's clock, as far as is known."""
    end = target.lifted_at or (target.last.at if target.last else None)
    return from_timestamp(end) - from_timestamp(target.armed_at) if end and target.armed_at else 0.0


def _asked(fault: Fault, room: AudioRoomSpec, peers: Sequence[str]) -> Mapping[str, Any]:
    """The kind of a fault, and which packets it means, as fields of an Injection's spec."""
    return {
        "ports": _ports(fault, room),
        "peers": tuple(peers) if peers_of(fault) else None,
        fault.kind: fault.spec,
    }


def _spec(
    run: RunReference, fault: Fault, room: AudioRoomSpec, pods: Sequence[Pod], asked: Mapping[str, Any]
) -> InjectionSpec:
    targets = tuple(_target(pod, fault, room) for pod in pods)
    return InjectionSpec(run=run, fault=fault.name, node=pods[0].node, lease=run.name, targets=targets, **asked)


def _target(pod: Pod, fault: Fault, room: AudioRoomSpec) -> InjectionTarget:
    container = container_of(fault, room, pod) if fault.spec.aims_at is Aim.CONTAINER else None
    return InjectionTarget(
        pod=pod.name,
        uid=pod.uid,
        address=pod.address,
        host_network=pod.host_network,
        container_id=container.id if container else None,
    )


def _ports(fault: Fault, room: AudioRoomSpec) -> tuple[TargetPort, ...]:
    """The target's ports that a fault names, as the room declares them."""
    component = room.component(fault.component) if fault.component is not None else None
    declared = {port.name: port for port in component.ports} if component else {}
    chosen = [declared[name] for name in fault.spec.port_names]
    return tuple(TargetPort(port=port.port, protocol=Protocol(port.protocol)) for port in chosen)


def _body(run: ExperimentRun, fault: Fault, pods: Sequence[Pod], asked: Mapping[str, Any], part: str) -> Object:
    """An Injection as it is created; `part`: what tells it apart from the others of its fault."""
    reference = RunReference(name=run.metadata.name, uid=run.metadata.uid)
    return {
        "apiVersion": API_VERSION,
        "kind": Injection.kind,
        "metadata": {**owned(run), "name": _name(run, fault.name, part)},
        "spec": dump(_spec(reference, fault, run.spec.room.spec, pods, asked)),
    }


def _name(run: ExperimentRun, fault: str, part: str) -> str:
    """Always the same for the same part of a run, so that it is never asked for twice; a label's length at most."""
    digest = hashlib.sha256(f"{run.metadata.uid}/{fault}/{part}".encode()).hexdigest()[:10]
    return f"{run.metadata.name[:52]}-{digest}"
