"""The folder with our images as an OCI image layout, and streams of it that hold only what a node lacks.

Layers are stored uncompressed under their digests, so an image that differs in its last layer adds only that one.
Format: https://github.com/opencontainers/image-spec/blob/v1.0.2/image-layout.md
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import IO, Any

REFERENCE = "org.opencontainers.image.ref.name"


def references(layout: Path) -> list[str]:
    """The names of the images in the layout, oldest first."""
    return [entry["annotations"][REFERENCE] for entry in _index(layout)["manifests"] if REFERENCE in _notes(entry)]


def digests(layout: Path, reference: str) -> list[str]:
    """The digests of an image's manifest, configuration and layers. Raises KeyError when it is not there."""
    entry = _entry(layout, reference)
    manifest = json.loads(_blob(layout, entry["digest"]).read_text())
    return [entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def write_tar(layout: Path, reference: str, output: IO[bytes], having: Collection[str] = ()) -> None:
    """Write one image as an OCI archive, without the blobs that the reader has already."""
    index = {"schemaVersion": 2, "manifests": [_entry(layout, reference)]}
    with tarfile.open(fileobj=output, mode="w|") as archive:
        _add(archive, "oci-layout", (layout / "oci-layout").read_bytes())
        _add(archive, "index.json", json.dumps(index).encode())
        for digest in dict.fromkeys(digests(layout, reference)):
            if digest not in having:
                file = _blob(layout, digest)
                archive.add(file, arcname=str(file.relative_to(layout)))


def keep(layout: Path, kept: Callable[[list[str]], Iterable[str]]) -> list[str]:
    """Forget all images but those that `kept` chooses from all names, with the blobs that only they had.

    The names of the forgotten ones.
    """
    names = references(layout)
    staying = set(kept(names))
    index = _index(layout)
    index["manifests"] = [entry for entry in index["manifests"] if _notes(entry).get(REFERENCE) in staying]
    (layout / "index.json").write_text(json.dumps(index))
    needed = {digest for name in references(layout) for digest in digests(layout, name)}
    for file in (layout / "blobs").glob("*/*"):
        if f"{file.parent.name}:{file.name}" not in needed:
            file.unlink()
    return [name for name in names if name not in staying]


def _index(layout: Path) -> dict[str, Any]:
    file = layout / "index.json"
    if not file.exists():
        return {"schemaVersion": 2, "manifests": []}
    index: dict[str, Any] = json.loads(file.read_text())
    return index


def _entry(layout: Path, reference: str) -> dict[str, Any]:
    for entry in reversed(_index(layout)["manifests"]):
        if _notes(entry).get(REFERENCE) == reference:
            manifest: dict[str, Any] = entry
            return manifest
    raise KeyError(reference)


def _notes(entry: dict[str, Any]) -> dict[str, str]:
    return entry.get("annotations") or {}


def _blob(layout: Path, digest: str) -> Path:
    algorithm, _, value = digest.partition(":")
    return layout / "blobs" / algorithm / value


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
