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

_REAL_TIME = 1
"""The least of the real-time priorities: it goes before every common thread, and the kernel's own go before it."""


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

    Who measures milliseconds on the machine that it measures is in line otherwise, and its weight (nice) does not help:
    the kernel keeps what it owes to each group that did not get its share, and pays these debts first. With a weight of
    28 this thread still waited 24 ms to read what had come (sched_switch, between a status that was written 8 ms after
    the kill and its time stamp).
    """
    usual = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_REAL_TIME))
    try:
        yield
    finally:
        os.sched_setscheduler(0, usual, os.sched_param(0))
