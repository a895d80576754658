"""Start the control plane and the nodes: write their files, then launch their first process, which starts the rest."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from dev.cluster import addresses, cgroups, commands, control_plane, init, launch, ledger, network, node, paths, pki
from dev.cluster.addresses import Member
from dev.cluster.init import Plan, Service
from dev.cluster.ledger import Kind, Ledger

AHEAD = 8
"""How many times the weight of any other program of this machine the whole cluster has.

With the weight of one, forty processes that play and listen share what a single compiler or test run gets beside them:
a listener that is late reports Unknown, and no run has a verdict. A cluster elsewhere has machines of its own."""

PREFERRED = 8
"""How many times the weight of a node's daemons the control plane has, and the pods of a node.

A control plane elsewhere has processors of its own: here it would wait for two nodes that replace pods (an answer was
recorded 24 ms after the call instead of 38). And pods would wait for both, where a kubelet on a machine of its own
gives them twice the weight of its daemons (a pod was killed 32 ms after the apply instead of 35, by bench.latency on
two cores)."""

FOLLOWERS = 10
"""The nice value of what watches the API server in the control plane: a ninth of the weight of the API server and etcd.

Whoever kills a pod would otherwise wait for all who replace it."""


@dataclass(frozen=True, slots=True)
class Start:
    """What starting needs: the binary, the ledger, the keys, and the name of the pause image."""

    binary: Path
    ledger: Ledger
    keys: control_plane.Keys
    pause_image: str


def folders(member: Member) -> node.Folders:
    """Where a node keeps its files."""
    return node.Folders(paths.RUN / member.name, paths.cache() / "nodes" / member.name)


def make_cgroups(book: Ledger) -> None:
    """The cgroups of all members: one for daemons, and on nodes one for pods."""
    book.record(Kind.CGROUP, cgroups.ROOT)
    for member in addresses.MEMBERS:
        cgroups.make(_daemons(member))
    cgroups.prefer("", AHEAD)
    cgroups.prefer(_daemons(addresses.CONTROL), PREFERRED)
    for worker in addresses.WORKERS:
        cgroups.make_parent(worker.name)
        cgroups.prefer(worker.name, PREFERRED)


def start_control_plane(start: Start) -> None:
    """etcd, the API server, the controllers, the scheduler, and a kube-proxy, so that the API server reaches services.

    Admission webhooks are called at cluster IPs. That kube-proxy calls itself by a node's name because it wants a Node
    to exist. It only watches services.
    """
    folder = paths.RUN / addresses.CONTROL.name
    folder.mkdir(parents=True, exist_ok=True)
    keys, book = start.keys, start.ledger
    config = _kube_proxy(start, addresses.WORKERS[0].name, folder)
    manager = _kubeconfig(start, folder / "controllers.kubeconfig", keys.controllers)
    scheduling = _kubeconfig(start, folder / "scheduler.kubeconfig", keys.scheduler)
    serving = [
        control_plane.etcd(keys, folder / "etcd"),
        control_plane.api_server(keys, addresses.CONTROL_PLANE, addresses.SERVICES),
    ]
    following = [
        control_plane.controller_manager(keys, manager),
        control_plane.scheduler(scheduling),
        ["kube-proxy", f"--config={config}"],
    ]
    services = [
        *(_service(start.binary, addresses.CONTROL, program) for program in serving),
        *(_service(start.binary, addresses.CONTROL, program, niceness=FOLLOWERS) for program in following),
    ]
    _launch(book, addresses.CONTROL, Plan(addresses.CONTROL.name, [], services), folder)


def start_node(start: Start, member: Member) -> None:
    """containerd, kubelet and kube-proxy of a node."""
    places = folders(member)
    _write_node_files(start, member, places)
    binds = []
    for source, target in node.binds(places):
        source.mkdir(parents=True, exist_ok=True)
        _make_folder(start.ledger, target)
        binds.append((str(source), str(target)))
    containerd = ["containerd", f"--config={places.run / 'containerd.toml'}"]
    services = [
        Service("containerd", containerd, str(log(member, "containerd"))),
        _service(start.binary, member, node.kubelet_command(member, places), needs=str(places.socket)),
        _service(start.binary, member, ["kube-proxy", f"--config={places.run / 'kube-proxy.yaml'}"]),
    ]
    _launch(start.ledger, member, Plan(member.name, binds, services), places.run)


def log(member: Member, program: str) -> Path:
    """The log file of a program of a member."""
    return paths.logs() / f"{member.name}-{program}.log"


def _write_node_files(start: Start, member: Member, places: node.Folders) -> None:
    for folder in (places.run / "cni", places.images):
        folder.mkdir(parents=True, exist_ok=True)
    identity = start.keys.authority.issue(
        member.name,
        f"system:node:{member.name}",
        organizations=("system:nodes",),
        hosts=(member.name, member.address),
    )
    _kubeconfig(start, places.run / "kubelet.kubeconfig", identity)
    _kube_proxy(start, member.name, places.run)
    kubelet = node.kubelet(member, places, start.keys.authority.certificate, identity.certificate, identity.key)
    (places.run / "kubelet.yaml").write_text(yaml.safe_dump(kubelet))
    (places.run / "containerd.toml").write_text(node.containerd(places, start.pause_image))
    (places.run / "cni" / "10-pods.conflist").write_text(json.dumps(node.cni(member, places)))
    (places.run / "resolv.conf").write_text("")  # no resolver outside: nothing of the cluster leaves the machine


def _kube_proxy(start: Start, node_name: str, folder: Path) -> Path:
    certificate = start.keys.authority.issue(f"kube-proxy-{folder.name}", "system:kube-proxy")
    kubeconfig = _kubeconfig(start, folder / "kube-proxy.kubeconfig", certificate)
    config = folder / "kube-proxy.yaml"
    config.write_text(yaml.safe_dump(node.kube_proxy(node_name, kubeconfig)))
    return config


def _kubeconfig(start: Start, path: Path, user: pki.Certificate) -> Path:
    return start.keys.authority.kubeconfig(path, addresses.API_URL, user)


def _service(
    binary: Path, member: Member, command: Sequence[str], needs: str | None = None, niceness: int = 0
) -> Service:
    return Service(command[0], [str(binary), *command], str(log(member, command[0])), needs, niceness)


def _launch(book: Ledger, member: Member, plan: Plan, folder: Path) -> None:
    """Launch process 1 of a member in namespaces of its own. Killing what is recorded kills all of it."""
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(asdict(plan), indent=1))
    for service in plan.services:
        Path(service.log).unlink(missing_ok=True)
    isolated = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private"]
    # not `ip netns exec`: it mounts /sys anew, which hides the cgroups
    entered = ["nsenter", f"--net={network.NAMESPACES / member.namespace}", *isolated]
    python = [sys.executable, "-I", "-S"]
    starter = [str(book.path), member.name, str(log(member, "init")), _cgroup_list(member)]
    commands.run([*python, launch.__file__, *starter, "--", *entered, *python, init.__file__, str(plan_file)])


def _cgroup_list(member: Member) -> str:
    return ":".join(str(path) for path in cgroups.paths(_daemons(member)))


def _daemons(member: Member) -> str:
    return f"{member.name}-daemons"


def _make_folder(book: Ledger, path: Path) -> None:
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            book.record(ledger.Kind.FOLDER, str(folder))
            folder.mkdir()
