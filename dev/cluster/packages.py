"""The programs that the cluster takes from the distribution: on Debian they are installed, elsewhere they are named."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands, errors, launch, paths, progress

APT_LISTS = Path("/var/lib/apt/lists")
SYSTEMD = Path("/run/systemd/system")

PATIENCE = ("-o", "DPkg::Lock::Timeout=600")
"""Another apt-get is waited for: a fresh machine upgrades itself when somebody first logs in."""


@dataclass(frozen=True, slots=True)
class Need:
    """A program, or an absolute path, and the Debian package that has it."""

    program: str
    package: str


TO_RUN = (
    Need("containerd", "containerd"),
    Need("ctr", "containerd"),
    Need("runc", "runc"),
    Need("/usr/lib/cni/bridge", "containernetworking-plugins"),
    Need("iptables", "iptables"),
    Need("conntrack", "conntrack"),
    Need("nft", "nftables"),
    Need("ip", "iproute2"),
    Need("nsenter", "util-linux"),
    Need("setpriv", "util-linux"),
    Need("unshare", "util-linux"),
    Need("mount", "mount"),
)
"""What `up` needs. (kube-proxy calls iptables and conntrack.)"""

TO_COPY_IMAGES = (Need("skopeo", "skopeo"),)
"""What putting built images into nodes needs."""

TO_MAKE_ROOTS = (
    Need("mmdebstrap", "mmdebstrap"),
    Need("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
)
"""What making a Debian root file system needs."""

TO_BUILD_IMAGES = (*TO_COPY_IMAGES, Need("buildah", "buildah"), *TO_MAKE_ROOTS)
"""What building images needs where no container engine answers."""


def ensure(needs: tuple[Need, ...]) -> None:
    """Have all of it: install on Debian what is missing, saying which packages. Elsewhere raise MissingError."""
    lacking = missing(needs)
    if not lacking:
        return
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        programs = ", ".join(need.program for need in lacking)
        raise errors.MissingError(
            f"missing: {programs}; install them with this system's package manager"
            f" (on Debian they are in: {', '.join(names(lacking))})"
        )
    _install(names(lacking))
    still = missing(needs)
    if still:
        raise errors.MissingError(
            f"{', '.join(need.program for need in still)} still missing after installing {', '.join(names(still))}"
        )


def missing(needs: tuple[Need, ...]) -> list[Need]:
    """Those that this machine lacks."""
    return [need for need in needs if not _is_here(need.program)]


def names(needs: list[Need]) -> list[str]:
    """The packages that have these programs, each once."""
    return sorted({need.package for need in needs})


def _is_here(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{launch.ENVIRONMENT['PATH']}") is not None


def _install(packages: list[str]) -> None:
    progress.note(f"Installing Debian packages: {' '.join(packages)}")
    log = paths.logs() / "apt.log"
    install = ["apt-get", *PATIENCE, "install", "--yes", "--no-install-recommends", "--no-remove", *packages]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    with progress.step("Installing Debian packages") as step:
        if not any(APT_LISTS.glob("*_Packages*")):
            _update(step, log)
        try:
            commands.run_logged(install, log, env=environment)
        except errors.CommandError:  # the lists may be older than what the mirror still has
            _update(step, log)
            commands.run_logged(install, log, env=environment)
    if "containerd" in packages and SYSTEMD.is_dir():
        # it came with our install: without this it would run now and at each boot
        commands.run(["systemctl", "disable", "--now", "containerd.service"])


def _update(step: progress.Step, log: Path) -> None:
    step.say("fetching the package lists")
    commands.run_logged(["apt-get", *PATIENCE, "update"], log)
    step.say("")
