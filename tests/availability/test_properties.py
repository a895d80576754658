"""The whole way, from feeds to a verdict: what must hold whatever happened in a room and whatever of it was seen."""

import dataclasses
import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.api.verdicts import Verdict
from showstopper.availability import coverage
from showstopper.availability.expectations import Expectation, Outcome, judge_all
from showstopper.availability.feed import Feed
from showstopper.availability.indicators import INDICATORS, Recovery, measure_all
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.timeline import Timeline
from showstopper.availability.verdict import Decision, Evidence, FaultEvidence, decide
from tests.availability.build import (
    EPOCH,
    C,
    J,
    L,
    N,
    Story,
    U,
    arrival_json,
    feed,
    hide,
    known_stories,
    rows_of,
    spans,
    stories,
    timeline,
    window,
)

# Indicators that statistics say nothing of.
BY_SPANS = (
    JOIN_SUCCESS,
    TIME_TO_FIRST_AUDIO,
    AUDIBLE_RATIO,
    ARRIVAL_AUDIBLE,
    LONGEST_DEAD_AIR,
    OUTAGE_COUNT,
    RECOVERY_TIME,
    RECONNECTS,
)
BASELINE, JUDGED = (0.0, 15.0), (15.0, 60.0)
# A newcomer's visit: when it calls, what it goes through, and whether the record of the visit has come.
Visit = tuple[float, Story, bool]


@dataclasses.dataclass(frozen=True)
class Room:
    """What two residents (60 s from the epoch on) and some newcomers went through."""

    residents: list[Story]
    visits: list[Visit]

    def feeds(self, offset: float = EPOCH) -> list[Feed]:
        closed = [span for index, story in enumerate(self.residents) for span in spans(f"r{index}", story)]
        records, still = [], []
        for index, (called, story, recorded) in enumerate(self.visits):
            visit = spans(f"a{index}", story, called, Kind.ARRIVAL)
            ended = visit[-1].end <= EPOCH + 60
            inside = [part for span in visit if (part := span.clipped(span.start, EPOCH + 60))]
            closed += inside if ended else inside[:-1]
            still += [] if ended else inside[-1:]
            if ended and recorded:
                records.append(_record(f"a{index}", visit))
        halves = [span for span in closed if span.end <= EPOCH + 30], [span for span in closed if span.end > EPOCH + 30]
        counted = [row for index, story in enumerate(self.residents) for row in rows_of(f"r{index}", story)]
        rows = [row for row in counted if row.end <= 30], [row for row in counted if row.end > 30]
        second: dict[str, Any] = {"arrivals": records, "statistics": rows[1], "first": len(halves[0]) + 1}
        return [
            feed(halves[0], clock=30, offset=offset, statistics=rows[0]),
            feed(halves[1], still, clock=60, offset=offset, **second),
        ]


def _record(name: str, visit: list[Span]) -> dict[str, Any]:
    def first(*states: str) -> float | None:
        return next((span.start - EPOCH for span in visit if span.state in states), None)

    return arrival_json(
        name,
        visit[0].start - EPOCH,
        visit[-1].end - EPOCH,
        joined=first("Live", "Hold", "Stale", "Silent", "Garbled", "NoMedia"),
        audio=first("Live", "Hold", "Stale", "Garbled"),
        live=first("Live"),
    )


def visits(hidden: bool = False) -> st.SearchStrategy[list[Visit]]:
    """Visits of 15 s; without `hidden`, all of them on record."""
    calling = st.integers(0, 100).map(lambda called: called / 2)
    joining: Story = [(J, 1.0), (N, 0.5)]
    well = st.just([*joining, (L, 13.5)])
    ill = known_stories(14).map(lambda story: [(J, 1.0), *story])
    recorded = st.booleans() if hidden else st.just(True)
    return st.lists(st.tuples(calling, well | ill, recorded), max_size=4)


WELL: Story = [(L, 60.0)]
HIT = st.tuples(st.integers(0, 6), st.integers(1, 40)).map(
    lambda hit: [(L, 15.0 + hit[0] / 2), (N, hit[1] / 2), (L, 45.0 - hit[0] / 2 - hit[1] / 2)]
)
ROOMS = st.builds(Room, st.lists(st.just(WELL) | HIT | known_stories(60), min_size=2, max_size=2), visits())
EXPECTATIONS = st.lists(
    st.sampled_from(list(INDICATORS)).flatmap(
        lambda indicator: st.builds(
            lambda bound, least: (
                Expectation(indicator, minimum=bound) if least else Expectation(indicator, maximum=bound)
            ),
            st.sampled_from([0.0, 0.25, 0.5, 0.7, 0.9, 0.99, 1.0])
            if indicator.unit.most == 1.0
            else st.integers(0, 40).map(lambda half: half / 2),
            st.just(indicator.better is Better.HIGHER) | st.booleans(),
        )
    ),
    min_size=1,
    max_size=4,
)


def evidence(room: Timeline, expectations: list[Expectation], residents: int = 2, by: float = 0.0) -> Evidence:
    before = room.view(window(by + BASELINE[0], by + BASELINE[1]), residents)
    after = room.view(window(by + JUDGED[0], by + JUDGED[1]), residents)
    base = coverage.of(before)
    measured = measure_all(after, Recovery(EPOCH + by + JUDGED[0], base.audible))
    return Evidence(
        faults=(FaultEvidence("kill", proven=True, reverted=True),),
        expectations=judge_all(expectations, measured),
        baseline=base,
        judged=coverage.of(after),
    )


def judged(room: Room, expectations: list[Expectation]) -> Decision:
    return decide(evidence(timeline(*room.feeds()), expectations))


def test_a_room_that_is_hit_and_comes_back_passes() -> None:
    hit: Story = [(L, 17.3), (N, 9.5), (L, 33.2)]
    room = Room([hit, hit], [(index * 5.0, [(J, 1.0), (N, 0.5), (L, 13.5)], True) for index in range(9)])
    expectations = [
        Expectation(AUDIBLE_RATIO, minimum=0.7),
        Expectation(LONGEST_DEAD_AIR, maximum=20.0),
        Expectation(RECOVERY_TIME, maximum=25.0),
        Expectation(TIME_TO_FIRST_AUDIO, maximum=2.0),
        Expectation(JOIN_SUCCESS, minimum=1.0),
        Expectation(ARRIVAL_AUDIBLE, minimum=1.0),
        Expectation(OUTAGE_COUNT, maximum=2),
        Expectation(RECONNECTS, maximum=0),
    ]
    decision = judged(room, expectations)
    assert decision.verdict is Verdict.PASSED, decision.message


HIDDEN = st.lists(st.tuples(st.integers(0, 118), st.integers(1, 12)), max_size=2)


@settings(max_examples=400)
@given(ROOMS, EXPECTATIONS, st.data())
def test_hiding_what_happened_never_improves_a_verdict_and_never_makes_it_failed(
    room: Room, expectations: list[Expectation], data: st.DataObject
) -> None:
    def hidden(story: Story, length: float) -> Story:
        for start, size in data.draw(HIDDEN):
            story = hide(story, min(start / 2, length), min((start + size) / 2, length))
        return story

    seen = Room(
        [hidden(story, 60.0) for story in room.residents],
        [(called, hidden(story, 15.0), data.draw(st.booleans())) for called, story, _ in room.visits],
    )
    # A record tells when things happened even if the probe could not see the sound then: take those of the truth.
    truth_feeds, seen_feeds = room.feeds(), seen.feeds()
    told = {record.listener: record for record in truth_feeds[1].arrivals}
    records = tuple(told[record.listener] for record in seen_feeds[1].arrivals)
    seen_feeds[1] = dataclasses.replace(seen_feeds[1], arrivals=records)

    truth = evidence(timeline(*truth_feeds), expectations)
    observed = evidence(timeline(*seen_feeds), expectations)
    for before, after in zip(truth.expectations, observed.expectations, strict=True):
        assert after.outcome in {before.outcome, Outcome.UNMEASURED}, (before, after)
    verdicts = decide(truth).verdict, decide(observed).verdict
    assert verdicts[1] in {verdicts[0], Verdict.INCONCLUSIVE}


@given(ROOMS, EXPECTATIONS)
def test_a_lost_listener_pod_never_makes_a_run_pass(room: Room, expectations: list[Expectation]) -> None:
    lost = dataclasses.replace(room, residents=[room.residents[0], [(U, 60.0)]])
    assert judged(lost, expectations).verdict is Verdict.INCONCLUSIVE


@given(EXPECTATIONS)
def test_a_room_that_nobody_saw_never_passes(expectations: list[Expectation]) -> None:
    for residents in (0, 2):
        assert decide(evidence(Timeline(), expectations, residents)).verdict is Verdict.INCONCLUSIVE


@given(ROOMS, EXPECTATIONS, st.permutations([0, 1, 0, 1]))
def test_neither_order_nor_repetition_of_feeds_changes_a_verdict(
    room: Room, expectations: list[Expectation], order: list[int]
) -> None:
    feeds = room.feeds()
    assert evidence(timeline(*(feeds[index] for index in order)), expectations) == evidence(
        timeline(*feeds), expectations
    )


@given(ROOMS, EXPECTATIONS, st.integers(-1000, 1000))
def test_shifting_all_clocks_changes_no_verdict(room: Room, expectations: list[Expectation], by: int) -> None:
    moved = evidence(timeline(*room.feeds(offset=EPOCH + by)), expectations, by=by)
    assert decide(moved) == judged(room, expectations)


@given(ROOMS, EXPECTATIONS, st.lists(st.integers(1, 119), max_size=6, unique=True))
def test_splitting_spans_changes_no_verdict(room: Room, expectations: list[Expectation], cuts: list[int]) -> None:
    def split(story: Story) -> Story:
        edges = list(itertools.accumulate((seconds for _, seconds in story), initial=0.0))
        pieces = []
        for index, (state, _) in enumerate(story):
            inner = [cut / 2 for cut in sorted(cuts) if edges[index] < cut / 2 < edges[index + 1]]
            points = [edges[index], *inner, edges[index + 1]]
            pieces += [(state, last - first) for first, last in itertools.pairwise(points)]
        return pieces

    pieces = dataclasses.replace(
        room,
        residents=[split(story) for story in room.residents],
        visits=[(called, split(story), recorded) for called, story, recorded in room.visits],
    )
    assert judged(pieces, expectations) == judged(room, expectations)


@given(st.lists(stories(60), min_size=2, max_size=2), visits(hidden=True))
def test_every_figure_lies_between_its_bounds_and_every_share_between_0_and_1(
    residents: list[Story], newcomers: list[Visit]
) -> None:
    room = timeline(*Room(residents, newcomers).feeds()).view(window(*JUDGED), 2)
    for measured in measure_all(room, Recovery(EPOCH + JUDGED[0])).values():
        assert 0 <= measured.lower <= measured.upper
        if measured.value is not None:
            assert measured.lower - 1e-6 <= measured.value <= measured.upper + 1e-6
        assert measured.upper <= measured.unit.most


@given(st.lists(stories(60), min_size=2, max_size=2), visits(hidden=True))
def test_a_figure_is_the_same_whether_the_room_or_the_probe_left_it_open(
    residents: list[Story], newcomers: list[Visit]
) -> None:
    def measured(open_: State) -> list[tuple[float | None, float, float]]:
        def retold(story: Story) -> Story:
            return [(open_ if state in {C, U} else state, seconds) for state, seconds in story]

        visits = [(called, retold(story), recorded) for called, story, recorded in newcomers]
        room = timeline(*Room(list(map(retold, residents)), visits).feeds()).view(window(*JUDGED), 2)
        figures = [indicator.measure(room, Recovery(EPOCH + JUDGED[0])) for indicator in BY_SPANS]
        return [(each.value, each.lower, each.upper) for each in figures]

    assert measured(C) == measured(U)
