"""What is written down of what is frozen, and of what is done once."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.frozen import OLD_SECONDS, Frozen, FrozenCgroups

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=80).filter(
    lambda name: name.strip(".") and not name.endswith(".draft")
)
ONES = st.builds(Frozen, NAMES, st.text(min_size=1, max_size=40), st.floats(0, 1e9))


@given(st.lists(ONES, max_size=8), st.sets(st.integers(0, 7)))
def test_the_last_word_on_each_counts_for_every_reader(ones: list[Frozen], lifted: set[int]) -> None:
    with TemporaryDirectory() as folder:
        writer, reader = FrozenCgroups(Path(folder)), FrozenCgroups(Path(folder))
        _tell(writer, reader, ones, {one.name for index, one in enumerate(ones) if index in lifted})


def _tell(writer: FrozenCgroups, reader: FrozenCgroups, ones: list[Frozen], gone: set[str]) -> None:
    known = {one.name: one for one in ones}
    for one in ones:
        writer.write(one)
    assert {one.name: one for one in reader.all()} == known
    for name in gone:
        reader.forget(name)
        reader.forget(name)
    assert {one.name for one in writer.all()} == known.keys() - gone


def test_a_draft_that_a_crash_left_counts_for_nothing(tmp_path: Path) -> None:
    frozen = FrozenCgroups(tmp_path)
    frozen.write(Frozen("one", "/x", 1.0))
    (tmp_path / "frozen" / "one.draft").write_text('{"name": "one", "fol')
    assert list(frozen.all()) == [Frozen("one", "/x", 1.0)]


def test_a_watchdog_lives_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    frozen = FrozenCgroups(tmp_path)
    assert not frozen.watched(0.0)
    frozen.beat()
    beaten = (tmp_path / "watchdog").stat().st_mtime
    assert frozen.watched(beaten + OLD_SECONDS - 0.1)
    assert not frozen.watched(beaten + OLD_SECONDS)


def test_what_was_begun_is_known_to_the_next_life(tmp_path: Path) -> None:
    AtMostOnce(tmp_path).begin("u-1")
    AtMostOnce(tmp_path).begin("u-1")
    assert AtMostOnce(tmp_path).begun("u-1")
    assert not AtMostOnce(tmp_path).begun("u-2")
    AtMostOnce(tmp_path).forget("u-1")
    AtMostOnce(tmp_path).forget("u-1")
    assert not AtMostOnce(tmp_path).begun("u-1")
