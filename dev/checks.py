"""Every check, in the order of the README, with the time of each: `make test`. Leaves nothing running.

Some stages measure, and mostly wait: packets between namespaces, sound through LiveKit. Others only compute. A stage
of the second sort runs behind one of the first, at the lowest priority: it takes the processors that the first leaves
idle, and cannot make it late. What it prints is shown when both are over.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from dev import stage
from dev.cluster import endings

# Each stage is a target of the Makefile; those after the first of a row run behind it.
STAGES = (
    ("lint",),
    ("types",),
    ("layers",),
    ("unit",),
    ("netns", "apiserver"),
    ("livekit", "postgresql"),
    ("charts", "browser"),
    ("e2e",),
)
LOGS = Path("build/checks")
LEAST_PRIORITY = ("nice", "-n", "19")


class Behind:
    """A stage that runs behind another one, and writes to a file meanwhile."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        self._began = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [*LEAST_PRIORITY, "make", name], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Behind:
        print(f"== make {self.name} runs behind it, and writes to {self.log}", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running, whatever ended the stage before it."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def finish(self) -> int:
        code = self._process.wait()
        print(f"== make {self.name}", flush=True)
        print(self.log.read_text(errors="replace"), end="")
        _over(self.name, self._began)
        return code


def run(row: tuple[str, ...]) -> int:
    """Run the stages of a row.

    Returns:
        The exit code of the first stage that failed, or 0.
    """
    first, *others = row
    began = time.monotonic()
    print(f"== make {first}", flush=True)
    with ExitStack() as stack:
        behind = [stack.enter_context(Behind(name)) for name in others]
        code = subprocess.run(["make", first], check=False).returncode
        _over(first, began)
        if code:
            return code
        return next((code for stage_behind in behind if (code := stage_behind.finish())), 0)


def _over(name: str, began: float) -> None:
    print(f"== make {name} took {time.monotonic() - began:.0f} s", flush=True)


def everything() -> int:
    """Run all rows until one fails.

    Returns:
        The exit code of the first stage that failed, or 0.
    """
    began = time.monotonic()
    try:
        code = next((code for row in STAGES if (code := run(row))), 0)
    finally:
        stage.down()
    _over("test", began)
    return code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an end like any other: nothing is left
    sys.exit(endings.run(everything))
