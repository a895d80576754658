"""Show what takes longer than two seconds: what it is doing now, and for how long already."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.text import Text

QUIET_SECONDS = 2.0
HEARTBEAT_SECONDS = 20.0
"""How often a line appears where the output is no terminal (a CI log)."""

console = Console(stderr=True, highlight=False)


_open: list[Step] = []
"""The steps under way, the outermost first. Only that one draws. It shows what the innermost one does."""


class Step:
    """One step of a longer work. It stays silent when it ends within two seconds."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, detail: str) -> None:
        """What the step is doing now, e.g. "1200 of 3000 packages"."""
        self.detail = detail

    def line(self) -> str:
        """The step as one line: title, detail, seconds."""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.title}{detail} ({self._seconds():.0f} s)"

    def __enter__(self) -> Step:
        if not _open:
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        _open.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _open.remove(self)
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if kind is not None:
            note(f"✗ {self.line()}")
        elif self._seconds() > QUIET_SECONDS:
            self.detail = ""
            note(f"✓ {self.line()}")

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _show(self) -> None:
        if self._done.wait(QUIET_SECONDS):
            return
        if console.is_terminal:
            self._animate()
        else:
            self._beat()

    def _animate(self) -> None:
        with Status(Text(_innermost()), console=console) as status:
            while not self._done.wait(0.25):
                status.update(Text(_innermost()))

    def _beat(self) -> None:
        note(f"… {_innermost()}")
        while not self._done.wait(HEARTBEAT_SECONDS):
            note(f"… {_innermost()}")


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show a step while the block runs."""
    with Step(title) as shown:
        yield shown


def note(text: str) -> None:
    """One line for the person who watches."""
    console.print(text, markup=False, soft_wrap=True)


def _innermost() -> str:
    return _open[-1].line() if _open else ""
