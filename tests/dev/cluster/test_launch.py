"""A process is recorded before it runs, outlives its starter, and is known again by its start time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dev.cluster import launch, teardown
from dev.cluster.ledger import Entry, Kind, Ledger


def start(ledger: Ledger, log: Path, *command: str) -> subprocess.CompletedProcess[str]:
    starter = [sys.executable, "-I", "-S", launch.__file__, str(ledger.path), "sleeper", str(log), "", "--"]
    return subprocess.run([*starter, *command], check=False, capture_output=True, text=True)


def wait_for_end(entry: Entry) -> None:
    deadline = time.monotonic() + 60
    while teardown.is_alive(entry):
        assert time.monotonic() < deadline, "the process does not end"
        time.sleep(0.01)


def test_what_is_started_is_recorded_and_runs_on(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.open()
    assert start(ledger, tmp_path / "log", "sleep", "1000").returncode == 0
    entry = ledger.process("sleeper")
    assert entry is not None
    assert teardown.is_alive(entry)
    os.kill(entry.pid, signal.SIGKILL)
    wait_for_end(entry)


def test_another_process_with_the_same_id_is_not_taken_for_it() -> None:
    own = launch.start_time(os.getpid())
    assert own is not None
    assert teardown.is_alive(Entry(Kind.PROCESS, "this", os.getpid(), own))
    assert not teardown.is_alive(Entry(Kind.PROCESS, "earlier", os.getpid(), own - 1))


def test_a_zombie_does_not_live() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert launch.start_time(process.pid) is None
    process.wait()
    assert launch.start_time(process.pid) is None


def test_a_program_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.open()
    done = start(ledger, tmp_path / "log", "/no/such/program")
    assert done.returncode == 1
    assert "sleeper did not start" in done.stderr
    assert "No such file" in done.stderr


def test_without_a_ledger_nothing_is_started(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "gone" / "ledger.jsonl")
    assert start(ledger, tmp_path / "log", "touch", str(tmp_path / "made")).returncode == 1
    assert not (tmp_path / "made").exists()
