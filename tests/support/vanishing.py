"""Folders that go between two looks, as a cgroup does whose pod ends."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest


def vanish_when_read(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Remove that folder at the moment in which somebody who has seen its name lists it.

    The kernel removes a cgroup at a moment that no test can choose: so it is done in scandir(3), where it hits.
    """
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if str(path) == str(folder):  # rmtree itself comes with a descriptor
            shutil.rmtree(folder, ignore_errors=True)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
