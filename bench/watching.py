"""Watches beside the measured thing: threads, or tasks, for as long as a context is open."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self

_PRECEDENCE = -15
"""As a nice value: the kernel gives such a thread 28 times the weight of a common one."""


class Watch(abc.ABC):
    """Subclasses say what they look at, until `done`."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        self._thread.join()
        self.close()

    @abc.abstractmethod
    def watch(self) -> None:
        """Look, and keep what is found. Returns when `done` is set."""

    def close(self) -> None:  # noqa: B027  # most watches opened nothing
        """Give back what was opened. Nothing, unless a subclass says so."""


@asynccontextmanager
async def watched(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """These go on in tasks of their own for the time of the block, and see what they watch when it happens."""
    with _first_in_line():
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


@contextmanager
def _first_in_line() -> Iterator[None]:
    """Let this thread wait for no processor. Needs root.

    Who measures milliseconds on the machine that it measures is last in line otherwise: the embedded cluster's groups
    weigh eight times a process beside them (dev/cluster/start.py), and three milliseconds of its own waiting were in
    every figure.
    """
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, _PRECEDENCE)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)
