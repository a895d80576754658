"""The journal: what it says after a crash at any byte."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from showstopper.agent.journal import Entry, Journal

ONE, TWO = Entry("/run/netns/one", "loss"), Entry("/run/netns/two", "delay")


def test_knows_what_was_not_lifted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "journal")
    assert journal.open_entries() == []
    journal.arming(ONE)
    journal.arming(TWO)
    journal.lifted(ONE)
    assert Journal(tmp_path / "state" / "journal").open_entries() == [TWO]


def test_a_fault_that_is_armed_again_is_open_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.arming(ONE)
    journal.lifted(ONE)
    journal.arming(ONE)
    assert journal.open_entries() == [ONE]
    journal.clear()
    assert journal.open_entries() == []


def test_it_begins_anew_whenever_nothing_is_armed(tmp_path: Path) -> None:
    """Else it grows for as long as its agent lives."""
    journal = Journal(tmp_path / "journal")
    for _ in range(3):
        journal.arming(ONE)
        journal.arming(TWO)
        journal.lifted(ONE)
        assert journal.open_entries() == [TWO]
        journal.lifted(TWO)
        assert (tmp_path / "journal").stat().st_size == 0


def test_what_an_earlier_life_left_stays_in_it_until_it_is_swept(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").arming(ONE)
    journal = Journal(tmp_path / "journal")
    journal.arming(TWO)
    journal.lifted(TWO)
    assert journal.open_entries() == [ONE]
    journal.clear()
    journal.arming(TWO)
    journal.lifted(TWO)
    assert (tmp_path / "journal").stat().st_size == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), garbage=st.binary(max_size=20))
def test_a_line_that_was_cut_off_hides_no_other(tmp_path: Path, cut: int, garbage: bytes) -> None:
    path = tmp_path / "journal"
    path.unlink(missing_ok=True)
    before = Journal(path)
    before.arming(ONE)
    whole = path.stat().st_size
    before.arming(TWO)
    written = path.read_bytes()
    path.write_bytes(written[: max(whole, len(written) - cut)] + garbage.replace(b"\n", b""))
    after = Journal(path)
    assert ONE in after.open_entries()
    after.lifted(ONE)
    assert ONE not in after.open_entries()
