"""What the files of a memory cgroup say, of both versions."""

from pathlib import Path

import pytest

from dev.cluster import inside
from showstopper.agent.kernel.guests import PREFIX, are_in, inhabited
from showstopper.agent.kernel.memory import Memory, available
from tests.support.vanishing import vanish_when_read

FIRST = {
    "memory.usage_in_bytes": "5000\n",
    "memory.limit_in_bytes": "8000\n",
    "memory.stat": "cache 1\ninactive_file 70\ntotal_inactive_file 900\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
}
SECOND = {
    "memory.current": "5000\n",
    "memory.max": "8000\n",
    "memory.stat": "anon 1\ninactive_file 900\n",
    "memory.events": "low 0\noom 9\noom_kill 3\noom_group_kill 1\n",
}


@pytest.mark.parametrize("files", [FIRST, SECOND], ids=["v1", "v2"])
def test_what_is_in_use_and_who_was_killed(tmp_path: Path, files: dict[str, str]) -> None:
    assert not Memory(tmp_path).exists
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    memory = Memory(tmp_path)
    assert memory.exists
    assert (memory.limit, memory.working_set, memory.kills) == (8000, 4100, 3)
    assert memory.unified is (files is SECOND)


@pytest.mark.parametrize(
    ("files", "name", "text"),
    [(FIRST, "memory.limit_in_bytes", "9223372036854771712\n"), (SECOND, "memory.max", "max\n")],
    ids=["v1", "v2"],
)
def test_no_limit(tmp_path: Path, files: dict[str, str], name: str, text: str) -> None:
    for each, other in (files | {name: text}).items():
        (tmp_path / each).write_text(other)
    assert Memory(tmp_path).limit is None


def test_what_the_node_has(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  1000 kB\nMemFree:  1 kB\nMemAvailable:  250 kB\nHugePages_Total: 0\n")
    assert available(tmp_path / "meminfo") == (250 * 1024, 1000 * 1024)
    free, total = available()
    assert 0 < free <= total


def test_guests_are_known_by_their_cgroup_and_leave_a_container_uninhabited(tmp_path: Path) -> None:
    assert are_in(("a", f"{PREFIX}cpu"))
    assert not are_in(("showstopper-tests-1", "a"))
    assert inside.STRESS == PREFIX
    for folder, pids in ((".", ""), ("init", "7\n"), (f"{PREFIX}cpu", "8\n9\n")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cgroup.procs").write_text(pids)
    assert inhabited(tmp_path)
    (tmp_path / "init" / "cgroup.procs").write_text("")
    assert not inhabited(tmp_path)
    assert not inhabited(tmp_path / "gone")


def test_a_container_is_inhabited_while_a_cgroup_below_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("init", *"abcdefgh"):  # whatever their order, some are read before
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cgroup.procs").write_text("7\n" if folder == "init" else "")
        if folder != "init":
            vanish_when_read(monkeypatch, tmp_path / folder)
    assert inhabited(tmp_path)
