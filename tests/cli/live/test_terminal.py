"""The picture of a run, as a terminal without colours has it."""

import re
from dataclasses import replace

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.feed import Arrival
from showstopper.availability.timeline import Timeline
from showstopper.cli.live import terminal
from showstopper.cli.live.snapshot import LiveSnapshot
from showstopper.report.words import short_name
from tests.availability.build import J, L, N, Q, Story
from tests.cli.build import KILL, at, crowd_heard, heard, recovering, snapshot, step, text, with_crowd
from tests.support import build

HEARS = [(L, 20.0)]
LOSES = [(L, 6.5), (N, 4.0), (J, 1.5), (L, 8.0)]

GOLDEN = """\
kill in room show/main-stage, run kill-1
Baseline 5.0s → Injecting 0.0s → Recovering 15s, 5s left
listener now         the last 34 s                      audible dead air
fault    podKill                        ▼ kill                   not yet
0/0      Live                      ████████████████████    100%
0/1      Live                      ██████xxxxxJ████████   72.5%     5.5s
 █ hears the host  x no media  J joining
indicator       so far  expected
AudibleRatio     81.6%     ≥ 70%
LongestDeadAir    5.5s     ≤ 20s"""


def drawn(of: object, width: int = 80, height: int = 40) -> str:
    return text(terminal.draw(of, width=width, height=height), width)  # type: ignore[arg-type]


def test_the_picture_of_a_run_after_its_fault() -> None:
    assert drawn(snapshot(recovering(), HEARS, LOSES, now=20)) == GOLDEN


def test_it_is_as_wide_as_the_terminal_and_no_wider() -> None:
    for width in (70, 80, 120, 200):
        lines = drawn(snapshot(recovering(), HEARS, LOSES, now=20), width).splitlines()
        assert all(len(line) <= width for line in lines)
        assert sum("0/1" in line for line in lines) == 1


def test_before_its_first_step_a_run_says_what_it_waits_for() -> None:
    ready = {"type": "Ready", "status": "Unknown", "reason": "WaitingForRoom", "message": "waits for run other"}
    shown = drawn(snapshot(build.run(created=at(0), status={"conditions": [ready]}), HEARS, HEARS, now=20))
    assert "waits for run other" in shown
    assert "▼" not in shown


def test_nothing_is_judged_before_the_injection() -> None:
    run = build.run(status={"startedAt": at(0), "steps": [step("Baseline", 0)]})
    shown = drawn(snapshot(run, HEARS, LOSES, now=3))
    assert "Baseline 3s, 2s left" in shown
    assert "AudibleRatio       …     ≥ 70%" in shown


def test_a_run_that_is_over_has_nothing_left_to_do() -> None:
    steps = [step("Baseline", 0, KILL), step("Recovering", KILL), step("Judged", 12, 12)]
    shown = drawn(snapshot(recovering(steps=steps, verdict="Aborted", finishedAt=at(12)), HEARS, LOSES, now=20))
    assert "Baseline 5.0s → Recovering 7.0s → Judged\n" in shown


def test_why_there_is_no_sound_is_said() -> None:
    assert "you may not get pods/proxy" in drawn(snapshot(recovering(), HEARS, LOSES, 20, "you may not get pods/proxy"))


def test_without_any_feed_the_listeners_are_not_known() -> None:
    shown = drawn(LiveSnapshot(recovering(), heard([], []).__class__(), snapshot(recovering(), HEARS, HEARS, 20).now))
    assert shown.count("Unknown") == 2


def test_in_a_low_terminal_those_who_fare_worst_are_shown() -> None:
    shown = drawn(snapshot(recovering(), HEARS, [(L, 6.0), (Q, 14.0)], now=20), height=terminal.OTHER_LINES + 1)
    assert "0/1" in shown
    assert "0/0" not in shown
    assert "and 1 more" in shown


def test_a_proven_fault_is_said_to_be() -> None:
    run = recovering(faults=[{"name": "kill", "kind": "podKill", "targets": 1, "proven": True}])
    assert drawn(snapshot(run, HEARS, LOSES, now=KILL + 9)).splitlines()[3].endswith("proven")


def test_short_names() -> None:
    assert short_name("main-stage-listeners-0/1") == "0/1"
    assert short_name("the-listeners-room-listeners-3/a17") == "3/a17"
    assert short_name("main-stage-crowd-0/17") == "crowd 0/17"
    assert short_name("main-stage-crowd-0/a17") == "crowd 0/a17"
    assert short_name("unseen/0") == "unseen/0"


CROWD_GOLDEN = """\
kill in room show/main-stage, run kill-1
Baseline 5.0s → Injecting 0.0s → Recovering 15s, 5s left
listener now         the last 34 s                      audible dead air
fault    podKill                        ▼ kill                   not yet
0/0      Live                      ████████████████████    100%
0/1      Live                      ██████xxxxxJ████████   72.5%     5.5s
crowd    Live                      ██████JJJJJJJJ█        73.3%       8s
 █ hears the host  x no media  J joining
indicator                        so far  expected
AudibleRatio                      81.6%     ≥ 70%
LongestDeadAir                     5.5s     ≤ 20s
AudibleRatio of the crowd         59.9%     ≥ 95%
AudibleRatio of fleet and crowd   60.5%     ≥ 90%"""
GONE: Story = [(L, 6.0), (J, 8.0), (L, 6.0)]


def crowded(run: ExperimentRun, *stories: Story, settled: float = 15.0) -> LiveSnapshot:
    live_snapshot = snapshot(run, HEARS, LOSES, now=20)
    return replace(live_snapshot, crowd=crowd_heard(run, *stories, settled=settled))


def test_a_crowd_has_one_row_which_is_late() -> None:
    run = with_crowd(
        recovering(),
        {"indicator": "AudibleRatio", "listeners": "Crowd", "min": "95%"},
        {"indicator": "AudibleRatio", "listeners": "All", "min": "90%"},
    )
    assert drawn(crowded(run, *[GONE] * 20, HEARS)) == CROWD_GOLDEN


def test_a_few_are_not_the_crowd() -> None:
    run = with_crowd(recovering())
    assert "█" * 15 in drawn(crowded(run, GONE, GONE, HEARS)).split("crowd", 1)[1].splitlines()[0]
    assert "J" * 8 in drawn(crowded(run, GONE, GONE, GONE, HEARS)).split("crowd", 1)[1].splitlines()[0]


def test_a_crowd_of_which_nothing_is_known_is_not_known() -> None:
    run = with_crowd(recovering(), {"indicator": "AudibleRatio", "listeners": "Crowd", "min": "95%"})
    shown = drawn(replace(snapshot(run, HEARS, LOSES, now=20), crowd=Timeline()))
    assert "crowd    Unknown" in shown
    assert "AudibleRatio of the crowd       …     ≥ 95%" in shown


def test_a_picture_of_a_room_without_a_crowd_is_as_it_was() -> None:
    assert "crowd" not in drawn(snapshot(recovering(), HEARS, LOSES, now=20))


def test_newcomers_of_a_crowd_are_a_figure() -> None:
    asked = {"indicator": "ArrivalAudible", "listeners": "Crowd", "min": "95%"}
    body = dump(with_crowd(recovering(), asked))
    body["spec"]["room"]["spec"]["listeners"]["crowd"]["arrivals"] = {"every": "1s", "stay": "2s"}
    run = ExperimentRun.parse(body)
    calls = list[Arrival]()
    for number in range(14):
        live = None if number == 10 else number + 0.5
        seen = min(number + 2.0, 15.0)
        left = seen if seen < 15.0 else None
        joined = number + 0.25
        who = f"main-stage-crowd-0/a{number}"
        calls.append(Arrival(who, float(number), joined, live, live, left, "", seen, seen, followed=False))
    crowd = crowd_heard(run, HEARS, settled=15.0, arrivals=calls)
    shown = drawn(replace(snapshot(run, HEARS, LOSES, now=20), crowd=crowd))
    assert re.search(r"ArrivalAudible of the crowd +88.8% +≥ 95%", shown), shown
