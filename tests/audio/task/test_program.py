"""The program of a task, with a kind of its own: its gate, its last line, and its exit code."""

import json
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from showstopper.audio.task import program
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import AbsoluteEnd, EndReason, Stop
from showstopper.audio.task.program import STOP_SIGNALS, Program
from showstopper.audio.task.settings import TaskSettings
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint


class Waiting(Program):
    """Does nothing, until somebody says stop or its absolute end comes."""

    def run(self, end: AbsoluteEnd, stop: Stop, clocks: Clocks) -> dict[str, Any]:
        while not stop.asked:
            if end.past(clocks.monotonic(), clocks.wall()):
                return {"event": "waited", "ended_by": EndReason.END}
            clocks.sleep(0.01)
        return {"event": "waited", "ended_by": EndReason.TERMINATED}

    def not_begun(self, reason: EndReason) -> dict[str, Any]:
        return {"event": "not begun", "ended_by": reason}


def told(seconds: float = 0.1, *, report: Path | None = None, gate: int | None = None) -> Waiting:
    return Waiting(TaskSettings((Endpoint("198.18.1.1", 7882),), time.time() + seconds, report=report, gate=gate))


def exit_code(waiting: Waiting) -> object:
    with pytest.raises(SystemExit) as exited:
        program.main(lambda *_: waiting)
    return exited.value.code


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    yield
    for number, handler in zip(STOP_SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of the loopback that somebody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield int(udp.getsockname()[1])


@pytest.fixture
def free() -> int:
    """One that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return int(udp.getsockname()[1])


def test_the_last_line_is_said_and_left(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert exit_code(told(report=tmp_path / "message")) == 0
    said = capfd.readouterr().out
    assert json.loads(said) == {"event": "waited", "ended_by": "End"}
    assert (tmp_path / "message").read_text() == said


def test_without_its_gate_it_does_not_begin(capfd: pytest.CaptureFixture[str], free: int) -> None:
    assert exit_code(told(gate=free)) == program.IN_VAIN
    waiting, last = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert waiting == {"event": "waiting", "gate": free}
    assert last == {"event": "not begun", "ended_by": "NoGate"}


def test_a_gate_that_cannot_be_waited_for_is_one_line(capfd: pytest.CaptureFixture[str], taken: int) -> None:
    assert exit_code(told(seconds=30, gate=taken)) == program.IN_VAIN
    complaint = capfd.readouterr().err
    assert complaint.count("\n") == 1
    assert "in use" in complaint


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_stops_it(capfd: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    def prepare(_: Mapping[str, str], __: float) -> Program:
        signal.raise_signal(number)
        return told(seconds=30)

    with pytest.raises(SystemExit) as exited:
        program.main(prepare)
    assert exited.value.code == 0
    assert json.loads(capfd.readouterr().out)["ended_by"] == "Terminated"


def test_a_wrong_setting_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    def prepare(_: Mapping[str, str], __: float) -> Program:
        raise SettingsError("SHOWSTOPPER_FLOOD_END is not set, and it has no default")

    with pytest.raises(SystemExit) as exited:
        program.main(prepare)
    assert exited.value.code == program.WRONG_SETTING
    assert capfd.readouterr().err == "SHOWSTOPPER_FLOOD_END is not set, and it has no default\n"
