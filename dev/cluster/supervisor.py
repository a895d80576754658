"""Bring the embedded cluster up and take it down again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import (
    addresses,
    builds,
    commands,
    control_plane,
    dns,
    errors,
    images,
    lock,
    network,
    packages,
    paths,
    preflight,
    progress,
    start,
    stores,
    teardown,
    waiting,
)
from dev.cluster.ledger import Ledger

READY_SECONDS = 180
MANIFESTS = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True)
class Health:
    """What of the cluster is there: running members, whether the API server says it is ready, and the ready nodes."""

    members: list[str]
    api_ready: bool
    nodes: list[str]

    @property
    def whole(self) -> bool:
        """Whether everything runs."""
        return (
            self.api_ready and len(self.members) == len(addresses.MEMBERS) and len(self.nodes) == len(addresses.WORKERS)
        )


def up() -> None:
    """Have a running cluster. Nothing happens when one runs. What an interrupted start left is removed first.

    When it cannot be started, what was started is taken down again. The logs stay.
    """
    preflight.check()
    packages.ensure(packages.TO_RUN)
    binary = builds.ensure(builds.CLUSTER)
    with lock.held():
        ledger = Ledger()
        if ledger.exists():
            with progress.step("Looking whether the cluster is whole"):
                whole = health(ledger).whole
            if whole:
                return
            progress.note("Removing what is left of a cluster that is not whole")
            teardown.take_down(ledger)
        pause = images.ensure(images.PAUSE)
        began = time.monotonic()
        try:
            _start(binary, ledger, pause)
        except BaseException:  # also an interrupt: half a cluster is of no use to anybody
            progress.note("The cluster did not start; taking down what was started")
            teardown.take_down(ledger)
            raise
        progress.note(f"The cluster is up after {time.monotonic() - began:.1f} s: KUBECONFIG={paths.kubeconfig()}")


def down() -> None:
    """Take the cluster down, or what is left of one. Builds, images and logs stay in the cache."""
    preflight.refuse_users(os.geteuid())
    with lock.held(), progress.step("Taking the cluster down"):
        teardown.take_down(Ledger())
        teardown.sweep()


def health(ledger: Ledger | None = None) -> Health:
    """Look at the cluster. Asks the API server only when the control plane runs."""
    ledger = ledger or Ledger()
    running = [
        member.name
        for member in addresses.MEMBERS
        if (process := ledger.process(member.name)) is not None and teardown.is_alive(process)
    ]
    if addresses.CONTROL.name not in running or not paths.kubeconfig().exists():
        return Health(running, api_ready=False, nodes=[])
    kubectl = builds.ensure(builds.CLUSTER).with_name("kubectl")
    if not _api_ready(kubectl):
        return Health(running, api_ready=False, nodes=[])
    return Health(running, api_ready=True, nodes=_ready_nodes(kubectl))


def _start(binary: Path, ledger: Ledger, pause: images.Image) -> None:
    network.check()
    ledger.open()
    kubectl = binary.with_name("kubectl")
    with progress.step("Starting the cluster") as step:
        step.say("network and processes")
        _start_members(binary, ledger, pause)
        step.say("pause image")
        stores.load([pause])
        step.say("API server")
        _await_api(kubectl)
        _apply(kubectl, binary, pause)
        step.say("nodes")
        for worker in addresses.WORKERS:
            _await_node(kubectl, worker)
        step.say("cluster DNS")
        for member in addresses.MEMBERS:
            _await_dns(member)


def _start_members(binary: Path, ledger: Ledger, pause: images.Image) -> None:
    keys = control_plane.make_keys(paths.RUN / "pki", (addresses.CONTROL_PLANE, addresses.API_SERVICE))
    keys.authority.kubeconfig(paths.kubeconfig(), addresses.API_URL, keys.admin)
    network.make(ledger)
    start.make_cgroups(ledger)
    plan = start.Start(binary, ledger, keys, pause.reference)
    start.start_control_plane(plan)
    for worker in addresses.WORKERS:
        start.start_node(plan, worker)


def _await_api(kubectl: Path) -> None:
    log = start.log(addresses.CONTROL, "kube-apiserver")
    waiting.until(lambda: _api_ready(kubectl), "the API server is not ready", seconds=READY_SECONDS, log=log)


def _await_node(kubectl: Path, worker: addresses.Member) -> None:
    log = start.log(worker, "kubelet")
    what = f"{worker.name} is not Ready"
    waiting.until(lambda: worker.name in _ready_nodes(kubectl), what, seconds=READY_SECONDS, log=log)


def _apply(kubectl: Path, binary: Path, pause: images.Image) -> None:
    text = (MANIFESTS / "coredns.yaml").read_text()
    manifest = text.replace("PAUSE_IMAGE", pause.reference).replace("CLUSTER_BINARY", str(binary))
    _kubectl(kubectl, "apply", "--server-side", "-f", "-", stdin=manifest)


def _await_dns(member: addresses.Member) -> None:
    name = f"kubernetes.default.svc.{addresses.DOMAIN}"
    waiting.until(
        lambda: dns.lookup(member.namespace_file, addresses.DNS_SERVICE, name) == [addresses.API_SERVICE],
        f"cluster DNS does not answer in {member.name}",
        seconds=READY_SECONDS,
        log=start.log(addresses.WORKERS[0], "kubelet"),
    )


def _api_ready(kubectl: Path) -> bool:
    try:
        return _kubectl(kubectl, "get", "--raw", "/readyz") == "ok"
    except errors.CommandError:  # refused or not ready yet
        return False


def _ready_nodes(kubectl: Path) -> list[str]:
    path = '{range .items[?(@.status.conditions[-1:].status=="True")]}{.metadata.name} {end}'
    return _kubectl(kubectl, "get", "nodes", "-o", f"jsonpath={path}").split()


def _kubectl(kubectl: Path, *arguments: str, stdin: str | None = None) -> str:
    command = [str(kubectl), "--request-timeout=5s", *arguments]
    return commands.run(command, stdin=stdin, env=paths.client_environment(paths.kubeconfig()))
