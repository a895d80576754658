"""Taking down removes what is recorded, may be repeated, and leaves alone what others use."""

from pathlib import Path

import pytest

from dev.cluster import errors, mounts, teardown
from dev.cluster.ledger import Kind, Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "run" / "ledger.jsonl")
    made.open()
    return made


def test_recorded_folders_go_when_they_are_empty(ledger: Ledger, tmp_path: Path) -> None:
    outer, inner, used = tmp_path / "outer", tmp_path / "outer" / "inner", tmp_path / "used"
    for folder in (outer, inner, used):
        ledger.record(Kind.FOLDER, str(folder))
        folder.mkdir()
    (used / "file").touch()
    teardown.take_down(ledger)
    assert not outer.exists()
    assert (used / "file").exists()
    assert not ledger.exists()


def test_the_run_folder_is_emptied(ledger: Ledger) -> None:
    folder = ledger.path.parent
    (folder / "node1").mkdir()
    (folder / "node1" / "kubelet.yaml").touch()
    (folder / "admin.kubeconfig").touch()
    teardown.take_down(ledger)
    assert not list(folder.iterdir())


def test_what_was_never_made_or_is_gone_is_no_error(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(Kind.FOLDER, str(tmp_path / "never-made"))
    ledger.record(Kind.LINK, "no-such-link0")
    ledger.record(Kind.NAMESPACE, "showstopper-no-such-namespace")
    ledger.record(Kind.MOUNT, str(tmp_path / "not-mounted"))
    teardown.take_down(ledger)
    teardown.take_down(ledger)
    assert not ledger.exists()


def test_what_cannot_be_removed_is_reported_and_stays_in_the_ledger(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> None:
        raise OSError(f"{name} is stuck")

    monkeypatch.setitem(teardown._REMOVERS, Kind.LINK, refuse)
    ledger.record(Kind.LINK, "one0")
    ledger.record(Kind.LINK, "two0")
    with pytest.raises(errors.LeftBehindError, match=r"(?s)two0 is stuck.*one0 is stuck"):
        teardown.take_down(ledger)
    assert ledger.exists()


def test_nothing_is_deleted_through_a_mount(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = ledger.path.parent / "mounted"
    inside.mkdir()
    (inside / "precious").touch()
    monkeypatch.setattr(mounts, "targets", lambda: [Path("/"), inside])
    with pytest.raises(errors.LeftBehindError, match="still mounted"):
        teardown.take_down(ledger)
    assert (inside / "precious").exists()


def test_a_blackhole_is_looked_for_by_its_type() -> None:
    assert teardown._destination("blackhole 198.18.0.0/15") == ["198.18.0.0/15", "type", "blackhole"]
    assert teardown._destination("198.18.1.0/24 via 198.18.255.11") == ["198.18.1.0/24"]
