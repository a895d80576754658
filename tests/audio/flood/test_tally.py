import errno
import json

from showstopper.audio.flood.tally import Tally
from showstopper.audio.task.ending import EndReason


def test_the_report_counts_from_the_beginning_and_names_errors() -> None:
    tally = Tally(size=172, began=1000.0, sent=3000)
    tally.failed.update({errno.ENOBUFS: 64, errno.EPERM: 1, 9999: 2})
    assert tally.tried == 3067
    assert json.loads(json.dumps(tally.report(EndReason.SECONDS, 1002.0))) == {
        "event": "flooded",
        "ended_by": "Seconds",
        "packets": 3000,
        "bytes": 516_000,
        "seconds": 2.0,
        "errors": {"EPERM": 1, "ENOBUFS": 64, "9999": 2},
        "packets_per_second": 1500.0,
    }


def test_progress_has_the_rate_since_it_was_last_told() -> None:
    tally = Tally(size=172, began=1000.0, sent=100)
    assert tally.progress(1001.0)["packets_per_second"] == 100
    tally.sent = 400
    line = tally.progress(1002.5)
    assert (line["packets"], line["seconds"], line["packets_per_second"]) == (400, 2.5, 200)


def test_a_flood_that_took_no_time_has_no_rate() -> None:
    assert Tally(size=172, began=1000.0).report(EndReason.END, 1000.0)["packets_per_second"] == 0
