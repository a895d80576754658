"""The status contract, whatever happens to a game day and in whatever order, and whenever its operator is killed."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.conditions import ConditionType, is_true
from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.days import programme
from tests.support import build
from tests.support.simulated_game_day import SimulatedGameDay, by_name, inline

ACTS = (
    by_name("one"),
    inline("two", hold={"approval": True, "timeout": "10m"}, onFailure="Continue"),
    inline("three", hold={"for": "5m"}),
)
specs: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"revision": "1"},
        {"revision": "2"},
        {"suspend": True},
        {"suspend": False},
        {"abort": True},
        {"abort": False},
        {"onFailure": "Continue"},
        {"window": {"start": "2026-12-01T19:10:00Z", "end": "2026-12-01T20:00:00Z"}},
        {"historyLimit": 3},
    ]
)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("change"), specs),
        st.tuples(st.just("annotate"), st.sampled_from(["one/alice", "two/alice", None])),
        st.tuples(st.just("end"), st.sampled_from(["Passed", *(str(verdict) for verdict in Verdict)])),
        st.tuples(st.just("wait"), st.integers(1, 900)),
        st.tuples(st.sampled_from(["stop", "go", "experiment goes", "experiment comes", "refuse", "run is deleted"])),
    ),
    max_size=30,
)


def happen(simulated: SimulatedGameDay, what: str, detail: Any = None) -> None:
    match what:
        case "change":
            simulated.change(**detail)
        case "annotate":
            simulated.annotate(detail)
        case "end":
            simulated.end(detail)
        case "wait":
            simulated.now += detail
        case "stop" | "go":
            simulated.stopped = Finding(Reason.STOPPED, "smoke", Verdict.ABORTED) if what == "stop" else None
        case "experiment goes" | "experiment comes":
            simulated.experiments = {"kill": build.experiment(suspend=True)} if what == "experiment comes" else {}
        case "refuse":
            simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
        case _:
            noted = {record.run_uid for record in simulated.day.status.acts}
            simulated.runs = [run for run in simulated.runs if run.metadata.uid not in noted]


@given(happenings, st.data())
def test_the_status_is_right_at_every_moment(happens: list[Any], data: st.DataObject) -> None:
    simulated, made = SimulatedGameDay(*ACTS), Counter[str]()
    for happening in [("wait", 0), *happens]:
        happen(simulated, *happening)
        for _ in range(4):
            before = {run.metadata.name for run in simulated.runs}
            simulated.look(die=data.draw(st.booleans(), label="killed"))
            made.update(run.metadata.name for run in simulated.runs if run.metadata.name not in before)
            check(simulated)
    # Whenever the operator was killed, and whoever deleted a run: none is made twice.
    assert set(made.values()) <= {1}


def check(simulated: SimulatedGameDay) -> None:
    day, status = simulated.day, simulated.day.status
    stands = {kind: is_true(status.conditions, kind) for kind in ConditionType}
    assert status.observed_generation == day.metadata.generation
    assert {condition.observed_generation for condition in status.conditions} == {day.metadata.generation}
    assert [condition.type for condition in status.conditions] == list(ConditionType)
    assert not (stands[ConditionType.RECONCILING] and stands[ConditionType.STALLED])
    assert any(stands.values())
    if stands[ConditionType.READY] and status.conditions[0].reason != "Scheduled":
        # What passed is what is declared, every act of it.
        assert status.verdict == "Passed"
        assert status.last_hash == programme.digest(day)
        assert [record.name for record in status.acts] == [act.name for act in day.spec.acts]
        assert {record.verdict for record in status.acts} == {"Passed"}
    if status.verdict == "Passed":
        assert stands[ConditionType.READY]
    assert stands[ConditionType.FINISHED] == (status.verdict is not None)
    # One act at a time, in order, and none before its hold was over.
    assert sum(1 for run in simulated.runs if not run.finished) <= 1
    begun = [record.begun or record.verdict is not None for record in status.acts]
    assert begun == sorted(begun, reverse=True)
    for act, record in zip(day.spec.acts, status.acts, strict=False):
        if record.begun and act.hold is not None:
            assert record.hold is not None
            assert record.hold.ended_at is not None
            assert (record.hold.approver is not None) is act.hold.approval


@given(happenings)
def test_looking_twice_changes_nothing(happens: list[Any]) -> None:
    simulated = SimulatedGameDay(*ACTS)
    for happening in happens:
        happen(simulated, *happening)
        simulated.settle()
        before = simulated.day.status
        simulated.look()
        assert simulated.day.status == before
