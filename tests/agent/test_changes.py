"""What is written down of changes, and of what is done once."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.changes import OLD_SECONDS, Change, Changes
from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.agent.kernel.settings import Setting
from showstopper.errors import EffectRefused

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=80).filter(
    lambda name: name.strip(".") and not name.endswith(".draft")
)
TEXTS = st.text(min_size=1, max_size=40)
SETTINGS = st.builds(Setting, TEXTS, st.lists(TEXTS, min_size=1, max_size=2).map(tuple), TEXTS)
GUESTS = st.builds(GuestCgroups, st.lists(TEXTS, min_size=1, max_size=2).map(tuple))
CHANGES = st.builds(Change, NAMES, SETTINGS | GUESTS, st.floats(0, 1e9))


@given(st.lists(CHANGES, max_size=8), st.sets(st.integers(0, 7)))
def test_the_last_word_on_each_counts_for_every_reader(made: list[Change], lifted: set[int]) -> None:
    with TemporaryDirectory() as folder:
        writer, reader = Changes(Path(folder)), Changes(Path(folder))
        _tell(writer, reader, made, {change.name for index, change in enumerate(made) if index in lifted})


def _tell(writer: Changes, reader: Changes, made: list[Change], gone: set[str]) -> None:
    known = {change.name: change for change in made}
    for change in made:
        writer.write(change)
    assert {change.name: change for change in reader.all()} == known
    for name in gone:
        reader.forget(name)
        reader.forget(name)
    assert {change.name for change in writer.all()} == known.keys() - gone


def test_a_draft_that_a_crash_left_counts_for_nothing(tmp_path: Path) -> None:
    changes, change = Changes(tmp_path), Change("one", Setting("/x", ("1",), "0"), 1.0)
    changes.write(change)
    (tmp_path / "changes" / "one.draft").write_text('{"name": "one", "set')
    assert list(changes.all()) == [change]
    changes.sweep()
    assert not list((tmp_path / "changes").iterdir()), "nobody else would ever remove it"


def test_a_watchdog_lives_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    assert not changes.watched(0.0)
    changes.beat()
    beaten = (tmp_path / "watchdog").stat().st_mtime
    assert changes.watched(beaten + OLD_SECONDS - 0.1)
    assert not changes.watched(beaten + OLD_SECONDS)


def test_two_effects_never_share_a_file(tmp_path: Path) -> None:
    """The second would write down the first one's value, and put that back when the first is over."""
    changes, setting = Changes(tmp_path), Setting("/x", ("1",), "0")
    changes.begin(Change("first", setting, 1.0))
    changes.begin(Change("first", setting, 2.0))
    with pytest.raises(EffectRefused, match="changed already, by first"):
        changes.begin(Change("second", setting, 1.0))
    changes.forget("first")
    changes.begin(Change("second", setting, 1.0))


def test_what_was_left_and_is_undone_since_is_in_nobodys_way(tmp_path: Path) -> None:
    """The watchdog has put it back, and removes nothing."""
    changes, file = Changes(tmp_path), tmp_path / "file"
    file.write_text("1")
    setting = Setting(str(file), ("1",), "0")
    left = Change("left", setting, time.monotonic() + 10)
    changes.begin(left)
    changes.leave(left)
    assert next(changes.all()).until <= time.monotonic(), "the watchdog tries at once"
    with pytest.raises(EffectRefused, match="as left has changed it, which is over"):
        changes.begin(Change("next", setting, 1.0))
    assert setting.put_back()
    changes.begin(Change("next", setting, 1.0))
    assert [change.name for change in changes.all()] == ["next"]


def test_what_is_at_work_is_in_the_way_even_if_its_lease_has_run_out(tmp_path: Path) -> None:
    """It is about to be lifted, which would undo the change of whoever came meanwhile."""
    changes, setting = Changes(tmp_path), Setting(str(tmp_path / "file"), ("1",), "0")
    changes.begin(Change("first", setting, 1.0))
    assert not setting.holds
    with pytest.raises(EffectRefused, match="changed already, by first"):
        changes.begin(Change("second", setting, 1.0))


def test_a_sweep_undoes_what_still_holds_and_leaves_what_others_have_written(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    for name, reads in (("held", "ours\n"), ("theirs", "7\n"), ("gone", None)):
        file = tmp_path / name
        if reads is not None:
            file.write_text(reads)
        changes.write(Change(name, Setting(str(file), ("ours",), "before"), 1.0))
    assert changes.sweep() == [str(tmp_path / "held")]
    assert (tmp_path / "held").read_text() == "before"
    assert (tmp_path / "theirs").read_text() == "7\n"
    assert not (tmp_path / "gone").exists()
    assert not list(changes.all())


def test_what_was_begun_is_known_to_the_next_life(tmp_path: Path) -> None:
    AtMostOnce(tmp_path).begin("u-1")
    AtMostOnce(tmp_path).begin("u-1")
    assert AtMostOnce(tmp_path).begun("u-1")
    assert not AtMostOnce(tmp_path).begun("u-2")
    AtMostOnce(tmp_path).forget("u-1")
    AtMostOnce(tmp_path).forget("u-1")
    assert not AtMostOnce(tmp_path).begun("u-1")


def test_what_no_longer_exists_is_forgotten_by_the_next_life(tmp_path: Path) -> None:
    """It was deleted while no agent ran here, and nobody told the next one of it."""
    for uid in ("u-1", "u-2"):
        AtMostOnce(tmp_path).begin(uid)
    once = AtMostOnce(tmp_path)
    once.keep({"u-2", "u-3"})
    assert [once.begun(uid) for uid in ("u-1", "u-2", "u-3")] == [False, True, False]


def test_cgroups_that_were_made_are_removed_once(tmp_path: Path) -> None:
    made = GuestCgroups((str(tmp_path / "one"), str(tmp_path / "two")))
    assert not made.put_back()
    made.change()
    changes = Changes(tmp_path)
    changes.begin(Change("stress", made, 1.0))
    assert changes.sweep() == [str(tmp_path / "one")]
    assert not made.holds
    assert not list(changes.all())
    assert changes.sweep() == []


def test_a_cgroup_that_is_in_use_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("showstopper.agent.kernel.guests.PATIENCE_SECONDS", 0.02)
    made = GuestCgroups((str(tmp_path / "one"),))
    made.change()
    (tmp_path / "one" / "busy").touch()
    assert not made.put_back()
    assert made.undo() == f"{tmp_path / 'one'} still has processes"
    (tmp_path / "one" / "busy").unlink()
    assert made.undo() is None
    assert made.undo() is None
