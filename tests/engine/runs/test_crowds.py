"""Verdicts on a room with a crowd: of whom an expectation is, and what it takes to rely on either kind."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.crowd_feed import Failures
from showstopper.availability.feed import Arrival, Feed
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


CALLS = {"every": "1s", "stay": "4s"}
OF_CROWD = {"indicator": "ArrivalAudible", "listeners": "Crowd", "min": "95%"}
OF_ALL = {"indicator": "ArrivalAudible", "listeners": "All", "min": "95%"}
PODS = ("main-stage-crowd-0", "main-stage-crowd-1")


def coming(*expect: dict[str, Any]) -> ExperimentRun:
    """The run of `run`, in whose room newcomers of the crowd come to both of its pods in turn."""
    body = json.loads(json.dumps(dump(run(*expect))))
    body["spec"]["room"]["spec"]["listeners"]["crowd"]["arrivals"] = CALLS
    return ExperimentRun.parse(body)


def newcomer(number: int, live: float | None = 0.5, sure: float | None = None) -> Arrival:
    """The one that calls so many seconds after the begin, and when after that it hears the host."""
    called = float(number)
    heard = None if live is None else called + live
    return Arrival(
        listener=f"{PODS[number % 2]}/a{number}",
        called=called,
        joined=called + 0.25,
        first_audio=heard,
        first_live=heard,
        left=called + 4.0,
        error="",
        seen_until=called + 4.0,
        sure_until=called + 4.0 if sure is None else called + sure,
        followed=False,
    )


def with_newcomers(made: ExperimentRun, visits: Iterable[Arrival]) -> Timeline:
    """A crowd that hears the host all the time, and these newcomers."""
    calls = list(visits)
    listeners = names.crowd_listeners(made.room)
    feeds = [
        replace(
            told(pod, {name: WELL for name in listeners if name.startswith(f"{pod}/")}),
            arrivals=tuple(call for call in calls if call.listener.startswith(f"{pod}/")),
        )
        for pod in PODS
    ]
    return timeline(*feeds)


def judged_by(made: ExperimentRun, visits: Iterable[Arrival]) -> Judgement:
    return judging.judge(made, fleet(), RESIDENTS, crowd=with_newcomers(made, visits))


def cut_off(number: int) -> Arrival:
    """Who calls in the five seconds after the fault hears nothing."""
    return newcomer(number, None if 12 <= number < 17 else 0.5)


def test_an_expectation_of_the_crowd_s_newcomers_is_judged_by_them() -> None:
    well = judged_by(coming(OF_CROWD), map(newcomer, range(36)))
    assert verdict(well) == ("Passed", "ExpectationsMet"), well.decision.message
    missed = judged_by(coming(OF_CROWD), map(cut_off, range(36)))
    assert verdict(missed) == ("Failed", "ExpectationMissed")
    assert missed.expectations[0].indicator == "ArrivalAudible of the crowd"
    assert missed.expectations[0].value == "75%"


def test_what_became_of_them_is_not_held_against_the_crowd_s_listeners() -> None:
    """They tell when they got in and first heard the host. What is heard after that, listeners tell who stay."""
    silence = {"indicator": "LongestDeadAir", "listeners": "Crowd", "max": "2s"}
    judged = judged_by(coming(silence), map(cut_off, range(36)))
    assert verdict(judged) == ("Passed", "ExpectationsMet"), judged.decision.message


def test_one_of_all_counts_the_newcomers_of_both() -> None:
    made = coming(OF_ALL)
    judged = judged_by(made, map(newcomer, range(36)))
    assert verdict(judged) == ("Inconclusive", "NotMeasured"), "the fleet's were due, too, and did not call"
    body = json.loads(json.dumps(dump(made)))
    body["spec"]["room"]["spec"]["listeners"]["arrivals"] = None
    alone = ExperimentRun.parse(body)
    judged = judged_by(alone, map(newcomer, range(36)))
    assert verdict(judged) == ("Passed", "ExpectationsMet"), judged.decision.message
    assert judged.expectations[0].indicator == "ArrivalAudible of fleet and crowd"


def test_a_room_that_was_broken_for_them_before_the_fault_is_not_failed_by_it() -> None:
    def deaf(number: int) -> Arrival:
        return newcomer(number, None if number < 10 else 0.5)

    made = coming(OF_CROWD)
    judged = judged_by(made, map(deaf, range(36)))
    assert verdict(judged) == ("Inconclusive", "BaselineBroken")
    assert "newcomers were not well (ArrivalAudible of the crowd" in judged.decision.message
    crowd = crowds.baseline_view(made, with_newcomers(made, map(deaf, range(36))))
    broken = judging.broken_baseline(made, judging.baseline_view(made, fleet(), RESIDENTS), crowd)
    assert broken is not None
    assert broken.reason == "BaselineBroken"


def test_newcomers_of_a_pod_that_sends_none_are_missing() -> None:
    judged = judged_by(coming(OF_CROWD), (newcomer(number) for number in range(0, 36, 2)))
    assert verdict(judged) == ("Inconclusive", "NotMeasured")
    assert "of the calls that were due" in judged.decision.message


def test_whom_we_lost_sight_of_by_our_own_doing_are_neither_good_nor_bad() -> None:
    judged = judged_by(coming(OF_CROWD), (newcomer(number, None, sure=1.0) for number in range(36)))
    assert verdict(judged) == ("Inconclusive", "NotMeasured")
    some = (newcomer(number, None, 1.0) if 12 <= number < 17 else newcomer(number) for number in range(36))
    judged = judged_by(coming(OF_CROWD), some)
    assert verdict(judged) == ("Inconclusive", "NotMeasured")
    assert judged.expectations[0].value == "100%"


def test_the_record_has_the_figures_of_newcomers_where_the_crowd_has_any() -> None:
    def recorded(judgement: Judgement) -> set[str]:
        assert judgement.crowd is not None
        return {measured.indicator for window in judgement.crowd.windows for measured in window.indicators}

    theirs = {f"{name} of the crowd" for name in ("JoinSuccess", "TimeToFirstAudio", "ArrivalAudible")}
    assert theirs <= recorded(judged_by(coming(CROWD), map(newcomer, range(36))))
    assert not theirs & recorded(judge(run(CROWD), WELL))


def test_a_run_says_whom_it_needs_and_the_room_has_not() -> None:
    assert crowds.nobody(run(FLEET, count=0)) is None
    missing = crowds.nobody(run(OF_CROWD, count=0))
    assert missing is not None
    assert missing.reason == "NoCrowd"
    assert crowds.nobody(run(CROWD)) is None
    for expected in (OF_CROWD, OF_ALL):
        missing = crowds.nobody(run(CROWD, expected))
        assert missing is not None
        assert missing.reason == "NoCrowdArrivals"
        assert "ArrivalAudible of" in missing.message
        assert "add listeners.crowd.arrivals to it" in missing.message
        assert crowds.nobody(coming(CROWD, expected)) is None
