"""From a pod's UID to its network, with every way in which kubelets and runtimes name cgroups."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.agent.kernel.guests import PREFIX
from showstopper.agent.pods import Pods, belongs, own_addresses, start_of
from showstopper.errors import NamespaceGone

UID = "0d5e0b9e-6a5b-4c1f-9d0c-3f1f6c1f2a11"
UNDERSCORED = UID.replace("-", "_")
CONTAINER = "5f" * 32
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 198.18.1.0/24 2 0 2
        |-- 198.18.1.0
           /24 link UNICAST
        |-- 198.18.1.5
           /32 host LOCAL
        |-- 198.18.1.255
           /32 link BROADCAST
"""
SIX = "fd000000000000000000000000000005 02 40 00 80     eth0\n"


@pytest.mark.parametrize(
    "lines",
    [
        f"12:pids:/kubepods/burstable/pod{UID}/{CONTAINER}\n11:memory:/user.slice\n",
        f"0::/kubepods/pod{UID}/{CONTAINER}",
        f"0::/node1/kubepods/besteffort/pod{UID}/{CONTAINER}",
        f"0::/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/crio-{CONTAINER}.scope",
        f"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UNDERSCORED}.slice/cri-containerd-5f.scope",
        f"1:name=systemd:/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UNDERSCORED}.slice/x.scope",
        f"0::/../../pod{UID}/{CONTAINER}",
        f"0::/../kubepods-burstable-pod{UNDERSCORED}.slice/cri-containerd-{CONTAINER}.scope",
    ],
)
def test_a_process_of_the_pod_is_known_by_its_cgroup(lines: str) -> None:
    assert belongs(lines, UID)
    assert not belongs(lines, UID[:-1])
    assert not belongs(lines, UID[:-1] + "2")


@pytest.mark.parametrize("lines", ["", "0::/", "0::/user.slice/user-0.slice", f"0::/pods/{UID}", "rubbish", "1:2"])
def test_others_are_not(lines: str) -> None:
    assert not belongs(lines, UID)


def test_a_guest_of_its_container_is_not_of_the_pod() -> None:
    path = f"/kubepods/pod{UID}/{CONTAINER}"
    assert not belongs(f"3:cpu:{path}/{PREFIX}cpu\n0::/\n", UID)
    assert belongs(f"0::/{PREFIX}node{path}\n", UID)


@given(st.text())
def test_no_cgroup_breaks_it(text: str) -> None:
    assert belongs(text, UID) in {True, False}


@pytest.mark.parametrize("below", [f"/kubepods/pod{UID}", f"/kubepods.slice/kubepods-pod{UNDERSCORED}.slice"])
@pytest.mark.parametrize("suffix", ["", ".scope"])
def test_a_monitor_of_its_container_is_not_of_the_pod(below: str, suffix: str) -> None:
    """CRI-O with `conmon_cgroup = "pod"`, as on OpenShift."""
    assert not belongs(f"0::{below}/crio-conmon-{CONTAINER}{suffix}", UID)
    assert belongs(f"0::{below}/crio-{CONTAINER}{suffix}", UID)


def test_a_uid_is_no_pattern() -> None:
    assert not belongs("0::/kubepods/podabc/x", ".*")


@pytest.mark.parametrize("name", ["pause", "a) S 1 (b", "((("])
def test_the_start_of_a_process_whatever_its_name(name: str) -> None:
    fields = ["S", "1", *(str(number) for number in range(5, 22)), "7777", "1", "2"]
    assert start_of(f"42 ({name}) {' '.join(fields)}") == 7777


def test_a_networks_own_addresses() -> None:
    addresses = own_addresses(TRIE, SIX)
    assert addresses == {ip_address("198.18.1.5"), ip_address("fd00::5")}
    assert own_addresses("", "") == set()


class Proc:
    """A /proc of our own making; namespaces are files, and the same file is the same namespace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.namespaces = root.parent / "namespaces"
        self.namespaces.mkdir()

    def process(
        self,
        pid: int,
        *,
        uid: str = UID,
        started: int = 100,
        namespace: str = "pod",
        scope: str = "x",
        trie: str = TRIE,
    ) -> None:
        """A process of a pod."""
        place = self.root / str(pid)
        (place / "ns").mkdir(parents=True)
        (place / "net").mkdir()
        (self.namespaces / namespace).touch()
        os.link(self.namespaces / namespace, place / "ns" / "net")
        (place / "cgroup").write_text(f"0::/kubepods/pod{uid}/{scope}\n")
        fields = " ".join(["S", *(str(number) for number in range(4, 22)), str(started)])
        (place / "stat").write_text(f"{pid} (x) {fields} 0")
        (place / "net" / "fib_trie").write_text(trie)
        (place / "net" / "if_inet6").write_text(SIX if trie else "")

    def end(self, pid: int) -> None:
        """The process ends."""
        (self.root / str(pid)).rename(self.root.parent / f"ended-{pid}")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    made = Proc(tmp_path / "proc")
    made.process(1, uid="none", namespace="node", started=0)
    return made


def test_the_sandbox_is_the_way_in_not_the_container_that_crashes(proc: Proc) -> None:
    proc.process(30, started=900)
    proc.process(40, started=300)
    proc.process(20, started=600, uid="another")
    network = Pods(proc.root).network(UID, "198.18.1.5")
    assert network.process.pid == 40
    assert network.path == proc.root / "40/ns/net"
    assert not network.shared


def test_an_address_may_be_written_in_any_way(proc: Proc) -> None:
    proc.process(30)
    assert Pods(proc.root).network(UID, "fd00:0::05").process.pid == 30


def test_a_pod_that_is_not_here_or_has_another_address(proc: Proc) -> None:
    pods = Pods(proc.root)
    with pytest.raises(NamespaceGone, match="no process of a pod with UID"):
        pods.network(UID, "198.18.1.5")
    proc.process(30)
    with pytest.raises(NamespaceGone, match=r"no address 198\.18\.1\.6"):
        pods.network(UID, "198.18.1.6")


def test_the_nodes_own_network_is_known(proc: Proc) -> None:
    proc.process(30, namespace="node")
    network = Pods(proc.root).network(UID, "198.18.1.5")
    assert network.shared
    assert network.path == proc.root / "1/ns/net"


@pytest.mark.parametrize("scope", [f"crio-conmon-{CONTAINER}", "x"])
def test_an_older_process_in_another_network_is_not_the_way_in(proc: Proc, scope: str) -> None:
    proc.process(30, started=200, namespace="node", scope=scope, trie="")
    proc.process(40, started=300)
    assert Pods(proc.root).network(UID, "198.18.1.5").process.pid == 40


def test_a_number_that_was_given_away_again_is_another_process(proc: Proc) -> None:
    proc.process(30)
    pods = Pods(proc.root)
    network = pods.network(UID, "198.18.1.5")
    assert pods.again(network) == network
    proc.end(30)
    assert pods.again(network) is None
    proc.process(30, uid="another", started=101)
    assert pods.again(network) is None


@pytest.mark.parametrize(
    ("scope", "restarts"),
    [(f"crio-{CONTAINER}", True), (f"crio-{CONTAINER}.scope", True), (f"cri-containerd-{CONTAINER}.scope", False)],
)
def test_a_network_is_there_as_long_as_any_process_of_its_pod_is_in_it(proc: Proc, scope: str, restarts: bool) -> None:
    """CRI-O starts no process of the sandbox, so that the first one ends when its container is restarted."""
    proc.process(30, started=100, scope=scope)
    now = 0.0
    pods = Pods(proc.root, lambda: now)
    network = pods.network(UID, "198.18.1.5")
    assert network.restarts is restarts
    proc.end(30)
    proc.process(20, started=200, scope=f"crio-conmon-{CONTAINER}")
    proc.process(50, started=300, scope=scope, namespace="another")
    assert pods.again(network) is None
    now = 1.0
    proc.process(40, started=200, scope=scope)
    again = pods.again(network)
    assert again is not None
    assert (again.process.pid, again.path) == (40, proc.root / "40/ns/net")
    assert pods.again(again) == again


def test_many_targets_are_found_with_one_look_around_and_none_is_missed_for_it(proc: Proc) -> None:
    now = 0.0
    pods = Pods(proc.root, lambda: now)
    proc.process(30, uid="one")
    assert pods.network("one", "198.18.1.5").process.pid == 30
    proc.process(20, uid="one", started=50)  # older than what was seen: only a new look around finds it
    assert pods.network("one", "198.18.1.5").process.pid == 30
    proc.process(40, uid="two")
    assert pods.network("two", "198.18.1.5").process.pid == 40  # not seen before: looked for again at once
    now = 1.0
    assert pods.network("one", "198.18.1.5").process.pid == 20


def test_what_was_seen_is_looked_at_again_before_it_is_used(proc: Proc) -> None:
    pods = Pods(proc.root, lambda: 0.0)
    proc.process(30)
    pods.network(UID, "198.18.1.5")
    proc.end(30)
    proc.process(30, uid="another")
    with pytest.raises(NamespaceGone, match="no process"):
        pods.network(UID, "198.18.1.5")
