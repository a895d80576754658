"""From a pod's UID and a container's id to its cgroups, with every way in which kubelets and runtimes name them."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.agent.kernel.cgroups import CPU_TIME, FREEZER, UNIFIED, Place, cpu_microseconds, paths
from showstopper.agent.kernel.guests import PREFIX
from showstopper.errors import EffectRefused
from tests.agent.container import CONTAINER, UID
from tests.support.vanishing import vanish_when_read

UNDERSCORED = UID.replace("-", "_")
OTHER = "ab" * 32


@pytest.mark.parametrize(
    "path",
    [
        f"/kubepods/burstable/pod{UID}/{CONTAINER}",
        f"/node1/kubepods/pod{UID}/{CONTAINER}",
        f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UNDERSCORED}.slice/cri-containerd-{CONTAINER}.scope",
        f"/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/crio-{CONTAINER}.scope",
        f"/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/docker-{CONTAINER}.scope",
        f"/../kubepods-besteffort-pod{UNDERSCORED}.slice/cri-containerd-{CONTAINER}.scope",
    ],
)
@pytest.mark.parametrize("below", ["", "/init", "/a/b"])
def test_a_container_is_known_by_pod_and_id_and_what_it_made_below_is_its_own(path: str, below: str) -> None:
    assert paths(f"1:name=systemd:/\n0::{path}{below}\n", UID, CONTAINER) == {UNIFIED: PurePosixPath(path)}


def test_each_controller_of_version_1_has_a_path_of_its_own() -> None:
    lines = f"6:freezer:/a/pod{UID}/{CONTAINER}\n2:cpu,cpuacct:/b/pod{UID}/{CONTAINER}\n0::/\n"
    by_controller = paths(lines, UID, CONTAINER)
    assert by_controller == {
        FREEZER: PurePosixPath(f"/a/pod{UID}/{CONTAINER}"),
        "cpu": PurePosixPath(f"/b/pod{UID}/{CONTAINER}"),
        CPU_TIME: PurePosixPath(f"/b/pod{UID}/{CONTAINER}"),
    }


@pytest.mark.parametrize(
    "line",
    [
        f"0::/kubepods/pod{UID}/{OTHER}",  # another container
        f"0::/kubepods/pod{UID}",  # the pod itself
        f"0::/kubepods/pod{UID.replace('0', '1')}/{CONTAINER}",  # another pod
        f"0::/{CONTAINER}/pod{UID}",  # the wrong way round
        f"0::/kubepods/pod{UID}/between/{CONTAINER}",
        f"0::/kubepods/pod{UID}/{CONTAINER}0",
        f"0::/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/crio-conmon-{CONTAINER}.scope",  # the runtime's, beside it
        "0::/",
        "",
    ],
    ids=range(9),  # containers have names of their own process, and every worker has to find the same tests
)
def test_whoever_is_not_in_both_is_not_of_it(line: str) -> None:
    assert paths(line + "\n", UID, CONTAINER) == {}


@given(st.text(alphabet="/abpod0123456789-.:\n", max_size=60), st.text("0123456789abcdef", min_size=16, max_size=20))
def test_whatever_a_path_says_it_is_never_half_believed(text: str, container: str) -> None:
    lines = "".join(f"0::/{part}\n" for part in text.split("\n"))
    assert all(path.name == container for path in paths(lines, UID, container).values())


def tree(root: Path, path: str, *pids: int) -> Path:
    """A folder with processes."""
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return folder


def test_the_folder_is_that_which_holds_the_process(tmp_path: Path) -> None:
    freezer = tree(tmp_path, f"freezer/k/pod{UID}/{CONTAINER}/below", 7).parent
    counting = tree(tmp_path, f"cpuacct/k/pod{UID}/{CONTAINER}", 7)
    path = PurePosixPath(f"/k/pod{UID}/{CONTAINER}")
    by_controller = {FREEZER: path, CPU_TIME: path}
    place = Place(tmp_path, by_controller, 7)
    assert (place.folder(FREEZER), place.folder(CPU_TIME)) == (freezer, counting)
    with pytest.raises(EffectRefused, match="with process 8"):
        Place(tmp_path, by_controller, 8).folder(FREEZER)


def test_version_2_has_one_folder_alone_or_beside_version_1(tmp_path: Path) -> None:
    path = PurePosixPath(f"/k/pod{UID}/{CONTAINER}")
    beside = tree(tmp_path, f"unified/{path}", 7)
    place = Place(tmp_path, {UNIFIED: path}, 7)
    assert place.folder(FREEZER) == place.folder(CPU_TIME) == beside
    (tmp_path / "cgroup.controllers").touch()
    alone = tree(tmp_path, str(path).removeprefix("/"), 7)
    assert place.folder(FREEZER) == place.folder(CPU_TIME) == alone


def test_from_inside_a_cgroup_namespace_it_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    tree(tmp_path, f"elsewhere/pod{UID}/{CONTAINER}", 3)
    right = tree(tmp_path, f"kubepods/burstable/pod{UID}/{CONTAINER}", 7)
    assert Place(tmp_path, {UNIFIED: PurePosixPath(f"/../../pod{UID}/{CONTAINER}")}, 7).folder(FREEZER) == right


def test_it_is_found_while_the_cgroup_of_another_pod_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.controllers").touch()
    other = tree(tmp_path, "kubepods/besteffort/pod-that-ends", 3)
    right = tree(tmp_path, f"kubepods/burstable/pod{UID}/{CONTAINER}", 7)
    vanish_when_read(monkeypatch, other)
    assert Place(tmp_path, {UNIFIED: PurePosixPath(f"/../../pod{UID}/{CONTAINER}")}, 7).folder(FREEZER) == right
    assert not other.exists(), "it was looked into"


def test_a_process_without_a_freezer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EffectRefused, match="no cgroup for freezer"):
        Place(tmp_path, {"pids": PurePosixPath("/x")}, 7).folder(FREEZER)


def test_cpu_time_is_in_microseconds_in_both_versions(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
    assert cpu_microseconds(tmp_path) == 1500
    (tmp_path / "cpuacct.usage").write_text("2500000\n")
    assert cpu_microseconds(tmp_path) == 2500


def test_who_is_below_a_container_by_our_doing_is_not_in_it() -> None:
    path = f"/kubepods/pod{UID}/{CONTAINER}"
    assert paths(f"3:memory:{path}/{PREFIX}memory\n2:cpu:{path}/{PREFIX}cpu\n0::/agent\n", UID, CONTAINER) == {}
    assert paths(f"0::/{PREFIX}node{path}\n", UID, CONTAINER)
