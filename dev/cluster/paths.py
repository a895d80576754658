"""Where the embedded cluster keeps its files.

Three places with three lives: the cache outlives everything (builds, wheels, image stores), the logs outlive the
cluster, and the run folder lives exactly as long as the cluster does.
"""

from __future__ import annotations

import os
from pathlib import Path

from dev.cluster import addresses

PROJECT = Path(__file__).resolve().parents[2]
"""The root of the source tree."""

RUN = Path("/run/showstopper")
"""Sockets, keys, etcd's data and the ledger of a running cluster. Short: a socket path may have 107 characters."""


def cache() -> Path:
    """The cache folder: ``SHOWSTOPPER_CACHE``, else ``showstopper`` in the user's cache folder."""
    named = os.environ.get("SHOWSTOPPER_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "showstopper"


def logs() -> Path:
    """The folder of the log files of builds and components. Made if it is not there."""
    folder = cache() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kubeconfig() -> Path:
    """The administrator's kubeconfig of the running cluster."""
    return RUN / "admin.kubeconfig"


def client_environment(kubeconfig_file: Path) -> dict[str, str]:
    """What clients need in their environment: this cluster, reached without any proxy of the user's.

    Go's clients understand a range. Python's take only whole addresses, so the API server's stands there too.
    """
    others = [os.environ[name] for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)]
    direct = ",".join([*others[:1], "127.0.0.1", "localhost", addresses.RANGE, addresses.CONTROL_PLANE])
    return {"KUBECONFIG": str(kubeconfig_file), "NO_PROXY": direct, "no_proxy": direct}
