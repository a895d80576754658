"""Who builds images from Dockerfiles: docker or nerdctl where one answers, else buildah on a base of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from dev.cluster import base, commands, packages, paths, progress

PUBLIC_BASE = "debian:bookworm-slim"
ANSWER_SECONDS = 10
LARGEST_STORE_GB = 8
"""Above it buildah's store is emptied. The next build takes a minute instead of three seconds."""

_CONFIGURATION = """\
[network]
network_config_dir = "{store}/networks"
"""


class Engine(Protocol):
    """Builds images and puts them into a folder from which nodes are filled."""

    name: str

    def base(self) -> str:
        """The Debian image that the Dockerfiles start from."""

    def base_key(self) -> str:
        """What tells one base from another."""

    def build(self, dockerfile: Path, context: Path, reference: str, arguments: Mapping[str, str], target: str) -> None:
        """Build an image of that name: the Dockerfile's stage `target`, or its last."""

    def export(self, reference: str, layout: Path) -> None:
        """Put the image into an OCI layout."""

    def forget(self, reference: str) -> None:
        """Drop an image that nobody will ask for again."""


class Docker:
    """docker, or nerdctl, which takes the same arguments."""

    def __init__(self, name: str) -> None:
        self.name = name

    def base(self) -> str:
        """The public Debian image."""
        return PUBLIC_BASE

    def base_key(self) -> str:
        """Its name: what it holds is the registry's matter."""
        return PUBLIC_BASE

    def build(self, dockerfile: Path, context: Path, reference: str, arguments: Mapping[str, str], target: str) -> None:
        """Build with BuildKit, which the Dockerfiles' mounts need."""
        options = _build_options(arguments, target)
        command = [self.name, "build", f"--tag={reference}", f"--file={dockerfile}", *options, str(context)]
        commands.run_logged(commands.tied(command), _log(reference), env={"DOCKER_BUILDKIT": "1"})

    def has(self, reference: str) -> bool:
        """Whether it has an image of that name."""
        return commands.succeeds([self.name, "image", "inspect", reference])

    def push(self, reference: str, to: str) -> None:
        """Push an image under another name."""
        commands.run([self.name, "tag", reference, to])
        commands.run_logged(commands.tied([self.name, "push", to]), _log(reference))

    def export(self, reference: str, layout: Path) -> None:
        """Through a docker archive, which both engines write."""
        packages.ensure(packages.TO_COPY_IMAGES)
        with tempfile.TemporaryDirectory(dir=paths.cache()) as folder:
            archive = Path(folder) / "image.tar"
            commands.run([self.name, "save", f"--output={archive}", reference])
            commands.run(_copy(f"docker-archive:{archive}", layout, reference))

    def forget(self, reference: str) -> None:
        """Drop the name. The engine shares layers as it likes."""
        commands.run([self.name, "image", "rm", reference])


class Buildah:
    """buildah with a store of its own, so that it neither sees nor changes the images of the machine's user.

    Each call has mounts of its own: what its storage driver mounts goes when it ends, however it ends.
    """

    name = "buildah"

    def __init__(self) -> None:
        self._store = paths.cache() / "containers"

    def base(self) -> str:
        """Our own base, imported now if the store does not have it."""
        reference = f"showstopper.local/debian:{base.key()}"
        if commands.succeeds(self._command("inspect", "--type=image", reference), env=self._environment()):
            return reference
        archive = base.ensure()
        container = self._run("from", "scratch").strip()
        try:
            self._run("add", "--quiet", container, str(archive), "/")
            self._run("commit", "--quiet", container, reference)
        finally:
            self._run("rm", container)
        return reference

    def base_key(self) -> str:
        """The hash of how it is made."""
        return base.key()

    def build(self, dockerfile: Path, context: Path, reference: str, arguments: Mapping[str, str], target: str) -> None:
        """Build with cached layers, in a chroot: it needs no more rights than the supervisor has."""
        options = _build_options(arguments, target)
        build = ["build", "--layers", "--pull-never", f"--tag={reference}", f"--file={dockerfile}", *options]
        commands.run_logged(
            commands.tied(self._command(*build, str(context))), _log(reference), env=self._environment()
        )

    def export(self, reference: str, layout: Path) -> None:
        """With skopeo: buildah's own push compresses all layers each time, which takes longer than the build."""
        source = f"containers-storage:[overlay@{self._store / 'store'}+{self._store / 'run'}]{reference}"
        commands.run(commands.isolated(_copy(source, layout, reference)), env=self._environment())

    def forget(self, reference: str) -> None:
        """Drop the image, but not what was built on the way to it: that is the cache, until it grows too big."""
        if commands.succeeds(self._command("inspect", "--type=image", reference), env=self._environment()):
            self._run("rmi", reference)
        if int(commands.run(["du", "--summarize", "--block-size=1G", str(self._store)]).split()[0]) > LARGEST_STORE_GB:
            shutil.rmtree(self._store)

    def _run(self, *arguments: str) -> str:
        return commands.run(self._command(*arguments), env=self._environment())

    def _command(self, *arguments: str) -> list[str]:
        store = [f"--root={self._store / 'store'}", f"--runroot={self._store / 'run'}"]
        return commands.isolated(["buildah", *store, *arguments])

    def _environment(self) -> dict[str, str]:
        temporary = self._store / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        configuration = self._store / "containers.conf"
        configuration.write_text(_CONFIGURATION.format(store=self._store))
        return {
            "STORAGE_DRIVER": "overlay",
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_CONF": str(configuration),
            "TMPDIR": str(temporary),
        }


@cache
def find() -> Engine:
    """The engine of this machine. SHOWSTOPPER_ENGINE names one on purpose: docker, nerdctl or buildah."""
    wanted = os.environ.get("SHOWSTOPPER_ENGINE")
    for name in ("docker", "nerdctl"):
        if wanted == name or (wanted is None and answers(name)):
            return Docker(name)
    packages.ensure(packages.TO_BUILD_IMAGES)
    return Buildah()


def answers(name: str) -> bool:
    """Whether the engine's daemon answers, not only its client."""
    if shutil.which(name) is None:
        return False
    with progress.step(f"Asking whether {name} answers"):
        try:
            asked = subprocess.run([name, "info"], check=False, capture_output=True, timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            return False
    return asked.returncode == 0


def _build_options(arguments: Mapping[str, str], target: str) -> list[str]:
    named = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    return [*named, f"--target={target}"] if target else named


def _copy(source: str, layout: Path, reference: str) -> list[str]:
    return ["skopeo", "copy", "--quiet", "--dest-oci-accept-uncompressed-layers", source, f"oci:{layout}:{reference}"]


def _log(reference: str) -> Path:
    return paths.logs() / f"image-{reference.rpartition('/')[2].partition(':')[0]}.log"
