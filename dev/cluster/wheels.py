"""The Python packages of the images, as wheels: fetched once into the cache by the project's hash-locked lists."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from dev.cluster import commands, paths, progress

IMAGE_PYTHON = "3.11"
"""Debian bookworm's."""

NEWEST_GLIBC = 36
"""Debian bookworm's is 2.36: wheels for up to that one run there."""


def fetch(requirements: Path) -> Path:
    """A folder with a wheel for each line of the list. It is fetched now if the cache does not have it.

    Where from is the business of this machine's pip configuration. The hashes in the list decide what is accepted.
    """
    folder = paths.cache() / "wheels" / f"{requirements.stem}-{_key(requirements)}"
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", f"--dest={unfinished}"]
    with progress.step(f"Fetching the Python packages of {requirements.name}"):
        log = paths.logs() / f"wheels-{requirements.stem}.log"
        commands.run_logged(commands.tied([*command, *platform_options(), f"--requirement={requirements}"]), log)
    unfinished.rename(folder)
    return folder


def build_project(destination: Path) -> Path:
    """Build the project's own wheel into the folder, without any network: hatchling comes with the `dev` extra."""
    shutil.rmtree(destination, ignore_errors=True)
    destination.mkdir(parents=True)
    command = [sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={destination}"]
    with progress.step("Building the project's wheel"):
        # a fixed date in the archive: the same source gives the same wheel, and so the same image layer
        commands.run(command, cwd=paths.PROJECT, env={"SOURCE_DATE_EPOCH": "1577836800"})
    return next(destination.glob("*.whl"))


def platform_options(machine: str = os.uname().machine) -> list[str]:
    """The options of pip to choose wheels for the image's Python and C library instead of this machine's."""
    named = ["manylinux2014", "manylinux2010", "manylinux1"] if machine == "x86_64" else ["manylinux2014"]
    numbered = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC, 4, -1)]
    platforms = [f"--platform={each}_{machine}" for each in (*numbered, *named, "linux")]
    abi = f"cp{IMAGE_PYTHON.replace('.', '')}"
    python = [f"--python-version={IMAGE_PYTHON}", "--implementation=cp"]
    return ["--only-binary=:all:", *python, f"--abi={abi}", "--abi=abi3", "--abi=none", *platforms]


def _key(requirements: Path) -> str:
    options = " ".join(platform_options())
    return hashlib.sha256(requirements.read_bytes() + options.encode()).hexdigest()[:12]
