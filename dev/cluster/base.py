"""The Debian base of our images where no registry is asked: mmdebstrap makes it from Debian's archive."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dev.cluster import commands, packages, paths, progress

SUITE = "bookworm"
INCLUDED = ("usr-is-merged", "ca-certificates", "libnftables1", "libopus0", "python3", "python3-venv")
"""usr-is-merged keeps usrmerge and with it 46 MB of Perl out. python3-venv brings pip as a wheel. The agent loads
libnftables1, and a crowd libopus0: they are here so that no later build asks Debian's archive for them."""

EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"


def key() -> str:
    """A hash of what decides the base's content, but for the packages' versions: these stay as first fetched."""
    return hashlib.sha256(repr((SUITE, INCLUDED, EXCLUDED)).encode()).hexdigest()[:12]


def ensure() -> Path:
    """The base as a tar file of its root file system. It is made now if the cache does not have it."""
    archive = paths.cache() / "base" / f"{SUITE}-{key()}.tar"
    if not archive.exists():
        packages.ensure(packages.TO_BUILD_IMAGES)
        with progress.step("Making the Debian base of the images (about 30 s)"):
            make(archive, INCLUDED, log="base")
    return archive


def make(archive: Path, included: Iterable[str], *options: str, log: str, env: Mapping[str, str] | None = None) -> None:
    """Have mmdebstrap write a root file system with these packages as a tar file. `env` is what its hooks see."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(f".{os.getpid()}.tar")
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--hook-dir={MERGED_USR}",
        f"--include={','.join(included)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        *options,
        SUITE,
        str(unfinished),
        *mirrors(Path("/etc/apt")),
    ]
    commands.run_logged(commands.tied(commands.isolated(command)), paths.logs() / f"{log}.log", env=env)
    unfinished.rename(archive)


def mirrors(apt: Path) -> list[str]:
    """The machine's own sources for the suite, as files for mmdebstrap. None (Debian's mirror) if it has no such."""
    candidates = [apt / "sources.list.d" / "debian.sources", apt / "sources.list"]
    return [str(path) for path in candidates if path.exists() and SUITE in path.read_text()][:1]
