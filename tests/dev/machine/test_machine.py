"""The virtual machine: what it runs, what it is given, and that it cannot pass without having run it."""

import re
import sys
import time
from pathlib import Path

import pytest

from dev.cluster import errors, packages, paths
from dev.machine import boot, root
from dev.machine.__main__ import SUITE, sources
from dev.machine.boot import Order
from dev.machine.root import PYTHON_PACKAGES, Root

ORDER = Order(["true"], {})


OTHERS = {
    "tests/agent/network/test_gates.py",
    "tests/agent/hits/test_processes.py",
    "tests/agent/hits/test_cpu_throttle.py",
    "tests/agent/hits/test_stress.py",
    "tests/agent/kernel/test_links.py",
}
"""Floods are let through or dropped, processes and devices are no packets: nothing is held back, by netem or not."""


def test_every_test_of_held_packets_that_needs_no_api_server_runs_in_it() -> None:
    wanted = set()
    for path in (paths.PROJECT / "tests" / "agent").rglob("test_*.py"):
        text = path.read_text()
        if "mark.netns" in text and "mark.apiserver" not in text:
            wanted.add(str(path.relative_to(paths.PROJECT)))
    assert wanted - OTHERS == set(SUITE)
    assert {paths.PROJECT / name for name in SUITE} <= set(sources())


def test_its_packages_are_the_locked_ones() -> None:
    locked = root.excerpt(root.REQUIREMENTS.read_text(), PYTHON_PACKAGES)
    assert re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE) == list(PYTHON_PACKAGES)
    assert locked.count("--hash=") >= len(PYTHON_PACKAGES)
    with pytest.raises(errors.MissingError, match="has no left-pad"):
        root.excerpt(locked, ("left-pad",))


def test_other_packages_make_another_root() -> None:
    assert root.key("one==1\n") != root.key("one==2\n")


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for the machine, as a Python program that the test writes."""
    made = Root(tmp_path / "vmlinuz", tmp_path / "root.cpio")
    made.archive.write_bytes(b"")
    program = tmp_path / "qemu.py"
    monkeypatch.setattr(packages, "ensure", lambda needs: None)
    monkeypatch.setattr(root, "ensure", lambda: made)
    monkeypatch.setattr(boot, "qemu", lambda kernel, folder: [sys.executable, str(program), str(folder / "code")])
    return program


@pytest.mark.parametrize("code", [0, 1, 5])
def test_what_the_tests_ended_with_is_what_it_ends_with(
    qemu: Path, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    qemu.write_text(f"import sys; print('1 passed'); open(sys.argv[1], 'w').write('{code}\\r\\n')")
    assert boot.run(ORDER, [], 60) == code
    assert "1 passed" in capsys.readouterr().out


def test_a_machine_that_says_nothing_has_not_passed(qemu: Path) -> None:
    qemu.write_text("print('Kernel panic')")
    with pytest.raises(errors.CommandError, match="without a word of how the tests did"):
        boot.run(ORDER, [], 60)


def test_a_machine_that_fails_has_not_passed_whatever_it_said(qemu: Path) -> None:
    qemu.write_text("import sys; open(sys.argv[1], 'w').write('0'); sys.exit(1)")
    with pytest.raises(errors.CommandError, match="code 1"):
        boot.run(ORDER, [], 60)


def test_a_machine_that_does_not_end_is_ended(qemu: Path) -> None:
    qemu.write_text("import time; time.sleep(600)")
    began = time.monotonic()
    with pytest.raises(errors.NotReadyError, match="have not ended after 1 s"):
        boot.run(ORDER, [], 1)
    assert time.monotonic() - began < 300
