"""An environment with aiortc, for bench/crowd.py alone: it brings PyAV, 104 MB that nothing else here needs."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from dev.cluster import commands, lock, paths, progress

VERSION = "1.16.0"
_AS_HERE = ("aiohttp", "livekit-protocol", "protobuf")
"""What both need: in the same version, so that the comparison is of aiortc."""


def ensure() -> Path:
    """Its Python, in the cache. It is installed now if it is not there. Raises CommandError where it cannot be had."""
    folder = paths.cache() / f"aiortc-{VERSION}"
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    with lock.held("aiortc"):
        if not stamp.exists():
            requirements = [f"aiortc=={VERSION}", *(f"{name}=={version(name)}" for name in _AS_HERE)]
            with progress.step(f"Installing aiortc {VERSION} into {folder} (first use)"):
                log = paths.logs() / "aiortc.log"
                commands.run_logged([sys.executable, "-m", "venv", "--clear", str(folder)], log)
                pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--only-binary=:all:"]
                commands.run_logged([*pip, *requirements], log)
            stamp.touch()
    return python
