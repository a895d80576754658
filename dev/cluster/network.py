"""The cluster's network: a switch and its members, each a network namespace, and one guarded link to the machine.

Everything but that link, its routes and one nftables table lives in the namespaces and goes with them.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import addresses, commands, errors, mounts
from dev.cluster.addresses import Member
from dev.cluster.ledger import Kind, Ledger

NAMESPACES = Path("/run/netns")
GUARD_TABLE = "showstopper_guard"
BRIDGE_SYSCTL = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")

GUARD = f"""\
table inet {GUARD_TABLE} {{
    chain forward {{
        type filter hook forward priority -10; policy accept;
        iifname "{addresses.LINK}" drop comment "nothing of the cluster leaves this machine"
        oifname "{addresses.LINK}" drop comment "and nothing from outside gets in"
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """A kernel setting of one network namespace."""

    path: str
    value: str


QUIET = (Setting("net/ipv6/conf/all/disable_ipv6", "1"), Setting("net/ipv6/conf/default/disable_ipv6", "1"))
SWITCH_SETTINGS = (*QUIET, Setting("net/bridge/bridge-nf-call-iptables", "0"))
MEMBER_SETTINGS = (
    *QUIET,
    Setting("net/ipv4/ip_forward", "1"),
    # answers from a pod on the same bridge pass iptables too, which turns the cluster IP's address back
    Setting("net/bridge/bridge-nf-call-iptables", "1"),
)


def switch_lines() -> list[str]:
    """The `ip` commands that make the switch's bridge and plug the machine into it."""
    return ["link set lo up", "link add br0 type bridge", "link set br0 up", "link set host master br0 up"]


def plug_lines(member: Member) -> list[str]:
    """The `ip` commands, in the switch, that plug a member in."""
    return [
        f"link add {member.name} type veth peer name eth0 netns {member.namespace}",
        f"link set {member.name} master br0 up",
    ]


def member_lines(member: Member) -> list[str]:
    """The `ip` commands, in the member, for its address and its routes.

    There is no way out: what is for neither a node, a pod nor a service is refused at once. Services need a route
    although kube-proxy changes the destination, for the kernel looks for a route first.
    """
    others = [other for other in addresses.WORKERS if other is not member]
    return [
        "link set lo up",
        f"addr add {member.address}/{addresses.PREFIX_LENGTH} dev eth0",
        "link set eth0 up",
        *(f"route add {other.pods} via {other.address}" for other in others),
        f"route add {addresses.SERVICES} via {addresses.HOST}",
        "route add unreachable default",
    ]


def host_routes() -> list[str]:
    """The machine's routes: pods through their nodes, and nowhere for all the rest of the range."""
    pods = [f"{node.pods} via {node.address}" for node in addresses.WORKERS]
    return [f"blackhole {addresses.RANGE}", *pods]


def conflicts(routes: str, link_addresses: str) -> Iterator[str]:
    """What the machine already has in our range, from `ip -json route show table all` and `ip -json addr`."""
    ours = ipaddress.IPv4Network(addresses.RANGE)
    for route in json.loads(routes or "[]"):
        if route.get("dst", "default") != "default" and _overlaps(route["dst"], ours):
            yield f"the route {route['dst']} {route.get('dev', route.get('type', ''))}".strip()
    for link in json.loads(link_addresses or "[]"):
        for address in link.get("addr_info", ()):
            if _overlaps(address["local"], ours):
                yield f"the address {address['local']} of {link['ifname']}"


def check() -> None:
    """Raise ConflictError or MissingError when the network cannot be made on this machine."""
    taken = next(conflicts(commands.run(["ip", "-4", "-json", "route"]), commands.run(["ip", "-json", "addr"])), None)
    if taken is not None:
        raise errors.ConflictError(f"the cluster needs {addresses.RANGE} for itself, but this machine has {taken}")
    if not BRIDGE_SYSCTL.exists() and not (commands.succeeds(["modprobe", "br_netfilter"]) and BRIDGE_SYSCTL.exists()):
        raise errors.MissingError("the kernel module br_netfilter is missing: load it with `modprobe br_netfilter`")


def make(ledger: Ledger) -> None:
    """Make the whole network."""
    _make_namespaces(ledger)
    ledger.record(Kind.LINK, addresses.LINK)
    _ip(None, [f"link add {addresses.LINK} type veth peer name host netns {addresses.SWITCH}"])
    _settings(addresses.SWITCH, SWITCH_SETTINGS)
    plugs = [line for member in addresses.MEMBERS for line in plug_lines(member)]
    _ip(addresses.SWITCH, [*switch_lines(), *plugs])
    for member in addresses.MEMBERS:
        _settings(member.namespace, MEMBER_SETTINGS)
        _ip(member.namespace, member_lines(member))
    _connect_host(ledger)


def _make_namespaces(ledger: Ledger) -> None:
    if not NAMESPACES.is_dir():
        ledger.record(Kind.FOLDER, str(NAMESPACES))
    if not mounts.is_mounted(NAMESPACES):  # `ip netns add` is about to make it one
        ledger.record(Kind.MOUNT, str(NAMESPACES))
    for name in (addresses.SWITCH, *(member.namespace for member in addresses.MEMBERS)):
        ledger.record(Kind.NAMESPACE, name)
        commands.run(["ip", "netns", "add", name])


def _connect_host(ledger: Ledger) -> None:
    ledger.record(Kind.TABLE, f"inet {GUARD_TABLE}")
    commands.run(["nft", "-f", "-"], stdin=GUARD)
    _ip(
        None,
        [
            f"link set {addresses.LINK} addrgenmode none",
            f"addr add {addresses.HOST}/{addresses.PREFIX_LENGTH} dev {addresses.LINK}",
            f"link set {addresses.LINK} up",
        ],
    )
    for route in host_routes():
        ledger.record(Kind.ROUTE, route)
        _ip(None, [f"route add {route}"])


def _ip(namespace: str | None, lines: list[str]) -> None:
    inside = ["-n", namespace] if namespace else []
    commands.run(["ip", *inside, "-batch", "-"], stdin="\n".join(lines) + "\n")


def _settings(namespace: str, settings: tuple[Setting, ...]) -> None:
    script = "; ".join(f"echo {setting.value} > /proc/sys/{setting.path}" for setting in settings)
    commands.run(["nsenter", f"--net={NAMESPACES / namespace}", "sh", "-ec", script])


def _overlaps(destination: str, ours: ipaddress.IPv4Network) -> bool:
    network = ipaddress.ip_network(destination, strict=False)
    return isinstance(network, ipaddress.IPv4Network) and network.overlaps(ours)
