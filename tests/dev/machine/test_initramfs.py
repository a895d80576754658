"""The archive that the kernel unpacks: every file with its content, its mode and its time."""

import io
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

from dev.machine.initramfs import WORK, Archive


@dataclass
class Found:
    mode: int
    time: int
    data: bytes
    device: tuple[int, int]


def unpacked(archive: bytes) -> dict[str, Found]:
    """By the description of the format: thirteen numbers of eight digits, a name, content; each padded to 4."""
    members: dict[str, Found] = {}
    at = 0
    while at < len(archive):
        assert archive[at : at + 6] == b"070701", at
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        begin = at + 110
        name = archive[begin : begin + fields[11] - 1].decode()
        begin += fields[11] + -(begin + fields[11]) % 4
        members[name] = Found(fields[1], fields[5], archive[begin : begin + fields[6]], (fields[9], fields[10]))
        at = begin + fields[6] + -fields[6] % 4
    return members


def test_a_tar_file_arrives_whole(tmp_path: Path) -> None:
    source = tmp_path / "root.tar"
    with tarfile.open(source, "w") as archive:
        for member, data in (
            (_member("./bin", tarfile.DIRTYPE, mode=0o755), b""),
            (_member("./bin/one", mode=0o755, mtime=1_700_000_000), b"12345"),
            (_member("./bin/two", tarfile.LNKTYPE, linkname="./bin/one", mode=0o755), b""),
            (_member("./link", tarfile.SYMTYPE, linkname="bin/one", mode=0o777), b""),
            (_member("./console", tarfile.CHRTYPE, devmajor=5, devminor=1, mode=0o600), b""),
            (_member("./pipe", tarfile.FIFOTYPE), b""),
        ):
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    output = io.BytesIO()
    made = Archive(output)
    made.tar(source)
    made.close()
    members = unpacked(output.getvalue())
    assert set(members) == {"bin", "bin/one", "bin/two", "link", "console", "TRAILER!!!"}
    assert stat.S_ISDIR(members["bin"].mode)
    assert members["bin/one"] == Found(stat.S_IFREG | 0o755, 1_700_000_000, b"12345", (0, 0))
    assert members["bin/two"].data == b"12345", "a second name of a file is a copy"
    assert (stat.S_ISLNK(members["link"].mode), members["link"].data) == (True, b"bin/one")
    assert (stat.S_ISCHR(members["console"].mode), members["console"].device) == (True, (5, 1))


def test_a_tree_keeps_its_times_and_has_its_folders(tmp_path: Path) -> None:
    file = tmp_path / "tests" / "agent" / "wire.py"
    file.parent.mkdir(parents=True)
    file.write_text("pass\n")
    output = io.BytesIO()
    Archive(output).tree(tmp_path, [file])
    members = unpacked(output.getvalue())
    assert list(members) == [WORK, f"{WORK}/tests", f"{WORK}/tests/agent", f"{WORK}/tests/agent/wire.py"]
    assert members[f"{WORK}/tests/agent/wire.py"].data == b"pass\n"
    assert members[f"{WORK}/tests/agent/wire.py"].time == int(file.stat().st_mtime)


def _member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    for field, value in fields.items():
        setattr(member, field, value)
    return member
