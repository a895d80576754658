"""The lines of a run in a log: each change once."""

from showstopper.availability.timeline import Timeline
from showstopper.cli.live.log import RunLog
from showstopper.cli.live.snapshot import LiveSnapshot
from tests.availability.build import EPOCH, J, L, N, U
from tests.cli.build import at, judged, recovering, snapshot, step, text
from tests.support import build

HEARS = [(L, 20.0)]


def told(*snapshots: LiveSnapshot) -> list[str]:
    log = RunLog()
    return [line for each in snapshots for line in log.news(each)]


def test_a_whole_run_is_told_once_and_in_order() -> None:
    run = build.run(created=at(-1), status={"startedAt": at(0), "steps": [step("Baseline", 0)]})
    lost = [(L, 7.0), (N, 1.0)]
    back = [(L, 7.0), (N, 3.0), (J, 0.5), (L, 9.5)]
    assert told(
        snapshot(run, [(L, 4.0)], [(L, 4.0)], now=4),
        snapshot(recovering(), [(L, 8.0)], lost, now=8),
        snapshot(recovering(), [(L, 8.0)], lost, now=8),
        snapshot(recovering(), HEARS, back, now=20),
        snapshot(judged(), HEARS, back, now=20),
    ) == [
        "  +0.00s Baseline",
        "  +5.00s Injecting",
        "  +5.03s kill: deleted relay-a",
        "  +5.03s Recovering",
        "  +7.00s main-stage-listeners-0/1 no longer hears the host",
        " +10.50s main-stage-listeners-0/1 is back after 3.50s",
        "        kill: proven",
    ]


def test_what_was_done_to_a_target_is_said_by_the_kind_of_its_fault() -> None:
    loss = {"name": "kill", "target": {"component": "relay"}, "duration": "5s", "packetLoss": {"percent": "5%"}}
    run = recovering()
    lossy = run.model_copy(update={"spec": build.run(faults=[loss]).spec})
    assert "  +5.03s kill: drops packets of relay-a" in told(snapshot(lossy, HEARS, HEARS, 20))


def test_an_outage_that_came_and_went_between_two_looks_is_told() -> None:
    assert told(snapshot(recovering(), HEARS, [(L, 9.0), (N, 0.3), (L, 10.7)], now=20))[-2:] == [
        "  +9.00s main-stage-listeners-0/1 no longer hears the host",
        "  +9.30s main-stage-listeners-0/1 is back after 0.30s",
    ]


def test_what_is_not_known_is_not_an_outage() -> None:
    assert not [line for line in told(snapshot(recovering(), HEARS, [(L, 9.0), (U, 11.0)], 20)) if "hear" in line]


def test_the_second_outage_of_a_listener_is_news() -> None:
    story = [(L, 6.0), (N, 1.0), (L, 3.0), (N, 2.0), (L, 8.0)]
    lines = told(snapshot(recovering(), HEARS, story, 20))
    assert sum("no longer hears" in line for line in lines) == 2
    assert sum("is back" in line for line in lines) == 2


def test_why_a_run_waits_is_told() -> None:
    ready = {"type": "Ready", "status": "Unknown", "reason": "WaitingForRoom", "message": "waits for run other"}
    waiting = build.run(created=at(0), status={"conditions": [ready]})
    assert told(snapshot(waiting, [], [], 0), snapshot(waiting, [], [], 1)) == [
        "        WaitingForRoom: waits for run other"
    ]


def test_a_reason_for_silence_is_told_once() -> None:
    dark = snapshot(recovering(), HEARS, HEARS, 20, "no sound to show")
    assert told(dark, dark).count("no sound to show") == 1


def test_nothing_is_told_of_a_room_without_feeds() -> None:
    silent = snapshot(recovering(), HEARS, HEARS, 20)
    log = RunLog()
    assert all("hear" not in line for line in log.news(type(silent)(recovering(), Timeline(), EPOCH + 20)))
    assert text("") == ""
