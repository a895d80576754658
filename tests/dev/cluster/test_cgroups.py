"""The cgroup trees of both versions, from what is mounted."""

from pathlib import Path

import pytest

from dev.cluster import cgroups, errors, inside, mounts, snapshot, teardown
from tests.support.vanishing import vanish_when_read

VERSION_1 = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""
VERSION_2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"


@pytest.fixture
def hybrid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of version 1 and one of version 2 beside it, as folders, with a pod's cgroups in both."""
    lines = []
    for tree, kind in (("memory", "cgroup"), ("unified", "cgroup2")):
        (tmp_path / tree / "showstopper" / "node1" / "kubepods" / "pod1").mkdir(parents=True)
        (tmp_path / tree / "of-others").mkdir()
        lines.append(f"{kind} {tmp_path / tree} {kind} rw 0 0")
    trees = cgroups.trees("\n".join(lines))
    monkeypatch.setattr(cgroups, "trees", lambda: trees)
    monkeypatch.setattr(snapshot, "mounts", lambda: lines)
    return tmp_path


def test_version_1_has_a_tree_for_each_controller_and_the_unified_one_beside_them() -> None:
    controllers = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/cpu")]
    assert cgroups.trees(VERSION_1) == [*controllers, Path("/sys/fs/cgroup/unified")]


def test_a_sweep_removes_ours_from_all_trees_and_nothing_of_others(hybrid: Path) -> None:
    teardown.sweep()
    left = [str(hybrid / tree / "of-others") for tree in ("memory", "unified")]
    assert snapshot.cgroup_folders() == left


def test_a_sweep_does_not_end_what_no_ledger_names(hybrid: Path) -> None:
    pod = hybrid / "unified" / "showstopper" / "node1" / "kubepods" / "pod1"
    (pod / "cgroup.procs").write_text("4194305\n")
    with pytest.raises(errors.LeftBehindError, match="4194305"):
        teardown.sweep()
    assert pod.exists()


@pytest.mark.parametrize("tree", ["memory", "unified"])
def test_a_snapshot_sees_a_cgroup_in_any_tree(hybrid: Path, tree: str) -> None:
    before = snapshot.cgroup_folders()
    left_behind = hybrid / tree / "showstopper" / "node2"
    left_behind.mkdir()
    assert set(snapshot.cgroup_folders()) - set(before) == {str(left_behind)}


def test_the_cgroups_of_a_pod_are_found_while_those_of_another_go(
    hybrid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubepods = hybrid / "unified" / "showstopper" / "node1" / "kubepods"
    for name in ("pod-that-ends", "pod1/a", "pod1/a/below"):
        (kubepods / name).mkdir()
    vanish_when_read(monkeypatch, kubepods / "pod-that-ends")
    assert inside.container_cgroups("1", "containerd://a") == [kubepods / "pod1" / "a"]
    assert not (kubepods / "pod-that-ends").exists(), "it was looked into"


def test_version_2_has_one() -> None:
    assert cgroups.trees(VERSION_2) == [Path("/sys/fs/cgroup")]


def test_a_machine_without_has_none() -> None:
    assert cgroups.trees("proc /proc proc rw 0 0\n") == []


def test_mount_points_with_spaces_are_read() -> None:
    assert mounts.targets("none /mnt/a\\040b tmpfs rw 0 0\n") == [Path("/mnt/a b")]


@pytest.mark.parametrize("name", ["node1", ""], ids=["of a node", "of the cluster"])
@pytest.mark.parametrize(("file", "weight"), [("cpu.shares", "8192"), ("cpu.weight", "800")])
def test_a_preferred_cgroup_has_its_multiple_of_the_usual_weight(
    hybrid: Path, file: str, weight: str, name: str
) -> None:
    folder = hybrid / "memory" / "showstopper" / name
    (folder / file).write_text("as it was made")
    cgroups.prefer(name, 8)
    assert (folder / file).read_text() == weight
    assert [path.name for path in folder.iterdir() if path.is_file()] == [file]
