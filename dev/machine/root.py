"""The machine's kernel and root file system: Debian's, with the Python packages that the agent's tests load."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import base, errors, lock, packages, paths, progress, wheels
from dev.cluster.packages import Need
from dev.machine.initramfs import Archive

INCLUDED = ("iproute2", "kmod", "libnftables1", "nftables", "python3", "python3-venv", "usr-is-merged")
PYTHON_PACKAGES = (
    "annotated-types",
    "hypothesis",
    "iniconfig",
    "packaging",
    "pluggy",
    "pydantic",
    "pydantic-core",
    "pygments",
    "pyroute2",
    "pytest",
    "pytest-asyncio",
    "sortedcontainers",
    "structlog",
    "typing-extensions",
    "typing-inspection",
)
"""What the tests of the agent's core import, at the locked versions: the rest would only have to be unpacked."""

HOOK = Path(__file__).with_name("customize.sh")
REQUIREMENTS = paths.PROJECT / "requirements-dev.txt"


@dataclass(frozen=True, slots=True)
class Root:
    """What a machine boots from: its kernel, and its root file system as an initramfs."""

    kernel: Path
    archive: Path


def ensure() -> Root:
    """Both from the cache. They are made now if it does not have them. The kernel's version stays as first fetched."""
    locked = excerpt(REQUIREMENTS.read_text(), PYTHON_PACKAGES)
    folder = paths.cache() / "machine" / key(locked)
    root = Root(folder / "vmlinuz", folder / "root.cpio")
    if root.archive.exists():
        return root
    if os.uname().machine != "x86_64":
        raise errors.MissingError("the virtual machine is made for x86-64 only: run this on such a machine")
    if os.geteuid() != 0:
        raise errors.MissingError("making a root file system needs root: run it with sudo")
    packages.ensure((*packages.TO_MAKE_ROOTS, Need("setpriv", "util-linux")))
    with lock.held("machine"), progress.step("Making a Debian with its kernel for the virtual machine (about 60 s)"):
        if not root.archive.exists():
            _make(root, locked)
    return root


def excerpt(requirements: str, names: tuple[str, ...]) -> str:
    """The lines of these packages in a locked list, hashes and all. Raises MissingError for one that is not there."""
    blocks = re.split(r"\n(?=[a-z0-9])", requirements)
    by_name = {block.split("==")[0]: block.rstrip("\n") for block in blocks if "==" in block}
    lacking = [name for name in names if name not in by_name]
    if lacking:
        raise errors.MissingError(f"{REQUIREMENTS.name} has no {', '.join(lacking)}: run `make lock`")
    return "".join(f"{by_name[name]}\n" for name in names)


def key(locked: str) -> str:
    """A hash of what decides the content, but for the versions of Debian's packages."""
    inputs = (base.SUITE, INCLUDED, base.EXCLUDED, HOOK.read_bytes(), locked)
    return hashlib.sha256(repr(inputs).encode()).hexdigest()[:12]


def _make(root: Root, locked: str) -> None:
    folder = root.archive.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    requirements = folder / "requirements-machine.txt"
    requirements.write_text(locked)
    tar = folder / "root.tar"
    given = {"WHEELS": str(wheels.fetch(requirements))}
    base.make(tar, INCLUDED, f"--customize-hook={HOOK}", log="machine", env=given)
    with tarfile.open(tar) as archive:
        kernel = archive.extractfile("./boot/vmlinuz")
        assert kernel is not None
        root.kernel.write_bytes(kernel.read())
    unfinished = root.archive.with_suffix(".unfinished")
    with unfinished.open("wb") as output:
        Archive(output).tar(tar)
    tar.unlink()
    unfinished.rename(root.archive)
