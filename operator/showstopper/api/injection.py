"""Injection: one fault of one run for one executor. The operator asks, and the executor acts and reports the proof."""

from collections import Counter
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from showstopper.api.conditions import Condition
from showstopper.api.faults.base import Aim, Hand
from showstopper.api.faults.flood import FloodArrivals, FloodGate
from showstopper.api.faults.injected_kinds import InjectedKinds
from showstopper.api.faults.network import Direction, Protocol
from showstopper.api.faults.process import ContainerId, ProcessFigures
from showstopper.api.faults.stage import DoorFigures, HostFigures
from showstopper.api.faults.storm import StormArrivals, StormGate
from showstopper.api.schema.base import Message, Name, PortNumber, Resource, Spec, Status, Text, Timestamp
from showstopper.api.schema.rules import CelRule, Rule, exactly_one, given, immutable

LEASE_SECONDS = 10
"""What a renewal of a run's Lease is worth, and for how long an executor arms at the most. It is renewed every 2 s."""
LEASE_LABEL = "showstopper.dev/run"
"""Label on the Lease of a run, with the run's name. Executors watch no other Leases. Only the operator writes these."""


def _an_address(text: str) -> str:
    ip_address(text)
    return text


def _a_range(text: str) -> str:
    ip_network(text)
    return text


MOST_PROBED = 64
"""Ports of probes that an Injection spares."""
Uid = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9A-Za-z-]+$")]
Address = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9a-fA-F.:]+$"), AfterValidator(_an_address)]
Range = Annotated[str, StringConstraints(max_length=64, pattern="^[0-9a-fA-F.:/]+$"), AfterValidator(_a_range)]
"""An IP address, or a CIDR range without host bits."""
_WHOSE_PROCESSES = "a fault of processes is of a container: give each target's containerId"
_NEVER_CHANGES = (
    "an Injection never changes, except for lift and the addresses of peers: the operator makes another one"
)
_FROM_WHOM = "a partition is from somebody: name the peers' addresses"
_ONE_EXECUTOR = (
    "an Injection has one executor: write node, whose agent carries the fault out, or pod, which does so on itself"
)
_WHO = (
    "faults of the host and of the door are carried out by their pods, and all others by the agent of a node: write "
    "pod, or node"
)
_ON_ITSELF = "a pod carries a fault out on itself: write it, and no other, as target"


class RunReference(Spec):
    """ExperimentRun that the Injection belongs to, in the same namespace."""

    name: Name
    """Name of the ExperimentRun."""
    uid: Uid
    """UID of the ExperimentRun."""


class TargetPort(Spec):
    """Port of the targets."""

    port: PortNumber
    """Port number, or the first one of a range."""
    end_port: PortNumber | None = None
    """Last port of the range that begins at `port`. Default: `port` alone."""
    protocol: Protocol
    """Transport protocol of the port."""

    @property
    def last(self) -> int:
        """The last port of the range, which may be the first one too."""
        return self.end_port or self.port


class InjectionTarget(Spec):
    """Target pod, in the namespace of the Injection, on the node whose agent carries out the fault."""

    pod: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Name of the pod."""
    uid: Uid
    """UID of the pod."""
    address: Address
    """IP address of the pod."""
    addresses: Annotated[tuple[Address, ...], Field(max_length=16)] = ()
    """All IP addresses of the pod, of both IP versions where it has them."""
    host_network: bool = False
    """Whether the pod uses the network of its node. Only traffic of its own ports is affected then."""
    container_id: ContainerId | None = None
    """ID of the container whose processes are targeted. Required for process faults."""


class Probes(Spec):
    """Kubelet's probes of the targets that a network fault spares, or hits too."""

    addresses: Annotated[tuple[Address, ...], Field(max_length=8)] = ()
    """IP addresses of the node. The gateways of a target's network count too: with some network plugins, that is the
    address that the node has towards its pods."""
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1, max_length=MOST_PROBED)]
    """TCP ports of the targets that are probed."""
    spared: bool = True
    """Whether the fault spares them. It does not where it names the ports that they ask."""


class Executor(NamedTuple):
    """Who carries out an Injection, and writes its status: the agent of a node, or a pod of this part of the stage."""

    node: str = ""
    pod: str = ""
    part: str = "host"

    def __str__(self) -> str:
        """Where the fault is, for a person."""
        return f"{self.part} {self.pod}" if self.pod else f"node {self.node}"


class InjectionSpec(InjectedKinds):
    """Fault to inject by one executor. Immutable, except that `lift` may be set to true and `peers` may be replaced."""

    run: RunReference
    """ExperimentRun that the Injection belongs to, in the same namespace."""
    fault: Name
    """Name of the fault in the run."""
    node: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    """Name of the node whose agent carries out the fault. Only that agent may write the status. Required unless a pod
    carries it out on itself."""
    pod: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    """Name of the pod that carries out the fault on itself: a room's managed host, or one of its door. Only that pod
    may write the status."""
    lease: Name
    """Name of the run's Lease, in the same namespace. The fault lifts by itself unless the Lease is renewed."""
    targets: Annotated[tuple[InjectionTarget, ...], Field(min_length=1, max_length=100)]
    """Target pods on the node, or the pod that carries out the fault on itself."""
    ports: Annotated[tuple[TargetPort, ...], Field(max_length=64)] = ()
    """Restricts a network fault to packets to and from these ports of the targets. Default: all ports."""
    media: Annotated[tuple[TargetPort, ...], Field(max_length=64)] = ()
    """UDP ports of the targets that media comes by. Packets of these ports prove the fault, and no others. Default: any
    packet proves it."""
    media_only: bool = False
    """Whether a network fault is restricted to media: packets of UDP, but for DNS. The room's own fleet is hit in no
    other way: what it reports, what its kubelet asks and its signalling are TCP."""
    peers: Annotated[tuple[Range, ...], Field(min_length=1, max_length=1000)] | None = None
    """Restricts a network fault to packets to and from these IP addresses or CIDR ranges. Default: all addresses. The
    addresses may be replaced while the fault lasts."""
    probes: Probes | None = None
    """Kubelet's probes that the fault would meet. Default: none."""
    flood_gate: FloodGate | None = None
    flood_arrivals: FloodArrivals | None = None
    storm_gate: StormGate | None = None
    storm_arrivals: StormArrivals | None = None
    lift: bool = False
    """Whether to end the fault now. Set to true by the operator."""

    rules = (
        CelRule(
            "has(self.peers) == has(oldSelf.peers)", "an Injection is about peers or not, from its start to its end"
        ),
        Rule(
            "!has(self.partition) || has(self.peers)",
            _FROM_WHOM,
            holds=lambda spec: spec.partition is None or spec.peers is not None,
        ),
        exactly_one(("node", "pod"), _ONE_EXECUTOR),
        Rule(
            "!has(self.pod) || (self.targets.size() == 1 && self.targets[0].pod == self.pod)",
            _ON_ITSELF,
            holds=lambda spec: spec.pod is None or [target.pod for target in spec.targets] == [spec.pod],
        ),
        CelRule("!oldSelf.lift || self.lift", "a lifted Injection stays lifted: the operator makes another one"),
    )

    @classmethod
    def rules_on_kinds(cls) -> tuple[CelRule, ...]:
        """One kind, which never changes, the executor that it needs, and containers where they are aimed at."""
        kinds = cls.kinds()
        one_kind = f"an Injection has exactly one kind of fault ({', '.join(kinds)})"
        of_processes = [kind for kind, spec in kinds.items() if spec.aims_at is Aim.CONTAINER]
        is_of_processes = " || ".join(f"has(self.{kind})" for kind in of_processes)
        of_host = [kind for kind, spec in kinds.items() if spec.hand is Hand.STAGE]
        is_of_host = " || ".join(f"has(self.{kind})" for kind in of_host)
        return (
            exactly_one(kinds, one_kind, lambda spec: f"{one_kind}, not {' and '.join(given(spec, kinds)) or 'none'}"),
            immutable(
                ("run", "fault", "lease", "targets", "mediaOnly"),
                ("node", "pod", "ports", "media", "probes", *kinds),
                _NEVER_CHANGES,
            ),
            Rule(
                f"!({is_of_processes}) || self.targets.all(target, has(target.containerId))",
                _WHOSE_PROCESSES,
                holds=lambda spec: (
                    spec.spec.aims_at is not Aim.CONTAINER
                    or all(target.container_id is not None for target in spec.targets)
                ),
            ),
            Rule(
                f"({is_of_host}) == has(self.pod)",
                _WHO,
                holds=lambda spec: (spec.spec.hand is Hand.STAGE) is (spec.pod is not None),
            ),
        )

    @property
    def executor(self) -> Executor:
        """Who carries it out."""
        return (
            Executor(self.node or "", self.pod or "", self.spec.aims_at.lower())
            if self.pod
            else Executor(self.node or "")
        )

    @model_validator(mode="after")
    def _every_pod_once(self) -> Self:
        ((uid, times),) = Counter(target.uid for target in self.targets).most_common(1)
        if times > 1:
            raise ValueError(f"the pod with UID {uid} is a target {times} times: name it once")
        return self


class TargetState(StrEnum):
    """State of a target at its executor."""

    ARMED = "Armed"
    """The fault was injected. A fault with a duration is in effect as long as the Lease is renewed."""
    LIFTED = "Lifted"
    """The fault is over, and verified to have left nothing behind."""
    LEFT_OVER = "LeftOver"
    """The fault is over, but left something behind."""
    REFUSED = "Refused"
    """Nothing was injected. The message says why."""
    GONE = "Gone"
    """The pod or its container is gone, and the fault with it."""


class PacketCounts(Status):
    """Packet counters of the fault since it was injected."""

    at: Timestamp
    """When the counters were read."""
    matched: int = 0
    """Number of packets that the fault applied to."""
    affected: int = 0
    """Number of packets that the fault dropped, delayed, duplicated or changed."""
    media: int | None = None
    """Number of the affected packets that were media, by the ports of `spec.media`. Absent if there are none."""
    passed_bytes: int | None = None
    """Bytes that a bandwidth limit let through, with Ethernet headers."""


class InjectedTarget(Status):
    """State of a target, with what proves the fault."""

    uid: Text
    """UID of the pod."""
    pod: Text = ""
    """Name of the pod."""
    state: TargetState
    """Armed: the fault was injected. Lifted: it is over, and left nothing behind. LeftOver: it is over, but left
    something behind. Refused: nothing was injected. Gone: the pod or its container is gone."""
    armed_at: Timestamp | None = None
    """When the fault took effect."""
    lifted_at: Timestamp | None = None
    """When the fault was reverted."""
    first: PacketCounts | None = None
    """Packet counters when a packet had matched for the first time."""
    last: PacketCounts | None = None
    """Packet counters at the last observation, at the latest when the fault was lifted."""
    unmet: Annotated[list[Direction], Field(max_length=2)] = []
    """Directions of the fault in which no packet has matched."""
    processes: ProcessFigures | None = None
    """Last observation of the processes that a process fault applies to."""
    host: HostFigures | None = None
    """What the host has counted last of a fault that it carries out on itself."""
    door: DoorFigures | None = None
    """What a pod of the door has counted last of a fault that it carries out on itself."""
    proven: bool = False
    """Whether the fault took effect: on packets, on all processes as its kind wants it, on what the host sends, or on
    what the door answers."""
    leftovers: Annotated[list[Text], Field(max_length=16)] = []
    """What the fault left behind, one entry for each rule, queue or setting of a cgroup."""
    message: Message | None = None
    """What went wrong with this target, for a person."""

    @property
    def touched(self) -> bool:
        """Whether the fault applied to at least one packet, or is proven."""
        return self.proven or self.first is not None


class InjectionStatus(Status):
    """Observed state of the fault, written by its executor alone."""

    observed_generation: int = -1
    """Generation of the spec that this status is about. -1 until its executor has seen the Injection."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Conditions Ready (the fault is in effect, or was lifted), Reconciling, Stalled, Finished and Suspended."""
    backend: Text | None = None
    """By what means it is done: netem, NFQUEUE, nftables alone, cgroup.freeze, signals, the host's voice, or the
    door's answers."""
    lease_until: Timestamp | None = None
    """When the fault lifts by itself unless the Lease is renewed, by the executor's clock."""
    targets: Annotated[list[InjectedTarget], Field(max_length=100)] = []
    """State of each target."""
    message: Message | None = None
    """State of the Injection, for a person."""


class Injection(Resource):
    """Fault of a run for one executor: a node's agent, a host, or a door. Internal: created by the operator."""

    kind: ClassVar[str] = "Injection"
    plural: ClassVar[str] = "injections"
    short_names: ClassVar[tuple[str, ...]] = ("inj",)
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Run", "string", ".spec.run.name", 0),
        ("Fault", "string", ".spec.fault", 0),
        ("Node", "string", ".spec.node", 0),
        ("Pod", "string", ".spec.pod", 1),
        ("Backend", "string", ".status.backend", 0),
        ("Message", "string", ".status.message", 1),
    )
    selectable_fields: ClassVar[tuple[str, ...]] = (".spec.node", ".spec.pod")

    spec: InjectionSpec
    status: InjectionStatus = InjectionStatus()
