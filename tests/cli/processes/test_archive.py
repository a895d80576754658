"""`showstopper archive` as a process: its settings, what it loads, and that it ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from dev.cluster import waiting
from dev.cluster.apiserver import ApiServer
from showstopper.cli.processes.archive import Settings
from showstopper.errors import SettingsError

COMMAND = [str(Path(sys.executable).with_name("showstopper")), "archive"]


def test_without_a_database_it_says_what_to_set() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SHOWSTOPPER_DATABASE_URL"}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SHOWSTOPPER_DATABASE_URL is not set: write sqlite:////PATH/archive.db" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SHOWSTOPPER_RETENTION", "90d", "is not a valid duration"),
        ("SHOWSTOPPER_RETENTION", "5m", "write 1h or more"),
        ("SHOWSTOPPER_IDLE_RETENTION", "0s", "write 1h or more"),
        ("SHOWSTOPPER_PORT", "http", "set it to a port number"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv("SHOWSTOPPER_DATABASE_URL", "sqlite://")
    assert Settings.from_environment().retention == timedelta(days=90)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}.*{says}"):
        Settings.from_environment()


@pytest.mark.parametrize("module", ["cli.processes.operator", "archive.reading", "cli.main"])
def test_only_the_archive_loads_a_database(module: str) -> None:
    loaded = f"import sys, showstopper.{module}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "alembic", "psycopg"} & set(modules)


@pytest.mark.apiserver
def test_it_works_until_it_is_told_to_end(server: ApiServer, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "KUBECONFIG": str(server.kubeconfig),
        "SHOWSTOPPER_DATABASE_URL": f"sqlite:///{tmp_path}/archive.db",
        "SHOWSTOPPER_PORT": str(port),
    }
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            waiting.until(
                lambda: _is_ready(port), "it is not ready", seconds=60, give_up=lambda: process.poll() is not None
            )
            process.send_signal(signal.SIGTERM)
            _, logged = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, logged
    assert [json.loads(line)["event"] for line in logged.splitlines()] == ["database_open", "stopped"]


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz"):
            return True
    except OSError:  # it does not listen yet, or says why it is not ready
        return False
