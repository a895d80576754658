"""Booting the machine: qemu without any help from hardware, with a clock that counts instructions."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands, errors, packages, paths, progress
from dev.cluster.packages import Need
from dev.machine import root
from dev.machine.initramfs import WORK, Archive

INIT = Path(__file__).with_name("inside.py")
NEEDS = (
    Need("qemu-system-x86_64", "qemu-system-x86"),
    Need("setpriv", "util-linux"),
)
MEGABYTES = 1536
KERNEL_OPTIONS = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable rdinit=/init"


@dataclass(frozen=True, slots=True)
class Order:
    """What is done in the machine: a command with its environment, in a copy of the project's folder."""

    command: Sequence[str]
    environment: Mapping[str, str]


def run(order: Order, sources: Iterable[Path], seconds: float) -> int:
    """The command's exit code. What it writes comes out here as it does there.

    Raises NotReadyError when the machine does not end in time, and CommandError when it ends without a code.
    """
    packages.ensure(NEEDS)
    system = root.ensure()
    with tempfile.TemporaryDirectory(prefix="showstopper-machine-") as name:
        folder = Path(name)
        with (folder / "initrd").open("wb") as output:
            with system.archive.open("rb") as made_before:
                shutil.copyfileobj(made_before, output, 1 << 20)
            _add(Archive(output), order, sources)
        command = qemu(system.kernel, folder)
        ended = _watch(command, seconds)
        said = folder / "code"
        code = said.read_text().strip() if said.exists() else ""
    if ended != 0 or not code.lstrip("-").isdigit():
        raise errors.CommandError(command, ended, "the virtual machine ended without a word of how the tests did")
    return int(code)


def qemu(kernel: Path, folder: Path) -> list[str]:
    """The command of the machine: one processor, no device but two serial lines, no network.

    Its clock counts instructions, one a nanosecond (`-icount shift=0`), and leaps when all of it sleeps (`sleep=off`):
    so what else runs here makes it slower, but by its own clock nothing is ever late.
    """
    machine = ["-machine", "pc", "-accel", "tcg", "-cpu", "max", "-m", str(MEGABYTES)]
    clock = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]
    bare = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    lines = ["-serial", "stdio", "-serial", f"file:{folder / 'code'}"]
    boot = ["-kernel", str(kernel), "-initrd", str(folder / "initrd"), "-append", KERNEL_OPTIONS]
    return ["nice", "-n", "19", "qemu-system-x86_64", *machine, *clock, *bare, *lines, *boot]


def _add(archive: Archive, order: Order, sources: Iterable[Path]) -> None:
    archive.tree(paths.PROJECT, sources)
    document = {"command": list(order.command), "environment": dict(order.environment), "folder": f"/{WORK}"}
    archive.entry("order.json", stat.S_IFREG | 0o644, json.dumps(document).encode())
    archive.entry("init", stat.S_IFREG | 0o755, INIT.read_bytes())
    archive.close()


def _watch(command: list[str], seconds: float) -> int:
    """Show what the machine writes until it ends. End it when its time is over. Returns its exit code."""
    with subprocess.Popen(
        commands.tied(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            assert process.stdout
            with progress.step("Booting Debian's kernel in a virtual machine"):
                first = next(filter(str.strip, process.stdout), "")
            for line in itertools.chain([first], process.stdout):
                sys.stdout.write(line)
                sys.stdout.flush()
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
    if late.is_set():
        raise errors.NotReadyError("the tests in the virtual machine have not ended", seconds)
    return code
