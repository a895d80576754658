"""The image store of each node: what is in it, and getting images into it, once per node and content."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dev.cluster import addresses, commands, errors, oci, progress, start, waiting
from dev.cluster.addresses import Member
from dev.cluster.images import REGISTRY, Image, layout

SOCKET_SECONDS = 60


def load(images: Sequence[Image]) -> None:
    """Have these images on every node. Nodes load at the same time."""
    step = progress.step(f"Putting images into the nodes: {', '.join(image.name for image in images)}")
    with step, ThreadPoolExecutor(len(addresses.WORKERS)) as threads:
        for done in [threads.submit(_load_node, worker, images) for worker in addresses.WORKERS]:
            done.result()


def references(member: Member) -> set[str]:
    """The references of all images on the node."""
    return set(_ctr(member, "images", "list", "--quiet").split())


def _load_node(member: Member, images: Sequence[Image]) -> None:
    socket = start.folders(member).socket
    waiting.until(
        lambda: commands.succeeds(["ctr", f"--address={socket}", "version"]),
        f"containerd of {member.name} does not answer",
        seconds=SOCKET_SECONDS,
        log=start.log(member, "containerd"),
    )
    there = references(member)
    new = [image for image in images if image.reference not in there]
    for image in new:
        _import(member, image)
    if new:
        _forget_old(member)


def stale(digests: Mapping[str, str], kept: Collection[str], used: Collection[str]) -> list[str]:
    """The references (each with its digest) of our images that neither the cache keeps nor a container may need again.

    The kubelet's side of containerd refers to each image a second time, by its id: these references go with the names.
    """
    needed = {digests[reference] for reference in (*kept, *used) if reference in digests}
    foreign = {digest for reference, digest in digests.items() if not reference.startswith((f"{REGISTRY}/", "sha256:"))}
    return sorted(reference for reference, digest in digests.items() if digest not in needed | foreign)


def _forget_old(member: Member) -> None:
    used = _column(_ctr(member, "containers", "list"), 1)
    listed = _ctr(member, "images", "list")
    digests = dict(zip(_column(listed, 0), _column(listed, 2), strict=True))
    old = stale(digests, oci.references(layout()), used)
    if old:
        _ctr(member, "images", "remove", *old)


def _column(table: str, number: int) -> list[str]:
    return [line.split()[number] for line in table.splitlines()[1:]]


def _import(member: Member, image: Image) -> None:
    """Stream the image into the node's store, but for the blobs that it has."""
    having = set(_ctr(member, "content", "list", "--quiet").split())
    command = commands.tied(_ctr_command(member, "images", "import", "-"))
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # ctr ended early: its exit code and output say why
            oci.write_tar(layout(), image.reference, process.stdin, having)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        code = process.wait()
        output.seek(0)
        said = output.read().decode(errors="replace")
    if code != 0 or image.reference not in references(member):
        raise errors.CommandError(command, code, said)


def _ctr(member: Member, *arguments: str) -> str:
    return commands.run(_ctr_command(member, *arguments))


def _ctr_command(member: Member, *arguments: str) -> list[str]:
    return ["ctr", f"--address={start.folders(member).socket}", "--namespace=k8s.io", *arguments]
