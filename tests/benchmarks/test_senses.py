"""What feels faults: looks that are noted, cgroups of both versions, and a host's silence as listeners heard it."""

import math
from pathlib import Path

import pytest

from bench import listening, senses
from bench.listening import Heard
from bench.senses import Looking, Silence
from dev.cluster.inside import STRESS
from showstopper.availability.spans import Kind, Span, State


class Script(Looking):
    """Sees what is written, in turn; what is left out could not be looked at."""

    def __init__(self, *looks: str | None) -> None:
        super().__init__()
        self.pause = 0.0
        self._looks = list(looks)

    def look(self) -> str:
        if not self._looks:
            self.done.set()
            raise OSError
        seen = self._looks.pop(0)
        if seen is None:
            raise OSError
        return seen


def test_the_last_look_that_felt_it_counts_and_who_does_not_answer_is_no_look() -> None:
    script = Script("closed", "closed", None, "", "")
    with script:
        script.done.wait(5)
    last = script.last(0.0, float("inf"))
    assert last is not None
    assert last.how == "closed"
    assert script.looks(0.0, float("inf")) == 4
    assert script.last(math.nextafter(last.at, math.inf), math.inf) is None


@pytest.mark.parametrize(
    ("name", "text", "felt"),
    [
        ("freezer.state", "FROZEN\n", True),
        ("freezer.state", "THAWED\n", False),
        ("cgroup.freeze", "1\n", True),
        ("cgroup.freeze", "0\n", False),
        ("other", "1\n", False),
    ],
)
def test_a_frozen_cgroup(tmp_path: Path, name: str, text: str, felt: bool) -> None:
    (tmp_path / name).write_text(text)
    assert senses.frozen(tmp_path) is felt


@pytest.mark.parametrize(
    ("name", "text", "felt"),
    [
        ("cpu.cfs_quota_us", "5000\n", True),
        ("cpu.cfs_quota_us", "20000\n", False),
        ("cpu.max", "5000 100000\n", True),
        ("cpu.max", "max 100000\n", False),
    ],
)
def test_a_quota(tmp_path: Path, name: str, text: str, felt: bool) -> None:
    (tmp_path / name).write_text(text)
    assert senses.throttled(tmp_path, 5_000) is felt


def test_workers_below_a_cgroup_and_memory_in_it(tmp_path: Path) -> None:
    assert not senses.visited(tmp_path)
    assert not senses.filled(tmp_path, 16)
    below = tmp_path / f"{STRESS}cpu"
    below.mkdir()
    (below / "cgroup.procs").write_text("")
    assert not senses.visited(tmp_path)
    (below / "cgroup.procs").write_text("7\n")
    (tmp_path / "memory.current").write_text("17\n")
    assert senses.visited(tmp_path)
    assert senses.filled(tmp_path, 16)
    assert not senses.filled(tmp_path, 18)


def test_a_silence_is_taken_back_by_as_much_as_its_beginning_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = tuple(
        Span("l", Kind.RESIDENT, state, start, end)
        for state, start, end in (
            (State.LIVE, 90.0, 100.15),
            (State.SILENT, 100.15, 110.1),
            (State.LIVE, 110.1, 113.0),
        )
    )
    monkeypatch.setattr(listening, "read", lambda _: [Heard("l", spans, 0.0, None)])
    silence = Silence(["198.18.1.7"], lambda: 100.0)
    last = silence.last(99.0, 113.0)
    assert last is not None
    assert last.at == pytest.approx(109.95)
    assert last.how == "silence of 9.95 s was heard"
    assert silence.looks(111.0, 113.0) == 100
    assert Silence(["198.18.1.7"], lambda: 111.0).last(99.0, 113.0) is None
