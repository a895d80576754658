import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.storm.tally import JoinAttempt, Latency, Tally

SECONDS = st.floats(0, 100)


def attempt(
    called: float, lasted: float, refusal: Refusal | None = None, message: str = "", first_packet: float = math.nan
) -> JoinAttempt:
    marks = Marks(called=called, upgraded=called + lasted / 2)
    if refusal is None:
        marks.secured = called + lasted
    return JoinAttempt(called, marks, called + lasted, refusal, message, first_packet=first_packet)


TRIES = st.lists(
    st.builds(attempt, SECONDS, SECONDS, st.none() | st.sampled_from(Refusal), st.sampled_from(["", "HTTP 503", "no"]))
    | st.builds(JoinAttempt, SECONDS),
    min_size=1,
    max_size=50,
)
STALLS = st.lists(st.tuples(SECONDS, SECONDS).map(lambda edges: (min(edges), max(edges))), max_size=3)


@given(TRIES, STALLS)
def test_everybody_is_let_in_refused_or_unknown(tries: list[JoinAttempt], stalls: list[tuple[float, float]]) -> None:
    tally = Tally.of(tries, stalls)
    assert tally.let_in + sum(tally.refused.values()) + tally.unknown == tally.visitors == len(tries)
    assert Refusal.INSTRUMENT not in tally.refused
    assert tally.heard <= tally.let_in
    assert tally.seconds >= 0


@given(TRIES, STALLS)
def test_a_stall_of_ours_never_speaks_against_the_room(
    tries: list[JoinAttempt], stalls: list[tuple[float, float]]
) -> None:
    with_stalls, without = Tally.of(tries, stalls), Tally.of(tries)
    assert with_stalls.let_in == without.let_in
    for reason in Refusal:
        assert with_stalls.refused.get(reason, 0) <= without.refused.get(reason, 0)


@given(st.lists(SECONDS | st.just(math.nan), max_size=200))
def test_percentiles_are_values_that_were_measured_in_their_order(values: list[float]) -> None:
    latency = Latency.of(values)
    measured = sorted(value for value in values if not math.isnan(value))
    if latency is None:
        assert not measured
        return
    assert latency.count == len(measured)
    assert {latency.p50, latency.p95, latency.longest} <= set(measured)
    assert latency.p50 <= latency.p95 <= latency.longest == measured[-1]
    assert sum(value <= latency.p50 for value in measured) >= 0.5 * len(measured)
    assert sum(value <= latency.p95 for value in measured) >= 0.95 * len(measured)


def test_refusals_are_counted_by_reason_and_messages_are_kept() -> None:
    busy = [attempt(0.0, 3.0, Refusal.UNAVAILABLE, "HTTP 503 request timed out") for _ in range(3)]
    tally = Tally.of([*busy, attempt(0.0, 5.0, Refusal.TIMED_OUT, "no answer to the join"), attempt(0.0, 1.0)])
    assert tally.refused == {Refusal.UNAVAILABLE: 3, Refusal.TIMED_OUT: 1}
    assert tally.messages == {"HTTP 503 request timed out": 3, "no answer to the join": 1}
    assert (tally.let_in, tally.unknown, tally.seconds) == (1, 0, 5.0)
    assert tally.is_as_asked


@pytest.mark.parametrize(
    ("refusal", "unknown"),
    [(Refusal.TIMED_OUT, 1), (Refusal.HANDSHAKE, 1), (Refusal.UNAUTHORIZED, 0), (Refusal.UNAVAILABLE, 0)],
)
def test_who_was_too_slow_while_we_stood_still_is_unknown(refusal: Refusal, unknown: int) -> None:
    slow = attempt(10.0, 5.0, refusal)
    assert Tally.of([slow], [(14.0, 16.0)]).unknown == unknown
    assert Tally.of([slow], [(15.5, 17.0), (8.0, 9.9)]).unknown == 0


def test_who_is_lost_after_we_stood_still_is_not_lost_by_the_room() -> None:
    lost = attempt(10.0, 2.0)
    lost.loss, lost.lost_at = Loss.SIGNALLING_CLOSED, 30.0
    assert Tally.of([lost], [(13.0, 29.5)]).lost == {Loss.INSTRUMENT: 1}
    assert Tally.of([lost], [(2.0, 4.0), (31.0, 33.0)]).lost == {Loss.SIGNALLING_CLOSED: 1}
    assert Tally.of([lost], [(13.0, 29.5)]).let_in == 1


def test_no_sockets_and_no_end_are_ours() -> None:
    tally = Tally.of([attempt(0.0, 1.0, Refusal.INSTRUMENT, "too many open files"), JoinAttempt(0.0)])
    assert (tally.unknown, tally.refused) == (2, {})
    assert not tally.is_as_asked


def test_who_came_too_late_makes_another_storm() -> None:
    late = attempt(12.5, 1.0)
    late.due = 10.0
    tally = Tally.of([attempt(10.0, 1.0), late])
    assert tally.latest == 2.5
    assert not tally.is_as_asked


def test_times_are_from_the_call_to_the_step_and_losses_are_counted() -> None:
    lost = attempt(1.0, 2.0, first_packet=4.0)
    lost.loss = Loss.SIGNALLING_CLOSED
    tally = Tally.of([lost, attempt(2.0, 4.0), attempt(2.0, 8.0, Refusal.TIMED_OUT)])
    assert tally.upgraded == Latency(3, 2.0, 4.0, 4.0)
    assert tally.connected == Latency(2, 2.0, 4.0, 4.0)
    assert tally.first_packet == Latency(1, 3.0, 3.0, 3.0)
    assert (tally.heard, tally.lost) == (1, {Loss.SIGNALLING_CLOSED: 1})
