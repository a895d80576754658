"""`python -m dev.machine [PYTEST ARGUMENTS]`: the agent's tests, in a machine whose kernel has netem."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from dev.cluster import endings, paths
from dev.machine import boot
from dev.machine.boot import Order

SUITE = (
    "tests/agent/kernel/test_backends.py",
    "tests/agent/network/test_losses.py",
    "tests/agent/network/test_delays.py",
    "tests/agent/network/test_effects.py",
    "tests/agent/network/test_lifting.py",
)
"""The tests of what holds packets back, and of how it ends, that need no API server."""

ENVIRONMENT = {
    "COLUMNS": "120",
    "PYTHONPATH": "/opt/packages:operator:.",
    "PYTHONUNBUFFERED": "1",
    "SHOWSTOPPER_TEST_LATE_MS": "50",
    "SHOWSTOPPER_TEST_METHOD": "netem",
    "SHOWSTOPPER_TEST_PACKETS_PER_SECOND": "500",
}
SECONDS = 3 * 3600.0
"""After which it is ended, whatever it does. A machine with two free cores needs some minutes."""


def run() -> int:
    """Pytest's exit code."""
    options = sys.argv[1:] or SUITE
    command = ["python3", "-m", "pytest", "-v", "--color=no", "-p", "no:cacheprovider", *options]
    return boot.run(Order(command, ENVIRONMENT), sources(), SECONDS)


def sources() -> Iterator[Path]:
    """The files of this tree that the tests load."""
    yield paths.PROJECT / "pyproject.toml"
    for folder in ("operator", "tests"):
        yield from sorted((paths.PROJECT / folder).rglob("*.py"))


if __name__ == "__main__":
    sys.exit(endings.run(run))
