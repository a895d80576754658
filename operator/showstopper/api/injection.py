"""Injection: one fault of one run on one node, from the operator to the node's agent, and the agent's proof back."""

from collections import Counter
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from showstopper.api.base import Message, Name, Resource, Spec, Status, Text, Timestamp
from showstopper.api.conditions import Condition
from showstopper.api.faults.agent_kinds import AgentKinds
from showstopper.api.faults.base import Aim
from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.faults.network import Protocol
from showstopper.api.faults.process import ContainerId, ProcessFigures
from showstopper.api.rules import CelRule, Rule, exactly_one, given, immutable

LEASE_LABEL = "showstopper.dev/run"
"""On the Leases of runs, with the run's name: agents watch no others, and only the operator writes these."""


def _an_address(text: str) -> str:
    ip_address(text)
    return text


def _a_range(text: str) -> str:
    ip_network(text)
    return text


Uid = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9A-Za-z-]+$")]
Address = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9a-fA-F.:]+$"), AfterValidator(_an_address)]
Range = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9a-fA-F.:/]+$"), AfterValidator(_a_range)]
"""An address, or a CIDR without bits behind its prefix."""
_WHOSE_PROCESSES = "a fault of processes is of a container: give each target's containerId"
_FROM_WHOM = "a partition is from somebody: name the peers' addresses"


class RunReference(Spec):
    """The run that injects, in the same namespace."""

    name: Name
    uid: Uid


class TargetPort(Spec):
    """A port of the targets."""

    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Protocol


class InjectionTarget(Spec):
    """A pod of this node, in the namespace of the Injection."""

    pod: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    uid: Uid
    address: Address
    host_network: bool = False
    """The pod is in its node's network: only its own address and ports are touched there."""
    container_id: ContainerId | None = None
    """Of the container whose processes are meant; of process faults only."""


class InjectionSpec(AgentKinds):
    """What is done, to whom, and under which lease. Immutable but for `lift` (false to true, once) and `peers`."""

    run: RunReference
    fault: Name
    node: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Whose agent acts, and alone may write the status."""
    lease: Name
    """The run's Lease in the same namespace: without renewals everything lifts by itself."""
    targets: Annotated[tuple[InjectionTarget, ...], Field(min_length=1, max_length=100)]
    ports: Annotated[tuple[TargetPort, ...], Field(max_length=64)] = ()
    """Only packets to and from these ports of the targets; none: all."""
    peers: Annotated[tuple[Range, ...], Field(min_length=1, max_length=1000)] | None = None
    """Only packets to and from these addresses; left out: everybody's. An empty list would mean nobody's.

    They may be replaced by others while the fault lasts."""
    flood_gate: FloodGate | None = None
    flood_arrivals: FloodArrivals | None = None
    lift: bool = False
    """Set to true by the operator to end the fault now."""

    rules = (
        CelRule(
            "has(self.peers) == has(oldSelf.peers)", "an Injection is about peers or not, from its start to its end"
        ),
        Rule(
            "!has(self.partition) || has(self.peers)",
            _FROM_WHOM,
            holds=lambda spec: spec.partition is None or spec.peers is not None,
        ),
        CelRule("!oldSelf.lift || self.lift", "a lifted Injection stays lifted: the operator makes another one"),
    )

    @classmethod
    def rules_on_kinds(cls) -> tuple[CelRule, ...]:
        """One kind, which never changes, and the container of each target where that is what is aimed at."""
        kinds = cls.kinds()
        one_kind = f"an Injection has exactly one kind of fault ({', '.join(kinds)})"
        of_processes = [kind for kind, spec in kinds.items() if spec.aims_at is Aim.CONTAINER]
        is_of_processes = " || ".join(f"has(self.{kind})" for kind in of_processes)
        return (
            exactly_one(kinds, one_kind, lambda spec: f"{one_kind}, not {' and '.join(given(spec, kinds)) or 'none'}"),
            immutable(
                ("run", "fault", "node", "lease", "targets"),
                ("ports", *kinds),
                "an Injection never changes, but for lift and the peers' addresses: the operator makes another one",
            ),
            Rule(
                f"!({is_of_processes}) || self.targets.all(target, has(target.containerId))",
                _WHOSE_PROCESSES,
                holds=lambda spec: (
                    spec.spec.aims_at is not Aim.CONTAINER
                    or all(target.container_id is not None for target in spec.targets)
                ),
            ),
        )

    @model_validator(mode="after")
    def _every_pod_once(self) -> Self:
        ((uid, times),) = Counter(target.uid for target in self.targets).most_common(1)
        if times > 1:
            raise ValueError(f"the pod with UID {uid} is a target {times} times: name it once")
        return self


class TargetState(StrEnum):
    """How far the agent is with a target."""

    ARMED = "Armed"  # it is done, and a lease keeps up what lasts
    LIFTED = "Lifted"  # it is over, and nothing of it was found
    LEFT_OVER = "LeftOver"  # it is over, but something of it was found
    REFUSED = "Refused"  # nothing was done; the message says why
    GONE = "Gone"  # the pod or its container is gone, and the fault with it


class PacketCounts(Status):
    """What the rules' own counters say since they were set."""

    at: Timestamp
    matched: int = 0
    """Packets that the fault was meant for."""
    affected: int = 0
    """Packets that it dropped, delayed, doubled or changed."""


class InjectedTarget(Status):
    """One target: what was done, and what proves it."""

    uid: Text
    pod: Text = ""
    state: TargetState
    armed_at: Timestamp | None = None
    lifted_at: Timestamp | None = None
    first: PacketCounts | None = None
    """The first time that a packet had matched."""
    last: PacketCounts | None = None
    """The last look, at the latest when it was lifted."""
    processes: ProcessFigures | None = None
    """The last look at the processes that a fault of processes is meant for."""
    proven: bool = False
    """The fault did something to it: packets were affected, or all processes are gone, or none of them goes on."""
    leftovers: Annotated[list[Text], Field(max_length=16)] = []
    message: Message | None = None

    @property
    def touched(self) -> bool:
        """Whether the fault has met something there: a packet that it was meant for, or what proves it."""
        return self.proven or self.first is not None


class InjectionStatus(Status):
    """Written by the agent of the node alone."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    backend: Text | None = None
    """By what means it is done: netem, NFQUEUE, nftables alone, freezer v1, cgroup.freeze, cgroup.kill or signals."""
    lease_until: Timestamp | None = None
    """When the kernel lifts everything unless the lease is renewed, by the agent's clock."""
    targets: Annotated[list[InjectedTarget], Field(max_length=100)] = []
    message: Message | None = None


class Injection(Resource):
    """One fault of a run on one node. Made by the operator and executed by the node's agent; not for people."""

    kind: ClassVar[str] = "Injection"
    plural: ClassVar[str] = "injections"
    short_names: ClassVar[tuple[str, ...]] = ("inj",)
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Run", "string", ".spec.run.name", 0),
        ("Fault", "string", ".spec.fault", 0),
        ("Node", "string", ".spec.node", 0),
        ("Backend", "string", ".status.backend", 0),
        ("Message", "string", ".status.message", 1),
    )
    selectable_fields: ClassVar[tuple[str, ...]] = (".spec.node",)

    spec: InjectionSpec
    status: InjectionStatus = InjectionStatus()
