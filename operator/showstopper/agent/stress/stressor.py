"""The agent's end of a stressor: starts the process, renews it, and reads what it says."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from showstopper.agent.stress.order import Order
from showstopper.errors import EffectRefused, KernelRefused

START_SECONDS = 10.0
"""How long its process gets to begin, on a busy node."""
END_SECONDS = 1.0
"""How long it gets to end by itself, once it is told to."""
_MODULE = "showstopper.agent.stress.process"


class Stressor:
    """One process, with its children.

    Attributes:
        problem: why it has ended before its time. None if it has not, or there was nothing left to do.
    """

    def __init__(self, order: Order) -> None:
        """Start it, and wait until it has begun.

        Raises:
            EffectRefused: it cannot, and says why.
            KernelRefused: it says nothing.
        """
        self._figures: Mapping[str, int] = {}
        self.problem: str | None = None
        self._rest = b""
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and numbers and paths of our own
            [sys.executable, "-m", _MODULE, order.dump()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        try:
            self._begin()
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def figures(self) -> Mapping[str, int]:
        """What it has said last."""
        self._read()
        return self._figures

    @property
    def ended(self) -> bool:
        """Whether it has ended, by itself or by somebody else. Reads what it has said until now."""
        ended = self._process.poll() is not None
        self._read()
        if ended and self.problem is None and self._process.returncode != 0:
            self.problem = f"the stressor was ended: exit status {self._process.returncode}"
        return ended

    def renew(self, until: float) -> None:
        """Let it last until that monotonic time."""
        with suppress(BrokenPipeError):  # it has ended: who looks is told why
            self._input.write(f"{until}\n".encode())

    def settle(self) -> None:
        """Wait for its last words: it ends by itself when its container has."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)

    def end(self) -> None:
        """End it, with all that it has taken. Called again, nothing."""
        with suppress(BrokenPipeError):
            self._input.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if not self._output.closed:
            self._read()
            self._output.close()

    def _begin(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not self._read():
            over, left = self._process.poll() is not None, give_up - time.monotonic()
            if self._read():  # its last words
                break
            if over or left <= 0:
                raise KernelRefused(f"the stressor does not begin: exit status {self._process.returncode}")
            select.select([self._output], [], [], left)
        if self.problem is not None:
            raise EffectRefused(self.problem)

    def _read(self) -> bool:
        """Take in what it has said. Returns whether it has said anything."""
        lines = (self._rest + (self._output.read() or b"")).split(b"\n") if not self._output.closed else [b""]
        self._rest = lines.pop()
        for line in lines:
            said = json.loads(line)
            self._figures, self.problem = said.get("figures", self._figures), said.get("problem", self.problem)
        return bool(lines)
