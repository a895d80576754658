"""Only an API server and its etcd, on loopback, in seconds and for any user: for tests of what needs no node.

::

    with apiserver.running() as server:
        server.kubectl("apply", "-f", "crds/")
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import builds, commands, control_plane, errors, launch, paths, waiting

READY_SECONDS = 120
SERVICES = "10.96.0.0/16"


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A running API server. `kubeconfig` is the administrator's."""

    url: str
    kubeconfig: Path
    folder: Path
    binaries: Path
    keys: control_plane.Keys

    def kubectl(self, *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """What kubectl printed. Raises CommandError with what the server said."""
        environment = paths.client_environment(kubeconfig or self.kubeconfig)
        return commands.run([str(self.binaries / "kubectl"), *arguments], stdin=stdin, env=environment)

    def user(self, name: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig for a user with no rights but those that RBAC gives to its name and groups."""
        file_name = name.replace(":", "-").replace("/", "-")
        certificate = self.keys.authority.issue(f"user-{file_name}", name, organizations=groups)
        return self.keys.authority.kubeconfig(self.folder / f"{file_name}.kubeconfig", self.url, certificate)


@contextmanager
def running(*, controllers: bool = False) -> Iterator[ApiServer]:
    """Start an API server with an empty etcd. Stop and remove all of it at the end.

    Pods and other objects are only stored: nothing runs them. With `controllers`, kube-controller-manager runs too
    (garbage collection by owner, service accounts, jobs, and the rules of aggregated roles such as `view`).

    Enter it in a thread that lives as long as the server shall: the processes end with that thread, so none stays
    behind when a test run is killed.
    """
    binary = builds.ensure(builds.CLUSTER)
    folder = Path(tempfile.mkdtemp(prefix="showstopper-apiserver-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        etcd_port, peer_port, port = _free_ports(3)
        keys = control_plane.make_keys(folder / "pki", ())
        url = f"https://127.0.0.1:{port}"
        kubeconfig = keys.authority.kubeconfig(folder / "admin.kubeconfig", url, keys.admin)
        etcd = control_plane.etcd(keys, folder / "etcd", etcd_port, peer_port)
        serve = control_plane.api_server(keys, "127.0.0.1", SERVICES, port, etcd_port)
        if not controllers:  # nobody makes service accounts then, and each pod would be refused for want of one
            serve.append("--disable-admission-plugins=ServiceAccount")
        stack.enter_context(_process(binary, etcd, folder))
        process = stack.enter_context(_process(binary, serve, folder))
        server = ApiServer(url, kubeconfig, folder, binary.parent, keys)
        waiting.until(
            lambda: _ready(server),
            "the API server is not ready",
            seconds=READY_SECONDS,
            log=folder / "kube-apiserver.log",
            give_up=lambda: process.poll() is not None,
        )
        if controllers:
            user = keys.authority.kubeconfig(folder / "controllers.kubeconfig", url, keys.controllers)
            # Pods are only stored, on nodes that do not exist: once a minute they would be collected for that.
            spared = "--controllers=*,-pod-garbage-collector-controller"
            manager = [*control_plane.controller_manager(keys, user), "--secure-port=0", spared]
            stack.enter_context(_process(binary, manager, folder))
        yield server


def _ready(server: ApiServer) -> bool:
    try:
        return server.kubectl("get", "--raw", "/readyz") == "ok"
    except errors.CommandError:  # it refuses connections, or says which check fails: both are "not yet"
        return False


@contextmanager
def _process(binary: Path, command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            commands.tied([str(binary), *command]),
            cwd=folder,
            env=launch.ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()  # nothing of it is kept, so there is nothing to shut down in order
        process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
