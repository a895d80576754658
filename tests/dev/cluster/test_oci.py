"""Streams of images hold what the reader lacks, and forgetting an image keeps what others share with it."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dev.cluster import oci


def put(layout: Path, content: bytes) -> str:
    value = hashlib.sha256(content).hexdigest()
    folder = layout / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / value).write_bytes(content)
    return f"sha256:{value}"


def add(layout: Path, reference: str, *layers: bytes) -> list[str]:
    """Add an image; the digests of its layers."""
    digests = [put(layout, layer) for layer in layers]
    config = put(layout, f"config of {reference}".encode())
    manifest = {"config": {"digest": config}, "layers": [{"digest": digest} for digest in digests]}
    entry = {"digest": put(layout, json.dumps(manifest).encode()), "annotations": {oci.REFERENCE: reference}}
    file = layout / "index.json"
    index: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"schemaVersion": 2, "manifests": []}
    index["manifests"].append(entry)
    file.write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return digests


def stream(layout: Path, reference: str, having: list[str]) -> dict[str, bytes]:
    output = io.BytesIO()
    oci.write_tar(layout, reference, output, having)
    output.seek(0)
    with tarfile.open(fileobj=output) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_a_stream_holds_the_image_alone(tmp_path: Path) -> None:
    add(tmp_path, "other:1", b"other")
    (layer,) = add(tmp_path, "ours:1", b"ours")
    files = stream(tmp_path, "ours:1", [])
    assert files[f"blobs/sha256/{layer.partition(':')[2]}"] == b"ours"
    assert b"other" not in files.values()
    assert len(json.loads(files["index.json"])["manifests"]) == 1


def test_a_stream_leaves_out_what_the_reader_has(tmp_path: Path) -> None:
    base, top = add(tmp_path, "ours:1", b"base", b"top")
    names = stream(tmp_path, "ours:1", [base])
    assert f"blobs/sha256/{base.partition(':')[2]}" not in names
    assert f"blobs/sha256/{top.partition(':')[2]}" in names


def test_an_unknown_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nobody:1"):
        oci.digests(tmp_path, "nobody:1")


def test_forgetting_keeps_shared_layers(tmp_path: Path) -> None:
    base, old = add(tmp_path, "ours:1", b"base", b"old")
    add(tmp_path, "ours:2", b"base", b"new")
    assert oci.keep(tmp_path, lambda names: names[-1:]) == ["ours:1"]
    assert oci.references(tmp_path) == ["ours:2"]
    assert (tmp_path / "blobs" / base.replace(":", "/")).exists()
    assert not (tmp_path / "blobs" / old.replace(":", "/")).exists()


def test_an_empty_folder_has_no_images(tmp_path: Path) -> None:
    assert oci.references(tmp_path) == []
