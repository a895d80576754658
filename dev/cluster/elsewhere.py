"""Clusters that are not ours: a context that the user names, and kind. The same charts and images run there.

Only named on purpose (SHOWSTOPPER_CONTEXT), or made by us (kind): never the current context by accident.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from dev.cluster import builds, commands, engine, errors, images, paths, progress

KIND_NAME = "showstopper"
KIND_CONFIG = Path(__file__).parent / "manifests" / "kind.yaml"
PUBLIC = {"livekit": "docker.io/livekit/livekit-server:v1.13.5", "redis": "docker.io/library/redis:7-bookworm"}
"""Where a registry can be asked, what others build is not built again."""


class Where(StrEnum):
    """Which cluster is used."""

    CONTEXT = "context"
    KIND = "kind"
    EMBEDDED = "embedded"


def choose(environment: Mapping[str, str], *, has_kind: bool) -> Where:
    """A named context, else what SHOWSTOPPER_CLUSTER says, else kind where it can run, else the embedded cluster."""
    if environment.get("SHOWSTOPPER_CONTEXT"):
        return Where.CONTEXT
    wanted = environment.get("SHOWSTOPPER_CLUSTER", "")
    if not wanted:
        return Where.KIND if has_kind else Where.EMBEDDED
    if wanted in {Where.KIND, Where.EMBEDDED}:
        return Where(wanted)
    raise errors.MissingError(f"SHOWSTOPPER_CLUSTER is {wanted!r}: it may be kind or embedded")


def find() -> Where:
    """Which cluster is used on this machine now."""
    return choose(os.environ, has_kind=shutil.which("kind") is not None and engine.answers("docker"))


def client(name: str) -> Path:
    """Kubectl or helm: the machine's own, else the one that is built with the embedded cluster."""
    path = shutil.which(name)
    return Path(path) if path else builds.ensure(builds.CLUSTER).with_name(name)


def kind_up() -> Path:
    """Have a kind cluster of two nodes. The path of its kubeconfig."""
    kubeconfig = paths.cache() / "kind.kubeconfig"
    if KIND_NAME not in commands.run(["kind", "get", "clusters"]).split():
        create = ["kind", "create", "cluster", f"--name={KIND_NAME}", f"--config={KIND_CONFIG}", "--wait=180s"]
        with progress.step("Creating a kind cluster"):
            commands.run_logged([*create, f"--kubeconfig={kubeconfig}"], paths.logs() / "kind.log")
    else:
        commands.run(["kind", "export", "kubeconfig", f"--name={KIND_NAME}", f"--kubeconfig={kubeconfig}"])
    return kubeconfig


def kind_down() -> None:
    """Delete our kind cluster."""
    with progress.step("Deleting the kind cluster"):
        commands.run(["kind", "delete", "cluster", f"--name={KIND_NAME}"])


def kind_images() -> dict[str, str]:
    """Our images, built by docker and loaded into kind's nodes, and the public ones for the rest."""
    docker = engine.Docker("docker")
    references = dict(PUBLIC)
    for recipe in (images.CONTROL, images.AUDIO):
        image = images.ensure_in(docker, recipe)
        with progress.step(f"Loading {image.reference} into the nodes"):
            commands.run(["kind", "load", "docker-image", f"--name={KIND_NAME}", image.reference])
        references[image.name] = image.reference
    return references


def context_kubeconfig(name: str) -> Path:
    """A kubeconfig with this context alone, so that nothing can reach another one."""
    only = ["config", "view", "--raw", "--minify", "--flatten", f"--context={name}"]
    text = commands.run([str(client("kubectl")), *only])
    kubeconfig = paths.cache() / "context.kubeconfig"
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(text)
    return kubeconfig


def context_images(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Our images, pushed to the registry that SHOWSTOPPER_REGISTRY names, and the public ones for the rest."""
    registry = environment.get("SHOWSTOPPER_REGISTRY", "").rstrip("/")
    if not registry:
        raise errors.MissingError(
            "the nodes of the named context must be able to pull our images: name a registry to push them to in"
            " SHOWSTOPPER_REGISTRY, such as registry.example.org/showstopper"
        )
    builder = engine.find()
    if not isinstance(builder, engine.Docker):
        raise errors.MissingError("pushing images to a registry needs docker or nerdctl: start one of them")
    references = dict(PUBLIC)
    for recipe in (images.CONTROL, images.AUDIO):
        image = images.ensure_in(builder, recipe)
        references[image.name] = f"{registry}/{image.name}:{image.tag}"
        with progress.step(f"Pushing {references[image.name]}"):
            builder.push(image.reference, references[image.name])
    return references
