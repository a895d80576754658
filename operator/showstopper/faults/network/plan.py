"""Plans of network faults: all that is to be set up in a namespace for one effect. Pure; `preview` shows it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from showstopper.api.faults.network import Direction, Distribution
from showstopper.faults.network.rules import Command, Device, Table

# The numbers of our NFQUEUEs and the handle of our qdiscs: "SS", unlikely to be somebody else's.
FIRST_QUEUE = 0x5300
MOST_EFFECTS = 100
HANDLE = 0x5353 << 16
DETOUR = "showstopper"


class Method(StrEnum):
    """How packets are held back, best first: by the kernel alone, or by our own loop behind a queue."""

    NETEM = "netem"
    NFQUEUE = "NFQUEUE"
    NFQUEUE_XT = "NFQUEUE (iptables target)"


class Technique(StrEnum):
    """What a network fault asks of the kernel."""

    DROP = "dropping"
    """Rules at the hooks of devices, which drop or count packets."""
    COPY = "copying"
    """Rules that send a second copy of a packet."""
    REWRITE = "rewriting"
    """Rules that overwrite some of a packet's payload."""
    SHAPE = "shaping"
    """Traffic classes behind a device of our own."""
    HOLD = "holding back"
    """One of the methods to hold packets back."""


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How packets are slowed down.

    Attributes:
        jitter: half the width of the spread, or its standard deviation, as the distribution has it.
        bits_per_second: None: as fast as the device.
        backlog: how long packets wait for their bits at most; who would wait longer is lost.
    """

    delay: timedelta = timedelta(0)
    jitter: timedelta = timedelta(0)
    distribution: Distribution = Distribution.UNIFORM
    bits_per_second: int | None = None
    backlog: timedelta = timedelta(0)


def burst_bytes(bits_per_second: int) -> int:
    """What a limit lets pass at once when nothing has passed for a while, as at its beginning.

    Two packets, or what 10 ms carry: the kernel wakes up no more often, and what is due by then would be lost.
    """
    return max(2 * 1600, bits_per_second // 8 // 100)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of packets that our loop lets go of later; the kernel lets them pass when nobody listens.

    Attributes:
        foreign_rules: (family, table, chain) of the rules that need iptables' NFQUEUE target, which JSON cannot say.
    """

    number: int
    direction: Direction
    slowdown: Slowdown
    foreign_rules: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """A traffic class on a detour, for the packets that rules give its number as priority.

    Attributes:
        device: the first of the devices whose packets take it: the detour is named after that one.
    """

    device: Device
    direction: Direction
    class_id: int
    slowdown: Slowdown

    @property
    def shaper(self) -> str:
        """The device whose egress is shaped."""
        return detour(self.device)


@dataclass(frozen=True, slots=True)
class Bursts:
    """So long is every burst, and so large the share of the time that is in one."""

    length: timedelta
    share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is set up for one effect; without an element in the tables' `live` sets all of it is inert.

    Attributes:
        table: the name of its tables.
        method: how packets are held back; None: they are not.
        stays: its tables stay where they are when it ends, inert or shut, until their network goes.
        announced: whoever waits inside the network is told when all of it is set up.
        datagram_bytes: bytes of UDP payload of each packet, where batches that count as one packet are to be counted
            as the datagrams that they hold; None: packets are counted as the kernel counts them.
    """

    table: str
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...] = ()
    traffic_classes: tuple[TrafficClass, ...] = ()
    bursts: Bursts | None = None
    method: Method | None = None
    stays: bool = False
    announced: bool = False
    datagram_bytes: int | None = None

    @property
    def families(self) -> tuple[str, ...]:
        """The families in which there is a table."""
        return tuple(table.family for table in self.tables)

    def clashes(self, other: "Plan") -> bool:
        """Whether packets would have to be in two traffic classes: netem's for their delay, and another one."""
        return bool(self.traffic_classes and other.traffic_classes) and Method.NETEM in (self.method, other.method)

    @property
    def commands(self) -> list[Command]:
        """All tables, as libnftables takes them in one transaction."""
        return [command for table in self.tables for command in table.commands]


def detour(device: Device) -> str:
    """The name of the device (ifb) that a device's packets are sent through: 15 characters, all that Linux allows."""
    return f"{DETOUR}{device.index & 0xFFFF:04x}"
