"""The cluster's addresses and names, all from the range for benchmarks (RFC 2544), which no network routes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RANGE = "198.18.0.0/15"
"""Everything. A blackhole route for it lies behind the cluster's own routes: what is not delivered here is dropped."""

PODS_AND_NODES = "198.18.0.0/16"
NODES = "198.18.255.0/24"
SERVICES = "198.19.0.0/16"
HOST = "198.18.255.1"
CONTROL_PLANE = "198.18.255.2"
API_SERVICE = "198.19.0.1"
DNS_SERVICE = "198.19.0.10"
PREFIX_LENGTH = 24

DOMAIN = "cluster.local"
API_URL = f"https://{CONTROL_PLANE}:6443"

LINK = "showstopper0"
"""The machine's one link into the cluster: its other end is in the switch."""

SWITCH = "showstopper-switch"
"""A network namespace that holds nothing but the bridge, so that no rule of the machine touches its frames."""


@dataclass(frozen=True, slots=True)
class Member:
    """A network namespace on the switch: a node, or the control plane."""

    name: str
    address: str
    pods: str | None = None

    @property
    def namespace(self) -> str:
        """The name of its network namespace, as `ip netns` knows it."""
        return f"showstopper-{self.name}"

    @property
    def namespace_file(self) -> Path:
        """The file that holds its network namespace open."""
        return Path("/run/netns") / self.namespace


CONTROL = Member("control", CONTROL_PLANE)


def node(number: int) -> Member:
    """The node with this number, counted from 1."""
    return Member(f"node{number}", f"198.18.255.{10 + number}", f"198.18.{number}.0/24")


WORKERS = (node(1), node(2))
MEMBERS = (CONTROL, *WORKERS)
