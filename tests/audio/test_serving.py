"""How a process of the room ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESS = """
import atexit
from showstopper.audio import serving
from showstopper.errors import SettingsError

atexit.register(print, "interpreter ends")

async def work():
    atexit.register(print, "SDK closed")
    {}

serving.run(work())
"""


def ends(work: str) -> tuple[int, list[str]]:
    """The exit code of a process with that work, and what it printed."""
    process = subprocess.run([sys.executable, "-c", PROCESS.format(work)], capture_output=True, text=True, check=False)
    return process.returncode, process.stdout.splitlines()


def test_it_ends_when_the_sdk_is_closed_and_before_the_interpreter_is_taken_down() -> None:
    assert ends("pass") == (0, ["SDK closed"])


def test_no_collection_of_garbage_looks_through_what_was_loaded() -> None:
    assert ends("import gc; assert gc.get_freeze_count() > 10_000 > len(gc.get_objects())") == (0, ["SDK closed"])


@pytest.mark.parametrize(("work", "code"), [("raise SettingsError('no')", 2), ("raise RuntimeError('broken')", 1)])
def test_what_fails_keeps_its_exit_code(work: str, code: int) -> None:
    assert ends(work) == (code, ["SDK closed", "interpreter ends"])
