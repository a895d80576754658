"""From a run's record and a timeline to a verdict: no evidence, no pass."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.counts import CountLog
from showstopper.availability.feed import parse_feed
from showstopper.availability.indicators.listening import RECONNECTS
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.runs import judging, windows
from tests.availability.build import feed
from tests.availability.build import spans as spans_of
from tests.support import build

START = from_timestamp("2026-01-01T00:00:00Z")
RESIDENTS = ("pod-0/0", "pod-0/1")


def at(seconds: float) -> str:
    return to_timestamp(START + seconds)


def record(*, proven: bool = True, injected: bool = True) -> dict[str, Any]:
    """A run whose baseline began at 0 s for 5 s, whose kill was asked for at 6 s, and whose recovery took 20 s."""
    steps = [{"name": "Baseline", "startedAt": at(0), "completedAt": at(5)}]
    target = {"fault": "kill", "pod": "relay-1", "uid": "u", "requestedAt": at(6), "answeredAt": at(6)}
    fault = {"name": "kill", "kind": "podKill", "targets": 1, "proven": proven, "reverted": True}
    return {"steps": steps, "targets": [target] if injected else [], "faults": [fault] if injected else []}


def newcomer(called: float, joined: float | None) -> dict[str, Any]:
    """A visit of ten seconds, in which the host was heard if it was joined."""
    name = f"main-stage-listeners-0/a{called:g}"
    visit = {"sequence": 1, "listener": name, "calledAt": called, "leftAt": called + 10, "error": ""}
    return {**visit, "joinedAt": joined, "firstAudioAt": joined, "firstLiveAt": joined}


def timeline(
    *spans: tuple[str, float, float], visits: Iterable[dict[str, Any]] = (), into: Timeline | None = None
) -> Timeline:
    """Both residents in the same states, told at 30 s."""
    filled = Timeline() if into is None else into
    told = [
        {"listener": listener, "kind": "Resident", "state": state, "from": start, "to": end, "missingSeconds": 0.0}
        for listener in RESIDENTS
        for state, start, end in spans
    ]
    document = {
        "boot": "b",
        "room": "main-stage",
        "pod": "pod-0",
        "clock": {"monotonic": 30.0, "wall": START + 30},
        "lagSeconds": 0.0,
        "next": len(told),
        "lost": 0,
        "spans": [{"sequence": number, "delaySeconds": None, **span} for number, span in enumerate(told, 1)],
        "open": [],
        "listeners": [],
        "arrivals": list(visits),
    }
    filled.add(parse_feed(document, START))
    return filled


WELL = ("Live", 0.0, 30.0)


def verdict(heard: Timeline | None, expect: str = "70%", **kwargs: Any) -> tuple[Verdict, str]:
    run = build.run(expect=[{"indicator": "AudibleRatio", "min": expect}], status=kwargs.pop("status", record()))
    decision = judging.judge(run, heard, RESIDENTS, **kwargs).decision
    return decision.verdict, decision.reason


def test_a_proven_fault_that_listeners_hardly_noticed_passes() -> None:
    heard = timeline(("Live", 0.0, 8.0), ("NoMedia", 8.0, 10.0), ("Live", 10.0, 30.0))
    assert verdict(heard) == (Verdict.PASSED, "ExpectationsMet")


def test_a_missed_expectation_fails() -> None:
    heard = timeline(("Live", 0.0, 8.0), ("NoMedia", 8.0, 20.0), ("Live", 20.0, 30.0))
    assert verdict(heard) == (Verdict.FAILED, "ExpectationMissed")


@pytest.mark.parametrize(
    ("heard", "options", "reason"),
    [
        (timeline(WELL), {"status": record(proven=False)}, "FaultNotProven"),
        (timeline(WELL), {"status": record(injected=False)}, "FaultNotProven"),
        (timeline(WELL), {"status": {}}, "NoBaseline"),
        (timeline(("Silent", 0.0, 6.0), ("Live", 6.0, 30.0)), {}, "BaselineBroken"),
        (timeline(("Live", 0.0, 12.0)), {}, "ListenersGone"),
        (timeline(), {}, "TooMuchUnknown"),
        (None, {}, "NoBaseline"),
        (timeline(WELL), {"doubts": (Finding(Reason.NO_TARGETS, "none"),)}, "NoTargets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_is_not_known_to_be_right_is_inconclusive(
    heard: Timeline | None, options: dict[str, Any], reason: str
) -> None:
    assert verdict(heard, **options) == (Verdict.INCONCLUSIVE, reason)


def test_an_aborted_run_is_aborted_whatever_was_heard() -> None:
    assert verdict(timeline(WELL), aborted=Finding(Reason.ABORT_REQUESTED, "by a person")) == (
        Verdict.ABORTED,
        "AbortRequested",
    )


def test_our_own_failure_is_an_error() -> None:
    assert verdict(timeline(WELL), error=Finding(Reason.ENGINE_FAILED, "boom")) == (Verdict.ERROR, "EngineFailed")


def with_host(*absences: tuple[float, float]) -> dict[str, Any]:
    """The same record, with the host's absences."""
    gaps = [{"from": at(start), "to": at(end), "message": "its process started anew"} for start, end in absences]
    return {**record(), "host": {"seenUntil": at(30), "absences": gaps}}


DEAF = timeline(("Live", 0.0, 8.0), ("NoMedia", 8.0, 16.0), ("Live", 16.0, 30.0))
CUT_OFF, EXCUSED = (Verdict.FAILED, "ExpectationMissed"), (Verdict.INCONCLUSIVE, "HostLost")


def test_dead_air_that_the_host_explains_fails_no_room() -> None:
    assert verdict(DEAF)[0] is Verdict.FAILED
    assert verdict(DEAF, status=with_host((7.8, 15.0))) == (Verdict.INCONCLUSIVE, "HostLost")
    assert verdict(DEAF, status=with_host((20.0, 21.0)))[0] is Verdict.FAILED, "at another time"


@pytest.mark.parametrize(
    ("target", "kind", "spec", "expected"),
    [
        ({"fleet": "Host"}, "packetLoss", {"percent": "100%"}, CUT_OFF),
        ({"fleet": "Host"}, "packetLoss", {"percent": "100%", "direction": "Egress"}, CUT_OFF),
        ({"fleet": "Host"}, "packetLoss", {"percent": "100%", "direction": "Ingress"}, EXCUSED),
        ({"fleet": "Host"}, "packetLoss", {"percent": "50%"}, EXCUSED),
        ({"fleet": "Host"}, "mtu", {"size": 1400}, EXCUSED),
        ({"fleet": "Listeners"}, "packetLoss", {"percent": "100%"}, EXCUSED),
        ({"component": "relay"}, "packetLoss", {"percent": "100%"}, EXCUSED),
    ],
)
def test_a_host_that_a_fault_has_cut_off_is_excused_by_nothing_that_befalls_it_meanwhile(
    target: dict[str, Any], kind: str, spec: dict[str, Any], expected: tuple[Verdict, str]
) -> None:
    loss = {"name": "loss", "target": target, "duration": "8s", kind: spec}
    status = with_host((9.0, 13.0))
    status["targets"] = [{"fault": "loss", "pod": "pod-1", "uid": "u", "requestedAt": at(7)}]
    times = {"armedAt": at(7.9), "liftedAt": at(16)}
    status["faults"] = [{"name": "loss", "kind": kind, "targets": 1, "proven": True, "reverted": True, **times}]
    run = build.run(faults=[loss], status=status, timing={"baseline": "5s", "recovery": "10s"})
    decision = judging.judge(run, DEAF, RESIDENTS).decision
    assert (decision.verdict, decision.reason) == expected


def test_a_host_that_stood_still_for_a_moment_spoils_no_run_that_passes_whatever_was_said() -> None:
    heard = timeline(("Live", 0.0, 8.0), ("Silent", 8.0, 8.6), ("Live", 8.6, 30.0))
    assert verdict(heard, status=with_host((8.0, 8.5))) == (Verdict.PASSED, "ExpectationsMet")


def test_a_baseline_without_its_host_says_so() -> None:
    heard = timeline(("Live", 0.0, 1.0), ("Hold", 1.0, 4.0), ("Live", 4.0, 30.0))
    assert verdict(heard)[1] == "BaselineBroken"
    run = build.run(status=with_host((1.0, 4.0)))
    finding = judging.broken_baseline(run, judging.baseline_view(run, heard, RESIDENTS))
    assert finding is not None
    assert finding.reason == "HostLost"
    assert "its process started anew" in finding.message


def lasting(**times: str) -> ExperimentRun:
    """A run whose fault was asked for at 6 s, with the times in its record."""
    loss = {"name": "loss", "target": {"component": "relay"}, "duration": "5s", "packetLoss": {"percent": "100%"}}
    status = record()
    status["targets"] = [{"fault": "loss", "pod": "relay-1", "uid": "u", "requestedAt": at(6)}]
    status["faults"] = [{"name": "loss", "kind": "packetLoss", "targets": 1, "proven": True, "reverted": True, **times}]
    # The revert was written down fourteen seconds after the fault was lifted.
    status["steps"].append({"name": "Reverting", "startedAt": at(19), "completedAt": at(33)})
    return build.run(faults=[loss], status=status)


def test_what_is_judged_begins_with_the_fault_and_not_with_its_request() -> None:
    """A first pull of a flooder's image takes tens of seconds, in which everybody hears everything."""
    window = windows.judged_window(lasting(armedAt=at(14), liftedAt=at(19)))
    assert window is not None
    assert (window.start - START, window.end - START) == pytest.approx((14.0, 39.0))


def test_recovery_counts_from_the_lifting_and_not_from_when_that_was_written_down() -> None:
    assert windows.ended_at(lasting(armedAt=at(14), liftedAt=at(19))) == pytest.approx(START + 19)


def test_a_fault_that_nobody_saw_lifted_is_over_with_its_revert() -> None:
    assert windows.ended_at(lasting(armedAt=at(14))) == pytest.approx(START + 33)


def test_a_kill_begins_when_its_deletion_was_accepted() -> None:
    status = record()
    status["targets"][0]["answeredAt"] = at(6.5)
    assert windows.injected_at(build.run(status=status)) == pytest.approx(START + 6.5)


def test_the_judged_window_begins_with_the_call_and_ends_after_the_recovery() -> None:
    run = build.run(status=record())
    window = windows.judged_window(run)
    assert window is not None
    assert (window.start - START, window.end - START) == pytest.approx((6.0, 26.0))


def test_the_baseline_is_as_long_as_asked_whenever_it_was_written_down() -> None:
    window = windows.baseline_window(build.run(status=record()))
    assert window is not None
    assert (window.start - START, window.end - START) == pytest.approx((0.0, 5.0))


def test_the_start_delay_counts_from_the_start_that_the_room_announces() -> None:
    """The fault is at 6 s, and nobody hears the host from 8 s to 16 s."""
    announced = {**build.ROOM_SPEC, "program": {"startsAt": at(9)}}
    room = {"name": "main-stage", "uid": "room-uid", "spec": announced}
    run = build.run(expect=[{"indicator": "StartDelay", "max": "6500ms"}], status=record(), room=room)
    expectation = judging.judge(run, DEAF, RESIDENTS).expectations[0]
    assert (expectation.outcome, expectation.value) == ("Missed", "7s")


def shown(number: int) -> CountLog:
    """A door that always shows that number."""
    count_log = CountLog()
    for second in range(40):
        count_log.add(START + second, number)
    return count_log


@pytest.mark.parametrize(
    ("number", "listeners", "outcome", "value"),
    [
        (2, {}, "Met", "0"),
        (1400, {}, "Missed", "1398"),
        (2, {"crowd": {"count": 10}}, "Unmeasured", None),
    ],
    ids=["right", "wrong", "with a crowd, which is counted too"],
)
def test_what_the_door_shows_is_compared_with_who_is_in(
    number: int, listeners: dict[str, Any], outcome: str, value: str | None
) -> None:
    expect = [{"indicator": "CountError", "max": "1"}]
    spec = {**build.ROOM_SPEC, "listeners": {"count": 2, "arrivals": {"every": "0s"}, **listeners}}
    declared = {"name": "main-stage", "uid": "room-uid", "spec": spec}
    run = build.run(expect=expect, status=record(), room=declared)
    judged = judging.judge(run, timeline(WELL), RESIDENTS, counts=shown(number))
    assert (judged.expectations[0].outcome, judged.expectations[0].value) == (outcome, value)
    assert judging.judge(run, timeline(WELL), RESIDENTS).expectations[0].outcome == "Unmeasured"


STORM = {"port": "signal", "joins": 50, "rate": 25}


def test_who_joins_for_a_storm_is_in_the_public_count_and_makes_it_no_wrong_one() -> None:
    """Else a right count would fail the room, and one that misses as many as came would pass it."""
    storm = {"name": "storm", "target": {"component": "relay", "serving": True}, "duration": "10s", "joinStorm": STORM}
    run = build.run(expect=[{"indicator": "CountError", "max": "1"}], status=record(), faults=[build.fault(), storm])
    judged = judging.judge(run, timeline(WELL), RESIDENTS, counts=shown(52))
    assert judged.expectations[0].outcome == "Unmeasured"


LATER = [newcomer(12, 13), newcomer(17, 18), newcomer(22, 23)]


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([newcomer(1, 2), newcomer(7, 8), *LATER], (Verdict.PASSED, "ExpectationsMet")),
        ([newcomer(1, 2), newcomer(7, None), *LATER], (Verdict.FAILED, "ExpectationMissed")),
        ([newcomer(-1, None), newcomer(7, None), *LATER], (Verdict.INCONCLUSIVE, "BaselineBroken")),
        ([newcomer(7, None), *LATER], (Verdict.INCONCLUSIVE, "NotMeasured")),
    ],
)
def test_a_room_that_was_broken_for_newcomers_before_is_not_failed_by_the_fault(
    visits: list[dict[str, Any]], expected: tuple[Verdict, str]
) -> None:
    run = build.run(expect=[{"indicator": "ArrivalAudible", "min": "95%"}], status=record())
    heard = timeline(WELL, visits=visits)
    assert judging.judge(run, heard, RESIDENTS).decision.reason == expected[1]
    assert judging.judge(run, heard, RESIDENTS).decision.verdict is expected[0]
    broken = judging.broken_baseline(run, judging.baseline_view(run, heard, RESIDENTS))
    assert (broken is None) is (expected[0] is not Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("indicator", ["JoinSuccess", "ArrivalAudible"])
def test_one_newcomer_of_the_many_who_were_due_passes_nothing(indicator: str) -> None:
    """Their process died at the fault, after a call that went well."""
    run = build.run(expect=[{"indicator": indicator, "min": "95%"}], status=record())
    judged = judging.judge(run, timeline(WELL, visits=[newcomer(1, 2), newcomer(6.5, 7)]), RESIDENTS)
    assert (judged.decision.verdict, judged.decision.reason) == (Verdict.INCONCLUSIVE, "NotMeasured")
    assert "newcomers did not make 2 of the calls that were due" in judged.decision.message
    assert "between 33.3 % and 100 %" in judged.decision.message


def test_a_baseline_without_the_newcomers_who_were_due_says_whom_to_look_at() -> None:
    timing = {"baseline": "15s", "recovery": "20s"}
    run = build.run(expect=[{"indicator": "JoinSuccess", "min": "95%"}], status=record(), timing=timing)
    before = judging.baseline_view(run, timeline(WELL, visits=[newcomer(1, 2)]), RESIDENTS)
    finding = judging.broken_baseline(run, before)
    assert finding is not None
    assert finding.reason == "NotMeasured"
    assert "did not make 1 of the calls that were due: look at the pods that they come from" in finding.message


def test_a_room_without_newcomers_waits_for_none() -> None:
    spec = {**build.ROOM_SPEC, "listeners": {"count": 2, "perPod": 2, "arrivals": {"every": "0s"}}}
    room = {"name": "main-stage", "uid": "room-uid", "spec": spec}
    run = build.run(expect=[{"indicator": "JoinSuccess", "min": "95%"}], status=record(), room=room)
    judged = judging.judge(run, timeline(WELL, visits=[newcomer(1, 2), newcomer(7, 8)]), RESIDENTS)
    assert judged.decision.verdict is Verdict.PASSED


def test_a_resident_who_was_deaf_before_has_no_outage_by_the_fault() -> None:
    residents = tuple(f"r{number}" for number in range(20))
    told = [(name, State.SILENT if name == "r7" else State.LIVE) for name in residents]
    heard = Timeline()
    heard.add(feed([span for name, state in told for span in spans_of(name, [(state, 30)])], clock=30, offset=START))
    run = build.run(expect=[{"indicator": "LongestDeadAir", "max": "5s"}], status=record())
    assert judging.judge(run, heard, residents).decision.verdict is Verdict.PASSED


def test_what_another_source_measured_is_judged_with_what_was_heard() -> None:
    expect = [{"indicator": "AudibleRatio", "min": "70%"}, {"indicator": "Reconnects", "max": "3"}]
    run = build.run(expect=expect, status=record())
    lost = Measurement(RECONNECTS, 7.0, 4, 7.0, 7.0)
    judged = judging.judge(run, timeline(WELL), RESIDENTS, others={RECONNECTS: lost})
    outcomes = [(each.indicator, each.outcome, each.value) for each in judged.expectations]
    assert outcomes == [("AudibleRatio", "Met", "100%"), ("Reconnects", "Missed", "7")]
    assert judged.decision.verdict is Verdict.FAILED


def test_every_window_and_expectation_is_recorded() -> None:
    judgement = judging.judge(build.run(status=record()), timeline(WELL), RESIDENTS)
    assert [window.name for window in judgement.windows] == ["Baseline", "Judged"]
    assert [
        (expectation.indicator, expectation.outcome, expectation.value) for expectation in judgement.expectations
    ] == [("AudibleRatio", "Met", "100%")]
    assert judgement.audible == "100%"


def test_a_host_that_is_lost_when_the_window_ends_explains_what_nobody_can_tell_of_the_seconds_after_it() -> None:
    run = build.run(expect=[{"indicator": "LongestDeadAir", "max": "3s"}], status=with_host((26.2, 30.0)))
    heard = timeline(("Live", 0.0, 25.9), ("NoMedia", 25.9, 30.0))
    assert judging.judge(run, heard, RESIDENTS).decision.reason == "HostLost"


class Watched(Timeline):
    """Remembers which windows were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[Window] = []

    def view(
        self,
        window: Window,
        residents: int | Collection[str],
        following: float = 0.0,
        were_in: Collection[str] = frozenset(),
    ) -> View:
        self.looks.append(window)
        return super().view(window, residents, following, were_in)


def test_a_window_is_looked_at_once() -> None:
    """Each look goes through the spans of all listeners: with a thousand of them that is felt."""
    heard = Watched()
    timeline(WELL, into=heard)
    expect = [{"indicator": "AudibleRatio", "min": "70%"}, {"indicator": "ArrivalAudible", "min": "95%"}]
    run = build.run(expect=expect, status=with_host((7.8, 15.0)))
    judging.judge(run, heard, RESIDENTS)
    assert heard.looks == [windows.baseline_window(run), windows.judged_window(run)]


def test_what_follows_the_window_is_waited_for_where_a_verdict_may_rest_on_it() -> None:
    lost = timeline(("Live", 0.0, 20.0), ("NoMedia", 20.0, 30.0))
    watched = {"baseline": "5s", "recovery": "20s"}
    assert judging.undecided(build.run(status=record(), timing=watched), lost, RESIDENTS)
    assert not judging.undecided(build.run(status=record(), timing=watched), timeline(WELL), RESIDENTS)
    assert not judging.undecided(build.run(status=record(), timing={**watched, "baseline": "0s"}), lost, RESIDENTS)
