"""`showstopper agent` as a process: it watches, its heart beats, it logs JSON, and it ends when it is told to."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.cluster.apiserver import ApiServer

COMMAND = [str(Path(sys.executable).with_name("showstopper")), "agent"]


def test_without_a_node_it_says_what_to_set() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NODE_NAME"}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "NODE_NAME is not set" in done.stderr


def test_it_loads_neither_kopf_nor_the_operator() -> None:
    loaded = "import sys, showstopper.cli.processes.agent; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"kopf", "showstopper.controllers", "showstopper.engine", "numpy"} & set(modules)
    assert "showstopper.executor.injections" in modules


@pytest.mark.apiserver
@pytest.mark.netns
def test_it_works_until_it_is_told_to_end(server: ApiServer, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "KUBECONFIG": str(server.kubeconfig),
        "NODE_NAME": "node-of-nobody",
        "POD_NAMESPACE": "show",
        "SHOWSTOPPER_STATE": str(tmp_path),
    }
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not (tmp_path / "alive").exists():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline, "its heart does not beat"
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            _, logged = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, logged
    assert [json.loads(line)["event"] for line in logged.splitlines()] == ["backends", "watching"]
    assert not (tmp_path / "alive").exists()
