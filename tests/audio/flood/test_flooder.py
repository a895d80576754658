"""The flooder as a process, on loopback, where it has to be told that it may go there."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio import crowd_processes
from tests.audio.flood import floods

HEAVY = {"livekit", "numpy", "pydantic", "aiohttp", "kubernetes", "kopf", "structlog"}


@pytest.fixture
def here() -> Iterator[dict[str, str]]:
    """Settings for a flood of a socket that nobody reads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield {"TARGETS": f"127.0.0.1:{udp.getsockname()[1]}", "WITHIN": "127.0.0.1", "SPECIAL": "Loopback"}


def test_a_flood_ends_with_its_report(here: dict[str, str], tmp_path: Path) -> None:
    ended = floods.run(**here, REPORT=str(tmp_path / "message"))
    assert ended.code == 0, ended.complaint
    assert (ended.report["event"], ended.report["ended_by"]) == ("flooded", "Packets")
    assert (ended.report["packets"], ended.report["bytes"], ended.report["errors"]) == (1000, 172_000, {})
    assert json.loads((tmp_path / "message").read_text()) == ended.report


def test_a_wrong_setting_is_one_line_and_status_two(here: dict[str, str]) -> None:
    ended = floods.run(**here | {"SPECIAL": ""})
    assert ended.code == 2
    assert ended.lines == []
    assert ended.complaint.count("\n") == 1
    assert "SHOWSTOPPER_FLOOD_TARGETS has 127.0.0.1" in ended.complaint


def test_a_pod_that_came_too_late_sends_nothing(here: dict[str, str]) -> None:
    ended = floods.run(**here, END=crowd_processes.in_seconds(-1))
    assert (ended.code, ended.report["packets"], ended.report["ended_by"]) == (0, 0, "End")


@pytest.mark.parametrize("rate", ["1", "20000", "max"])
def test_sigterm_ends_it_with_a_report(here: dict[str, str], rate: str) -> None:
    process = floods.start(**here, RATE=rate, PACKETS="1000000000", SECONDS="30")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "flooding"
    process.send_signal(signal.SIGTERM)
    ended = crowd_processes.end(process)
    assert (ended.code, ended.report["ended_by"]) == (0, "Terminated")
    assert ended.report["packets"] > 0


def test_it_needs_neither_the_sdk_nor_numpy_nor_a_model() -> None:
    program = f"import sys, showstopper.audio.flood.flooder; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
