"""The status contract that GitOps tools rely on, whatever happens to an experiment and in whatever order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.conditions import ConditionType, is_true
from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.runs import requests
from tests.support.simulated_experiment import SimulatedExperiment

specs: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"revision": "1"},
        {"revision": "2"},
        {"suspend": True},
        {"suspend": False},
        {"schedule": "*/5 * * * *"},
        {"schedule": "0 0 30 2 *"},
        {"schedule": None},
        {"historyLimit": 3},
        {"historyLimit": 4},
    ]
)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("change"), specs),
        st.tuples(st.just("annotate"), st.sampled_from(["a", "b", ""])),
        st.tuples(st.just("end"), st.sampled_from([str(verdict) for verdict in Verdict])),
        st.tuples(st.just("wait"), st.integers(1, 900)),
        st.tuples(st.sampled_from(["refuse", "allow", "room comes", "room goes", "run is deleted"]), st.none()),
    ),
    max_size=30,
)


def happen(simulated: SimulatedExperiment, what: str, detail: Any) -> None:
    match what:
        case "change":
            simulated.change(**detail)
        case "annotate":
            simulated.change(annotation=detail)
        case "end":
            simulated.end(detail)
        case "wait":
            simulated.now += detail
        case "refuse":
            simulated.refusal = Finding(Reason.NAMESPACE_NOT_ALLOWED, "label it")
        case "allow":
            simulated.refusal = None
        case "room comes" | "room goes":
            simulated.room_known = what == "room comes"
        case _:
            simulated.runs = simulated.runs[:-1]


@given(st.booleans(), happenings)
def test_the_status_is_right_at_every_moment(scheduled: bool, happens: list[tuple[str, Any]]) -> None:
    simulated = SimulatedExperiment(schedule="*/5 * * * *" if scheduled else None)
    for what, detail in [("wait", 0), *happens]:
        happen(simulated, what, detail)
        simulated.look()
        check(simulated)


def check(simulated: SimulatedExperiment) -> None:
    status, metadata = simulated.experiment.status, simulated.experiment.metadata
    stands = {kind: is_true(status.conditions, kind) for kind in ConditionType}
    # Written together, and for the same generation.
    assert status.observed_generation == metadata.generation
    assert {condition.observed_generation for condition in status.conditions} == {metadata.generation}
    assert [condition.type for condition in status.conditions] == list(ConditionType)
    assert not (stands[ConditionType.RECONCILING] and stands[ConditionType.STALLED])
    newest = requests.newest_of(simulated.experiment, simulated.runs)
    if stands[ConditionType.READY]:
        assert not stands[ConditionType.RECONCILING]
        assert not stands[ConditionType.STALLED]
        if status.conditions[0].reason == "Scheduled":
            assert (newest, status.run, simulated.experiment.spec.suspend) == (None, None, False)
            assert status.next_run_time is not None
        else:
            assert status.verdict == "Passed"
            # What passed is what is declared, and what is asked for.
            assert status.last_hash == requests.wanted(simulated.experiment).hash
            asked = requests.wanted(simulated.experiment).run_request
            assert asked in {"", status.last_handled_run_request}
    # Over is what passed, or will not go on by itself.
    if stands[ConditionType.FINISHED]:
        assert stands[ConditionType.READY] != stands[ConditionType.STALLED]
        assert status.verdict is not None
    # Somebody or something is waited for, or it is over: no experiment stands in no state at all.
    assert any(stands.values())
    assert (status.next_run_time is not None) <= (simulated.experiment.spec.schedule is not None)


@given(happenings)
def test_looking_twice_changes_nothing(happens: list[tuple[str, Any]]) -> None:
    simulated = SimulatedExperiment()
    for what, detail in happens:
        happen(simulated, what, detail)
        simulated.look()
        before = simulated.experiment.status
        simulated.look()
        assert simulated.experiment.status == before
