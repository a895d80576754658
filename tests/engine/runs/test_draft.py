"""What a run is created from, and with."""

from datetime import timedelta

from showstopper.api.run import ExperimentRun
from showstopper.clock import from_timestamp
from showstopper.engine.planning import plan
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.engine.runs import draft, requests
from tests.support import build

NOW = 1_790_000_000.0


def made() -> Plan:
    experiment = build.experiment()
    snapshot = Snapshot("show", "main-stage", build.room().spec, {}, {"relay": [build.pod("a"), build.pod("b")]}, {})
    return plan.make(snapshot, experiment.spec.faults, 7)


def drafted(*others: ExperimentRun, **timing: str) -> ExperimentRun:
    experiment = build.experiment(timing={"baseline": "5s", "recovery": "20s", **timing})
    request = requests.wanted(experiment)
    return draft.draft(experiment, request, build.room(), [], made(), now=NOW, others=others)


def allowed(run: ExperimentRun) -> timedelta:
    return timedelta(seconds=round(from_timestamp(run.spec.deadline) - NOW))


def test_a_run_may_take_its_windows_and_two_minutes() -> None:
    assert allowed(drafted()) == timedelta(seconds=25) + draft.MARGIN


def test_a_declared_deadline_stands_instead() -> None:
    assert allowed(drafted(deadline="50s")) == timedelta(seconds=50)


def test_whoever_queues_has_the_time_of_those_before_it_on_top() -> None:
    assert allowed(drafted(build.run(), build.run("kill-2"))) == allowed(drafted()) + 2 * timedelta(seconds=85)


def test_targets_are_added_to_an_otherwise_equal_run() -> None:
    without = drafted()
    run = draft.with_targets(without, made())
    assert without.spec.targets == ()
    assert [target.uid for target in run.spec.targets] == [pod.uid for pod in made().faults[0].targets]
    assert run.spec.model_copy(update={"targets": ()}) == without.spec
    assert run.metadata == without.metadata


def test_what_is_created_is_what_the_api_takes_back() -> None:
    run = draft.with_targets(drafted(), made())
    again = ExperimentRun.parse(draft.body_of(run))
    assert again.spec == run.spec
    assert again.metadata.labels["showstopper.dev/experiment"] == "kill"


def test_it_says_when_it_was_made_and_for_which_firing() -> None:
    """Finer than the API's whole seconds: of two runs the newest has to be told."""
    experiment = build.experiment()
    request = requests.Request("h", "now", scheduled_at="2026-06-01T03:00:00Z")
    run = draft.draft(experiment, request, build.room(), [], made(), now=NOW + 0.000002, others=())
    origin = run.spec.experiment
    assert (origin.hash, origin.run_request, origin.scheduled_at) == ("h", "now", "2026-06-01T03:00:00Z")
    assert origin.asked_at is not None
    assert origin.asked_at.endswith(".000002Z")
