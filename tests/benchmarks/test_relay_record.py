"""What a relay says that it sent, and what was counted."""

import os
from pathlib import Path

import pytest

from bench import crowd, relay_record
from bench.loopback import loopback
from bench.relay_record import Compared


def closed(listener: str, count: int, direction: str = "downstream") -> str:
    """As LiveKit 1.13.5 writes it, shortened."""
    return (
        "2026-11-29T07:00:00.000Z\tDEBUG\tlivekit.sub\tsfu/downtrack.go:1446\trtp stats\t"
        f'{{"room": "bench", "participant": "{listener}", "direction": "{direction}", "stats": {{"elapsed": "5.0s", '
        f'"packetsExpected": 9999, "packetsSeenPrimary": {count}, "packetsSeenPrimaryRate": 50.1}}, "statsRTX": {{}}}}'
    )


def test_the_sessions_of_a_listener_are_added_up_and_all_else_is_left_out() -> None:
    lines = [
        closed("crowd-1", 100),
        closed("crowd-2", 50),
        closed("crowd-1", 20),
        closed("host", 7, direction="upstream"),
        '{"participant": "crowd-1", "packetsSeenPrimary": 1000}',
    ]
    assert relay_record.sent(lines) == {"crowd-1": 120, "crowd-2": 50}


@pytest.mark.parametrize(
    ("received", "compared"),
    [
        ({"a": 10, "b": 20}, Compared(2, 0, 0)),
        ({"a": 9, "b": 18}, Compared(2, 2, 3)),
        ({"a": 10, "b": 20, "c": 5}, Compared(2, 1, 0)),
        ({"a": 11}, Compared(1, 0, 0)),
    ],
    ids=["all", "fewer", "without a record", "more"],
)
def test_who_counted_fewer_missed_some_and_so_did_who_has_no_record(
    received: dict[str, int], compared: Compared
) -> None:
    assert relay_record.compare({"a": 10, "b": 20}, received) == compared


def test_a_log_is_read_until_everybody_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "relay.log"
    log.write_text(closed("a", 10) + "\n")
    assert relay_record.read(log, {"a": 10}) == Compared(1, 0, 0)
    monkeypatch.setattr(relay_record, "PATIENCE_SECONDS", 0.0)
    assert relay_record.read(log, {"a": 10, "b": 10}) == Compared(1, 1, 0)


@pytest.mark.livekit
def test_a_real_relay_s_record_is_what_a_crowd_counted(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    with loopback(tmp_path, core, log_level="debug") as running:
        heard, compared = crowd.crowd(running, core, 5, 1.0)
    assert heard["hearing"] == 5
    assert compared == Compared(5, 0, 0)
