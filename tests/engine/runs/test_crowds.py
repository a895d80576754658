"""Verdicts on a room with a crowd: of whom an expectation is, and what it takes to rely on either kind."""

import json
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.crowd_feed import Failures
from showstopper.availability.feed import Feed
from showstopper.availability.timeline import Timeline
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import crowds, judging
from showstopper.engine.runs.judging import Judgement
from tests.availability.build import J, L, N, Q, Story, U, feed, spans
from tests.support import build

START = from_timestamp("2026-01-01T00:00:00Z")
RESIDENTS = ("main-stage-listeners-0/0", "main-stage-listeners-0/1")
WELL: Story = [(L, 40)]
LOST: Story = [(L, 13), (N, 5), (L, 22)]
CROWD = {"indicator": "LongestDeadAir", "listeners": "Crowd", "max": "2s"}
ALL = {"indicator": "AudibleRatio", "listeners": "All", "min": "95%"}
FLEET = {"indicator": "LongestDeadAir", "max": "2s"}


def run(*expect: dict[str, Any], count: int = 40) -> ExperimentRun:
    """A run whose baseline took 10 s, and whose kill came two seconds after it."""
    status = {
        "steps": [{"name": "Baseline", "startedAt": to_timestamp(START), "completedAt": to_timestamp(START + 10)}],
        "targets": [{"fault": "kill", "pod": "relay-1", "uid": "u", "answeredAt": to_timestamp(START + 12)}],
        "faults": [{"name": "kill", "kind": "podKill", "targets": 1, "proven": True, "reverted": True}],
    }
    made = build.run(timing={"baseline": "10s", "recovery": "20s"}, status=status, expect=list(expect))
    crowd = {"count": count, "perPod": 20} if count else None
    body = dump(made)
    body["spec"]["room"]["spec"]["listeners"] = {"count": 2, "crowd": crowd}
    return ExperimentRun.parse(json.loads(json.dumps(body)))


def told(pod: str, stories: dict[str, Story]) -> Feed:
    whole = [span for name, story in stories.items() for span in spans(name, story)]
    whole = [replace(span, missing=span.seconds) if span.state is N else span for span in whole]
    return feed(whole, clock=40, offset=START, boot=f"boot-{pod}", pod=pod)


def timeline(*feeds: Feed) -> Timeline:
    kept = Timeline()
    for each in feeds:
        kept.add(each)
    return kept


def fleet(story: Story = WELL) -> Timeline:
    return timeline(told("main-stage-listeners-0", dict.fromkeys(RESIDENTS, story)))


def crowd(run: ExperimentRun, *stories: Story) -> Timeline:
    """The crowd's listeners, each in the next of these stories, the last in the last."""
    listeners = names.crowd_listeners(run.room)
    of = {name: stories[min(place, len(stories) - 1)] for place, name in enumerate(listeners)}
    pods = {name.partition("/")[0] for name in listeners}
    return timeline(*(told(pod, {name: of[name] for name in listeners if name.startswith(f"{pod}/")}) for pod in pods))


def judge(run: ExperimentRun, *stories: Story, heard: Story = WELL) -> Judgement:
    return judging.judge(run, fleet(heard), RESIDENTS, crowd=crowd(run, *stories))


def verdict(judged: Judgement) -> tuple[str, str]:
    return str(judged.decision.verdict), str(judged.decision.reason)


def test_an_expectation_of_the_crowd_is_judged_by_the_crowd() -> None:
    assert verdict(judge(run(CROWD), WELL)) == ("Passed", "ExpectationsMet")
    missed = judge(run(CROWD), LOST, WELL)
    assert verdict(missed) == ("Failed", "ExpectationMissed")
    assert "LongestDeadAir of the crowd 5 s > 2 s" in missed.decision.message


def test_one_of_the_fleet_is_not() -> None:
    assert verdict(judge(run(FLEET), LOST, WELL)) == ("Passed", "ExpectationsMet")


def test_an_expectation_of_all_counts_both() -> None:
    """Forty of 42 lose 5 of 20 seconds."""
    judged = judge(run(ALL), LOST)
    assert verdict(judged)[0] == "Failed"
    assert judged.expectations[0].value == "76.1%"
    assert judged.expectations[0].indicator == "AudibleRatio of fleet and crowd"


def test_who_of_the_fleet_was_deaf_before_the_fault_is_held_against_nothing_of_all_either() -> None:
    residents = tuple(f"main-stage-listeners-0/{number}" for number in range(20))
    told_by = {name: [(Q, 40.0)] if name == residents[7] else WELL for name in residents}
    made = run({"indicator": "LongestDeadAir", "listeners": "All", "max": "2s"})
    heard = timeline(told("main-stage-listeners-0", told_by))
    judged = judging.judge(made, heard, residents, crowd=crowd(made, WELL))
    assert verdict(judged) == ("Passed", "ExpectationsMet"), judged.decision.message


def test_the_record_has_the_crowd_beside_the_fleet() -> None:
    record = judge(run(CROWD), LOST).crowd
    assert record is not None
    assert [window.name for window in record.windows] == ["Baseline", "Judged"]
    assert {window.residents for window in record.windows} == {40}
    assert record.baseline is not None
    assert record.baseline.audible == 1.0
    assert [outage.dead_air for outage in record.outages] == ["5s"] * 10


def test_a_room_without_a_crowd_has_no_record_of_one() -> None:
    assert judging.judge(run(FLEET, count=0), fleet(), RESIDENTS, crowd=Timeline()).crowd is None


def test_a_crowd_that_told_nothing_is_no_evidence() -> None:
    made = run(CROWD)
    judged = judging.judge(made, fleet(), RESIDENTS, crowd=Timeline())
    assert verdict(judged) == ("Inconclusive", "TooMuchUnknown")
    assert "crowd" in judged.decision.message


def test_a_crowd_that_nothing_is_expected_of_spoils_no_verdict() -> None:
    assert verdict(judging.judge(run(FLEET), fleet(), RESIDENTS, crowd=Timeline()))[0] == "Passed"
    assert verdict(judge(run(FLEET), [(U, 40)]))[0] == "Passed"


@pytest.mark.parametrize(
    ("stories", "reason"),
    [
        ([[(Q, 40)]] * 4 + [WELL], "BaselineBroken"),
        ([[(U, 40)]] * 4 + [WELL], "TooMuchUnknown"),
        ([[(L, 20), (U, 20)]] * 10 + [WELL], "ListenersGone"),
        ([[(L, 13), (U, 10), (L, 17)]] * 10 + [WELL], "TooMuchUnknown"),
    ],
    ids=["deaf before", "unknown before", "gone", "unknown after"],
)
def test_a_crowd_has_to_be_known_and_well_before_as_a_fleet_has(stories: list[Story], reason: str) -> None:
    assert verdict(judge(run(CROWD), *stories)) == ("Inconclusive", reason)


def test_the_verdict_is_the_same_when_only_the_record_knows_the_baseline() -> None:
    made, stories = run(CROWD, ALL), ([(Q, 40)], LOST, WELL)
    whole = crowd(made, *stories)
    kept = crowds.measure_baseline(crowds.baseline_view(made, whole), made)
    before = judging.measure_baseline(made, judging.baseline_view(made, fleet(), RESIDENTS), RESIDENTS)
    assert before is not None
    status = made.status.model_copy(update={"crowd": kept, "baseline": before.record, "windows": [before.window]})
    later = ExperimentRun.parse(json.loads(json.dumps(dump(made.model_copy(update={"status": status})))))
    assert judge(later, *stories).decision == judge(made, *stories).decision
    assert judge(later, *stories).crowd == judge(made, *stories).crowd


def stopped(at: float) -> Story:
    return [(L, at), (N, 4), (J, 1), (L, 35 - at)]


def test_two_instruments_that_tell_different_times_of_one_outage_are_not_relied_upon() -> None:
    judged = judge(run(FLEET), stopped(13.0), heard=stopped(13.05))
    assert verdict(judged) == ("Inconclusive", "InstrumentsDisagree")
    assert "50 ms apart" in judged.decision.message


def test_two_that_agree_say_so_in_the_record() -> None:
    judged = judge(run({**FLEET, "max": "6s"}), stopped(13.0), heard=stopped(13.008))
    assert verdict(judged)[0] == "Passed"
    assert judged.crowd is not None
    assert [(start.after, start.fleet_later) for start in judged.crowd.starts] == [("1s", "8.0ms")]


def test_the_recovery_of_all_is_from_the_baselines_of_both() -> None:
    expect = {"indicator": "RecoveryTime", "listeners": "All", "max": "9s"}
    judged = judge(run(expect), stopped(13.0), heard=stopped(13.0))
    assert verdict(judged)[0] == "Passed"
    assert judged.expectations[0].value == "6s"


def test_a_crowd_makes_a_record_no_larger_than_a_record_may_be() -> None:
    made = run(CROWD, count=1000)
    record = judge(made, stopped(13.0), heard=stopped(13.0)).crowd
    assert record is not None
    assert len(json.dumps(dump(record))) < 8 * 1024


def test_who_expects_something_of_a_crowd_says_so() -> None:
    assert crowds.is_asked(run(ALL))
    assert not crowds.is_asked(run(FLEET))


def test_a_crowd_that_did_nothing_itself_is_relied_upon() -> None:
    assert crowds.failed(Failures()) is None


@pytest.mark.parametrize(
    ("failures", "words"), [(Failures(drops=3), "dropped 3 packets"), (Failures(stalled=1.4), "up to 1.4 s")]
)
def test_one_that_dropped_packets_or_stood_still_is_not(failures: Failures, words: str) -> None:
    finding = crowds.failed(failures)
    assert finding is not None
    assert finding.reason == "InstrumentsDisagree"
    assert words in finding.message
