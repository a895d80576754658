"""An initramfs: the archive that the kernel unpacks into memory as its root file system (cpio, format "newc")."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.AREGTYPE: stat.S_IFREG,
    tarfile.LNKTYPE: stat.S_IFREG,  # a second name of a file: here a second copy
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
}
_END = "TRAILER!!!"
WORK = "work"
"""The folder that a tree is put into."""


class Archive:
    """Writes entries one after the other. Several archives in a row are one: later entries replace earlier ones.

    Kernel: Documentation/driver-api/early-userspace/buffer-format.rst.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._number = 0

    def tar(self, path: Path) -> None:
        """All that a tar file holds, but for kinds of files that a root file system in memory has no use for."""
        with tarfile.open(path) as archive:
            for member in archive:
                kind = _KINDS.get(member.type)
                if kind is None:
                    continue
                content = archive.extractfile(member) if kind == stat.S_IFREG else None
                data = content.read() if content else member.linkname.encode() if member.issym() else b""
                device = (member.devmajor, member.devminor) if member.ischr() else (0, 0)
                self.entry(member.name, kind | member.mode, data, time=int(member.mtime), device=device)

    def tree(self, root: Path, files: Iterable[Path]) -> None:
        """Files below a folder, under the same names below the archive's folder `WORK`."""
        names = {path.relative_to(root) for path in files}
        folders = {parent for name in names for parent in name.parents}
        for folder in sorted(folders):
            self.entry(str(Path(WORK, folder)), stat.S_IFDIR | 0o755)
        for name in sorted(names):
            path = root / name
            self.entry(f"{WORK}/{name}", stat.S_IFREG | 0o644, path.read_bytes(), time=int(path.stat().st_mtime))

    def entry(
        self, name: str, mode: int, data: bytes = b"", *, time: int = 0, device: tuple[int, int] = (0, 0)
    ) -> None:
        """One file, folder, link or device. Everything belongs to root.

        The time matters: by it Python tells whether a compiled module is still that of its source.
        """
        self._number += 1
        encoded = name.removeprefix("./").encode() + b"\0"
        fields = (self._number, mode, 0, 0, 1, time, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        self._output.write(_padded(header + encoded))
        self._output.write(_padded(data))

    def close(self) -> None:
        """Say that this was all."""
        self.entry(_END, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
