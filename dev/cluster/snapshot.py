"""What is on this machine, as text to compare: proof that taking the cluster down leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from dev.cluster import cgroups, commands

_KERNEL_THREADS_PARENT = 2


def take() -> str:
    """A section for each kind of thing, its lines sorted, without what changes by itself (ids, counters, lifetimes)."""
    return "\n\n".join(f"# {name}\n{chr(10).join(sorted(lines()))}" for name, lines in _SECTIONS.items()).rstrip()


def processes() -> list[str]:
    """The command lines of all processes but the kernel's, this one and its ancestors."""
    skipped = _ancestors(os.getpid())
    command_lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = _parent(folder)
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        if parent != _KERNEL_THREADS_PARENT and command and int(folder.name) not in skipped:
            command_lines.append(command)
    return command_lines


def mounts() -> list[str]:
    """The mounts of this mount namespace."""
    return Path("/proc/mounts").read_text().splitlines()


def namespaces() -> list[str]:
    """Named network namespaces."""
    return [each["name"] for each in json.loads(commands.run(["ip", "-json", "netns"]) or "[]")]


def links() -> list[str]:
    """Links with their addresses."""
    interfaces = json.loads(commands.run(["ip", "-json", "addr"]))
    return [
        f"{link['ifname']} {' '.join(sorted(each['local'] for each in link['addr_info'] if 'local' in each))}"
        for link in interfaces
    ]


def routes() -> list[str]:
    """IPv4 and IPv6 routes of all tables."""
    both = [commands.run(["ip", f"-{version}", "route", "show", "table", "all"]) for version in (4, 6)]
    return [line.partition(" expires")[0] for text in both for line in text.splitlines()]


def cgroup_folders() -> list[str]:
    """All cgroups of all mounted trees: asked of the machine, not of what the cluster believes to be its trees."""
    trees = [Path(point) for _, point, kind, *_ in map(str.split, mounts()) if kind in {"cgroup", "cgroup2"}]
    return [str(folder) for tree in trees for folder in cgroups.with_all_below(tree) if folder != tree]


def nft_rules() -> list[str]:
    """The nftables rules, which include those that iptables-nft made."""
    return commands.run(["nft", "--stateless", "list", "ruleset"]).splitlines() if shutil.which("nft") else []


def iptables_rules() -> list[str]:
    """The rules of iptables, without counters and dates."""
    if shutil.which("iptables-save") is None:
        return []
    lines = commands.run(["iptables-save"]).splitlines()
    return [line.partition(" [")[0] for line in lines if not line.startswith("#")]


_SECTIONS: dict[str, Callable[[], list[str]]] = {
    "processes": processes,
    "mounts": mounts,
    "network namespaces": namespaces,
    "links": links,
    "routes": routes,
    "cgroups": cgroup_folders,
    "nft": nft_rules,
    "iptables": iptables_rules,
}


def _ancestors(pid: int) -> set[int]:
    ancestors = set()
    while pid > 1:
        ancestors.add(pid)
        pid = _parent(Path(f"/proc/{pid}"))
    return ancestors


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
