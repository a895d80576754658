"""What a run's record keeps of its baseline, and that a run is judged by it when no listener knows it any more."""

import json
from typing import Any

import pytest

from showstopper.api.run import BaselineRecord, ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.api.verdicts import Verdict
from showstopper.availability.feed import Feed
from showstopper.availability.spans import State
from showstopper.availability.timeline import Timeline
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.runs import baselines, judging
from tests.availability.build import H, L, N, Q, Story, feed, spans
from tests.support import build

START = from_timestamp("2026-01-01T00:00:00Z")
RESIDENTS = tuple(f"pod-0/{number}" for number in range(20))
WELL: Story = [(L, 40)]


def run(**spec: Any) -> ExperimentRun:
    """A run whose baseline took 10 s, and whose kill came two seconds after it."""
    status = {
        "steps": [{"name": "Baseline", "startedAt": to_timestamp(START), "completedAt": to_timestamp(START + 10)}],
        "targets": [{"fault": "kill", "pod": "relay-1", "uid": "u", "answeredAt": to_timestamp(START + 12)}],
        "faults": [{"name": "kill", "kind": "podKill", "targets": 1, "proven": True, "reverted": True}],
    }
    return build.run(timing={"baseline": "10s", "recovery": "20s"}, status=status, **spec)


def told(stories: dict[str, Story], *, since: float = 0.0, boot: str = "boot-1") -> Feed:
    """What the residents' pod tells at 40 s of what ended later than that, in a process of its own."""
    whole = [span for name, story in stories.items() for span in spans(name, story)]
    kept = [part for span in whole if (part := span.clipped(whole[0].start + since, span.end))]
    return feed(kept, clock=40, offset=START, boot=boot)


def heard(*feeds: Feed) -> Timeline:
    timeline = Timeline()
    for each in feeds:
        timeline.add(each)
    return timeline


def everybody(story: Story, **others: Story) -> dict[str, Story]:
    return {name: others.get(f"r{place}", story) for place, name in enumerate(RESIDENTS)}


def kept(made: ExperimentRun, timeline: Timeline) -> ExperimentRun:
    """The same run when its baseline has been measured, as it comes back from the API server."""
    measured = judging.measure_baseline(made, judging.baseline_view(made, timeline, RESIDENTS), RESIDENTS)
    assert measured is not None
    status = made.status.model_copy(update={"baseline": measured.record, "windows": [measured.window]})
    return ExperimentRun.parse(json.loads(json.dumps(dump(made.model_copy(update={"status": status})))))


@pytest.mark.parametrize(
    "stories",
    [
        everybody(WELL),
        everybody([(L, 12), (N, 3), (L, 25)]),
        everybody([(L, 12), (N, 15), (L, 13)]),
        everybody(WELL, r7=[(Q, 40)]),
        everybody(WELL, r7=[(H, 2), (L, 38)]),
    ],
    ids=["well", "short", "long", "one-deaf", "one-late"],
)
def test_the_verdict_is_the_same_when_only_the_record_knows_the_baseline(stories: dict[str, Story]) -> None:
    expect = [{"indicator": "LongestDeadAir", "max": "5s"}, {"indicator": "RecoveryTime", "max": "5s"}]
    made, whole = run(expect=expect), heard(told(stories))
    after = judging.judge(kept(made, whole), heard(told(stories, since=11)), RESIDENTS)
    before = judging.judge(made, whole, RESIDENTS)
    assert after.decision == before.decision
    assert after.windows == before.windows
    assert after.outages == before.outages


def test_without_the_record_nothing_is_known_of_a_baseline_that_rings_have_dropped() -> None:
    late = heard(told(everybody(WELL), since=11))
    assert judging.judge(run(), late, RESIDENTS).decision.reason == "TooMuchUnknown"
    assert judging.judge(kept(run(), heard(told(everybody(WELL)))), late, RESIDENTS).decision.verdict is Verdict.PASSED


def test_the_joining_of_a_process_that_started_anew_is_nobodys_dead_air_though_its_first_life_is_forgotten() -> None:
    """One of twenty listeners starts anew after the kill; the operator begins later, and knows that life alone."""
    expect = [{"indicator": "LongestDeadAir", "max": "3s"}]
    made = kept(run(expect=expect), heard(told(everybody(WELL))))
    others = {name: story for name, story in everybody(WELL).items() if name != RESIDENTS[3]}
    anew = spans(RESIDENTS[3], [(State.JOINING, 4), (L, 23)], start=13)
    later = feed(anew, clock=40, offset=START, boot="boot-2", pod="pod-3")
    decision = judging.judge(made, heard(told(others), later), RESIDENTS).decision
    assert (decision.verdict, decision.reason) == (Verdict.INCONCLUSIVE, "NotMeasured"), decision.message


def test_a_baseline_takes_little_room_in_the_record_of_the_largest_room() -> None:
    places = list(range(9_000, 9_500))
    largest = BaselineRecord(
        residents=10_000, unknown=0.0, audible_at_least=0.9, audible_at_most=0.9, unheard=places, unseen=places
    )
    assert len(json.dumps(dump(largest))) < 8 * 1024


def test_of_a_room_that_is_not_heard_at_all_no_more_is_kept() -> None:
    names = tuple(f"r{number}" for number in range(2_000))
    timeline = heard(feed([span for name in names for span in spans(name, [(Q, 40)])], clock=40, offset=START))
    measured = judging.measure_baseline(run(), judging.baseline_view(run(), timeline, names), names)
    assert measured is not None
    assert len(measured.record.unheard) == baselines.MOST_NAMED
