"""The ledger names what was made, also when its writer was killed in the middle of a line."""

import json
from pathlib import Path

from dev.cluster.ledger import Kind, Ledger, parse


def write(ledger: Ledger, **fields: object) -> None:
    with ledger.path.open("a") as file:
        file.write(json.dumps({"kind": "process", "name": "node1", "pid": 7, "started": 9} | fields) + "\n")


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "run" / "ledger.jsonl")
    assert not ledger.exists()
    ledger.open()
    ledger.record(Kind.NAMESPACE, "a")
    ledger.record(Kind.ROUTE, "blackhole 198.18.0.0/15")
    assert [(entry.kind, entry.name) for entry in ledger.entries()[1:]] == [
        (Kind.NAMESPACE, "a"),
        (Kind.ROUTE, "blackhole 198.18.0.0/15"),
    ]


def test_a_torn_last_line_is_left_out() -> None:
    assert parse('{"kind": "process", "na') is None


def test_the_newest_process_of_a_name_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.open()
    write(ledger, pid=1)
    write(ledger, pid=2)
    entry = ledger.process("node1")
    assert entry is not None
    assert entry.pid == 2
    assert ledger.process("node2") is None


def test_processes_of_an_earlier_boot_are_not_ours(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    write(ledger, kind="boot", name="another-boot")
    write(ledger)
    ledger.record(Kind.FOLDER, "/var/lib/cni")
    assert [entry.kind for entry in ledger.entries()] == [Kind.BOOT, Kind.FOLDER]


def test_no_ledger_has_no_entries(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "ledger.jsonl").entries() == []
