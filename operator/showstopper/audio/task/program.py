"""The program of a task: from its settings, through its gate, to its last line and its exit code.

What one kind of task does is a `Program`. Everything around it is the same for all, and stands here.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from showstopper import garbage
from showstopper.audio.task import gate, telling
from showstopper.audio.task.clocks import Clocks
from showstopper.audio.task.ending import AbsoluteEnd, EndReason, Stop
from showstopper.audio.task.settings import TaskSettings
from showstopper.errors import SettingsError

IN_VAIN = 1
WRONG_SETTING = 2
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Program(ABC):
    """What a kind of task does. Made of its settings, before its gate is up; it has sent nothing yet.

    Attributes:
        task: what every task is told.
    """

    def __init__(self, task: TaskSettings) -> None:
        self.task = task

    @abstractmethod
    def run(self, end: AbsoluteEnd, stop: Stop, clocks: Clocks) -> dict[str, Any]:
        """Do it: the gate is up. Returns its last line, with what ended it under "ended_by".

        Args:
            end: it is over by then, whatever its own bounds are.
            stop: whether somebody said stop.
            clocks: to know when that is.
        """

    @abstractmethod
    def not_begun(self, reason: EndReason) -> dict[str, Any]:
        """The last line of one whose gate did not come up."""

    def in_vain(self, report: Mapping[str, Any]) -> bool:
        """Whether nothing was done, by its last line, though nobody had asked for that."""
        return report["ended_by"] is EndReason.NO_GATE


def main(prepare: Callable[[Mapping[str, str], float], Program]) -> None:
    """Entry point of every program of a task. Exits with 0, IN_VAIN or WRONG_SETTING.

    Args:
        prepare: makes the program out of its environment, at these Unix seconds. Raises SettingsError.
    """
    stop = Stop()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: setattr(stop, "asked", True))
    try:
        program = prepare(os.environ, time.time())
        garbage.keep_what_is_there()
        report = carry_out(program, stop, Clocks())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(WRONG_SETTING) from error
    except OSError as error:  # what packets meet on their way is counted; this is about having sockets at all
        sys.stderr.write(f"its task cannot be done: {error}\n")
        raise SystemExit(IN_VAIN) from error
    telling.tell(report)
    if program.task.report is not None:
        telling.leave(report, program.task.report)
    raise SystemExit(IN_VAIN if program.in_vain(report) else 0)


def carry_out(program: Program, stop: Stop, clocks: Clocks) -> dict[str, Any]:
    """Do a task, once its gate is up. Returns its last line."""
    end = AbsoluteEnd.at(program.task.end, monotonic=clocks.monotonic(), wall=clocks.wall())
    if program.task.gate is not None:
        telling.tell({"event": "waiting", "gate": program.task.gate})
        shut = gate.wait(program.task.gate, end, stop, clocks)
        if shut is not None:
            return program.not_begun(shut)
    return program.run(end, stop, clocks)
