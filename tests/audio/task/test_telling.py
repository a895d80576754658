import json
import os
from pathlib import Path

from showstopper.audio.task import telling


def test_a_line_is_an_object(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    telling.tell({"event": "flooding", "packets": 3}, writing)
    assert json.loads(os.read(reading, 4096)) == {"event": "flooding", "packets": 3}
    telling.leave({"event": "flooded"}, tmp_path / "message")
    assert json.loads((tmp_path / "message").read_text()) == {"event": "flooded"}


def test_nobody_who_reads_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    filled = 0
    try:
        while True:
            filled += os.write(writing, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writing, True)
    telling.tell({"event": "flooding"}, writing)  # must return
    os.set_blocking(reading, False)
    assert len(os.read(reading, 2 * filled)) == filled
    telling.tell({"event": "flooding"}, writing)
    assert json.loads(os.read(reading, 4096))["event"] == "flooding"


def test_a_reader_who_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    telling.tell({"event": "flooding"}, writing)
