"""The API server alone: it answers, knows its users apart, and leaves nothing behind."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dev.cluster import apiserver, errors, launch, paths, waiting

pytestmark = pytest.mark.apiserver

HOLD = """
import pathlib, sys, time
from dev.cluster import apiserver
with apiserver.running() as server:
    print(server.folder, flush=True)
    time.sleep(1000)
"""


def processes_of(folder: Path) -> list[int]:
    """The processes whose command line names the folder."""
    pids = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder) in file.read_text(errors="replace"):
                pids.append(int(file.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return pids


def may_list_pods(server: apiserver.ApiServer, user: Path) -> bool:
    """Whether a user may."""
    try:
        server.kubectl("get", "pods", kubeconfig=user)
    except errors.CommandError:
        return False
    return True


def test_it_answers_and_tells_its_users_apart() -> None:
    with apiserver.running() as server:
        assert "default" in server.kubectl("get", "namespaces", "--output=name")
        somebody = server.user("somebody", groups=["listeners"])
        with pytest.raises(errors.CommandError, match='User "somebody" cannot list resource "pods"'):
            server.kubectl("get", "pods", kubeconfig=somebody)
        server.kubectl("create", "clusterrole", "lister", "--verb=list", "--resource=pods")
        server.kubectl("create", "clusterrolebinding", "listeners", "--clusterrole=lister", "--group=listeners")
        waiting.until(lambda: may_list_pods(server, somebody), "the binding has no effect", seconds=60)
        folder = server.folder
        assert len(processes_of(folder)) == 2
    assert not folder.exists()
    assert not processes_of(folder)


def test_it_ends_with_a_test_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=paths.PROJECT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        running = processes_of(folder)
        assert len(running) == 2
        holder.send_signal(signal.SIGKILL)
    for pid in running:
        waiting.until(lambda pid=pid: launch.start_time(pid) is None, f"process {pid} lives on", seconds=60)  # type: ignore[misc]
    shutil.rmtree(folder)  # its files are what a killed run does leave
