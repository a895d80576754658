"""A container of tests: real processes in real cgroups of their own, named as a kubelet names them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from showstopper.agent.kernel.cgroups import ROOT

# Containers are looked for on the whole machine, and others may run these tests on it at the same time.
UID = f"0d5e0b9e-6a5b-4c1f-9d0c-{os.getpid():012x}"
CONTAINER = f"{os.getpid():064x}"
# Takes CPU time without end, twice, and does as the word that it is given says about SIGTERM, or about memory. What a
# script has started in the background ignores SIGINT and SIGQUIT, and under nohup SIGHUP, with all that starts from it:
# a container's processes do not.
_BUSY = """
import os, resource, signal, sys, time
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for procs in sys.argv[2:]:
    with open(procs, "w") as file:
        file.write(str(os.getpid()))
os.fork()
sys.stdout.write("up\\n")
sys.stdout.flush()
kept = []
while True:
    sum(range(1000))
    if sys.argv[1] == "growing":
        kept.append(bytearray(1 << 17))
        time.sleep(0.01)
"""


def trees(version: int) -> list[Path]:
    """The trees that a container of this version is in; empty: this machine has none."""
    if version == 1:
        mounted = [ROOT / name for name in ("freezer", "memory", "cpu", "cpuacct") if (ROOT / name / "tasks").exists()]
        return list(dict.fromkeys(tree.resolve() for tree in mounted))  # two controllers may share a tree
    return [root for root in (ROOT, ROOT / "unified") if (root / "cgroup.controllers").exists()]


@dataclass
class Container:
    """Its names, its folders, and its processes, two for each that was started.

    The first folder is the one with the freezer, the last counts CPU time.
    """

    version: int
    uid: str
    id: str
    folders: list[Path]
    started: list["subprocess.Popen[bytes]"]

    def start(self, manner: str = "meek") -> None:
        """Have two more processes in it, that never rest."""
        entries = [str(folder / "cgroup.procs") for folder in self.folders]
        process = subprocess.Popen([sys.executable, "-c", _BUSY, manner, *entries], stdout=subprocess.PIPE)
        self.started.append(process)
        assert process.stdout
        for _ in range(2):
            assert process.stdout.readline() == b"up\n"

    @property
    def pids(self) -> set[int]:
        """Of all that lives there."""
        return {int(pid) for pid in (self.folders[0] / "cgroup.procs").read_text().split()}

    @property
    def cpu(self) -> str:
        """Its CPU time, by the kernel's own words."""
        name = "cpuacct.usage" if self.version == 1 else "cpu.stat"
        return (self.folders[-1] / name).read_text().splitlines()[0]

    @property
    def frozen(self) -> bool:
        """Whether it reads so."""
        if self.version == 1:
            return (self.folders[0] / "freezer.state").read_text() == "FROZEN\n"
        return "frozen 1" in (self.folders[0] / "cgroup.events").read_text()

    def runs(self) -> bool:
        """Whether CPU time passes, within a deadline."""
        before, give_up = self.cpu, time.monotonic() + 10
        while self.cpu == before:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.005)
        return True

    def end(self) -> None:
        """Thaw it, end its processes, and remove its cgroups."""
        with suppress(OSError):
            name, text = ("freezer.state", "THAWED") if self.version == 1 else ("cgroup.freeze", "0")
            (self.folders[0] / name).write_text(text)
        give_up = time.monotonic() + 10
        while pids := self.pids:
            assert time.monotonic() < give_up, f"{pids} do not end"
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
            for process in self.started:
                process.poll()
            time.sleep(0.01)
        for process in self.started:
            process.communicate()
        for folder in self.folders:
            for each in (folder, folder.parent, folder.parent.parent):
                with suppress(OSError):  # another container of the test is still there
                    each.rmdir()


@contextmanager
def container(version: int, *, uid: str = UID, identity: str = CONTAINER) -> Iterator[Container]:
    """A container with two processes."""
    folders = [tree / f"showstopper-tests-{os.getpid()}" / f"pod{uid}" / identity for tree in trees(version)]
    for folder in folders:
        folder.mkdir(parents=True)
    made = Container(version, uid, identity, folders, [])
    try:
        made.start()
        yield made
    finally:
        made.end()
