"""Game days against a real API server: from apply to the verdict, with operators that are killed on the way.

The runs are real ones. Nobody listens in these rooms, so that a run goes on until it is aborted.
"""

import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.game_day import APPROVE, GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY
from showstopper.engine.days.preludes import APPROVALS_POLICY
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.errors import ClusterError, Forbidden, Invalid
from tests.support import stored_objects
from tests.support.api_server import apply
from tests.support.operator_harness import NAME, OperatorHarness, at_work, until
from tests.support.simulated_game_day import by_name, inline

pytestmark = pytest.mark.apiserver

DAY = "rehearsal"
APPROVAL = {"hold": {"approval": True, "timeout": "1h"}}


def guard(server: ApiServer) -> None:
    """What tells the operator that approvals are checked; tests/charts tries the policy itself."""
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": APPROVALS_POLICY},
        "spec": {"policyName": APPROVALS_POLICY, "validationActions": ["Deny"]},
    }
    apply(server, binding)


@pytest.fixture
async def rehearsal(operator: OperatorHarness) -> "GameDayHarness":
    guard(operator.server)
    return GameDayHarness(operator)


class GameDayHarness:
    """An operator, and a game day in its namespace."""

    def __init__(self, operator: OperatorHarness) -> None:
        self.operator = operator
        self.client, self.server, self.namespace = operator.client, operator.server, operator.namespace

    def anew(self) -> OperatorHarness:
        """Another operator for the same namespace, which remembers nothing."""
        return self.operator.anew()

    def apply(self, *acts: dict[str, Any], **spec: Any) -> None:
        body = {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "GameDay",
            "metadata": {"name": DAY, "namespace": self.namespace},
            "spec": {"acts": list(acts), "onFailure": "Continue", **spec},
        }
        apply(self.server, body)

    def approve(self, act: str, approver: str = "alice") -> None:
        self.server.kubectl("annotate", "--overwrite", "-n", self.namespace, "gd", DAY, f"{APPROVE}={act}/{approver}")

    async def day(self) -> GameDay:
        return GameDay.parse(await self.client.get(GAME_DAY, self.namespace, DAY))

    async def runs(self) -> list[ExperimentRun]:
        """All runs, in the order in which they were asked for."""
        return sorted(await self.operator.runs(), key=lambda run: run.spec.experiment.asked_at or "")

    async def stands(self, wanted: str, act: str | None = None) -> GameDay:
        """The day as soon as Ready is so (at that act), for its generation."""

        async def asked() -> GameDay | None:
            day = await self.day()
            ready = find(day.status.conditions, ConditionType.READY)
            current = day.status.observed_generation == day.metadata.generation
            right = ready is not None and f"{ready.status} {ready.reason}" == wanted and act in {None, day.status.act}
            return day if current and right else None

        return await until(asked, f"Ready is {wanted} {act or ''}")

    async def acting(self, act: str) -> ExperimentRun:
        """The run of an act, as soon as it waits for its room."""

        async def asked() -> ExperimentRun | None:
            of_act = [run for run in await self.runs() if (of := run.spec.experiment.game_day) and of.act == act]
            return next((run for run in of_act if run.status.conditions), None)

        run = await until(asked, f"a run of act {act}")
        await self.stands("Unknown ActUnderWay", act)
        return run


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Forbidden("quota", status=403), "Error"),
        (Invalid("policy", status=422), "Error"),
        (Forbidden("?", status=401), None),
    ],
    ids=["quota", "policy", "token"],
)
async def test_an_act_whose_run_may_not_be_made_ends_and_a_token_that_is_renewed_ends_nothing(
    rehearsal: GameDayHarness, monkeypatch: pytest.MonkeyPatch, error: ClusterError, verdict: str | None
) -> None:
    asked = 0
    plan = Snapshots.plan

    async def refuses(*words: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise error
        return await plan(*words)

    monkeypatch.setattr(Snapshots, "plan", refuses)
    rehearsal.apply(inline("one"))
    async with at_work(rehearsal.operator):
        if verdict is None:
            await rehearsal.acting("one")
            await rehearsal.operator.abort()
            return
        day = await rehearsal.stands("False ActNotPassed")
        assert (day.status.acts[0].verdict, day.status.acts[0].reason) == (verdict, "RunNotCreated")


async def test_a_day_from_apply_over_an_approval_to_its_verdict(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"), inline("two", **APPROVAL))
    async with at_work(rehearsal.operator):
        first = await rehearsal.acting("one")
        assert first.metadata.labels["showstopper.dev/game-day"] == DAY
        await rehearsal.operator.abort()
        held = await rehearsal.stands("False AwaitingApproval", "two")
        assert is_true(held.status.conditions, ConditionType.SUSPENDED)
        assert not is_true(held.status.conditions, ConditionType.RECONCILING)
        rehearsal.approve("two")
        await rehearsal.acting("two")
        await rehearsal.operator.abort()
        day = await rehearsal.stands("False ActNotPassed")
        assert is_true(day.status.conditions, ConditionType.FINISHED)
        assert (day.status.verdict, day.status.progress) == ("Aborted", "2/2")
        assert day.status.acts[1].hold is not None
        assert day.status.acts[1].hold.approver == "alice"
        assert [record.run for record in day.status.acts] == [run.metadata.name for run in await rehearsal.runs()]
        head, row = rehearsal.server.kubectl("get", "gd", DAY, "-n", rehearsal.namespace).splitlines()
        assert head.split()[:5] == ["NAME", "ACT", "ACTS", "VERDICT", "REASON"]
        assert row.split()[:4] == [DAY, "2/2", "Aborted", "ActNotPassed"]


async def test_operators_that_are_killed_in_acts_and_holds_perform_each_act_once(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"), inline("two", **APPROVAL), inline("three", hold={"for": "2s"}))
    async with at_work(rehearsal.operator):
        await rehearsal.acting("one")
    async with at_work(rehearsal.anew()):
        await rehearsal.acting("one")
        await rehearsal.operator.abort()
        held = await rehearsal.stands("False AwaitingApproval", "two")
    rehearsal.approve("two")  # while no operator is there
    async with at_work(rehearsal.anew()):
        await rehearsal.acting("two")
        now = (await rehearsal.day()).status.acts[1].hold
        assert now is not None
        assert held.status.acts[1].hold is not None
        assert now.started_at == held.status.acts[1].hold.started_at
        await rehearsal.operator.abort()
        await rehearsal.stands("Unknown Held", "three")
    async with at_work(rehearsal.anew()):
        await rehearsal.acting("three")
    async with at_work(rehearsal.anew()):
        await rehearsal.stands("Unknown ActUnderWay", "three")
        await rehearsal.operator.abort()
        day = await rehearsal.stands("False ActNotPassed")
    assert day.status.performance == 1
    acts = [run.spec.experiment.game_day and run.spec.experiment.game_day.act for run in await rehearsal.runs()]
    assert acts == ["one", "two", "three"]


async def test_an_operator_that_is_killed_before_it_makes_the_run_makes_that_one(rehearsal: GameDayHarness) -> None:
    """The record says that the act has begun, and there is no run yet."""
    rehearsal.apply(inline("one"))
    async with at_work(rehearsal.operator):
        run = await rehearsal.acting("one")
        before = await rehearsal.day()
    await rehearsal.client.delete(EXPERIMENT_RUN, *run.key)
    status = json.loads(before.status.model_dump_json(by_alias=True, exclude_none=True))
    del status["acts"][0]["runUid"]
    change = [{"op": "add", "path": "/status", "value": status}]
    await rehearsal.client.patch(GAME_DAY, rehearsal.namespace, DAY, change, subresource="status")
    async with at_work(rehearsal.anew()):
        again = await rehearsal.acting("one")
    assert again.metadata.name == run.metadata.name
    assert again.metadata.uid != run.metadata.uid


async def test_an_abort_of_the_day_ends_its_run_and_nothing_follows(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"), inline("two"))
    async with at_work(rehearsal.operator):
        await rehearsal.acting("one")
        rehearsal.server.kubectl(
            "patch", "gd", DAY, "-n", rehearsal.namespace, "--type=merge", '-p={"spec":{"abort":true}}'
        )
        day = await rehearsal.stands("False AbortRequested")
        (run,) = await rehearsal.runs()
        assert (run.status.verdict, run.status.reason) == ("Aborted", "AbortRequested")
        assert day.status.verdict == "Aborted"


async def test_a_deleted_day_ends_its_run_also_when_no_operator_saw_it(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"))
    async with at_work(rehearsal.operator):
        await rehearsal.acting("one")
    rehearsal.server.kubectl("delete", "gd", DAY, "-n", rehearsal.namespace)
    async with at_work(rehearsal.anew()):

        async def over() -> ExperimentRun | None:
            return next((run for run in await rehearsal.runs() if run.finished), None)

        run = await until(over, "the end of the run")
        assert (run.status.verdict, run.status.reason) == ("Aborted", "GameDayDeleted")


async def test_a_changed_programme_ends_the_run_and_begins_anew(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"))
    async with at_work(rehearsal.operator):
        first = await rehearsal.acting("one")
        rehearsal.apply(inline("one"), revision="2")

        async def anew() -> bool:
            return len(await rehearsal.runs()) == 2

        await until(anew, "the run of the second performance")
        day = await rehearsal.stands("Unknown ActUnderWay")
        assert day.status.performance == 2
        old, new = await rehearsal.runs()
        assert (old.metadata.uid, old.status.reason) == (first.metadata.uid, "Superseded")
        assert new.spec.experiment.revision == "2"


async def test_a_missing_experiment_stalls_the_day_until_it_comes(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(by_name("one", experimentRef={"name": NAME}))
    async with at_work(rehearsal.operator):
        await rehearsal.stands("Unknown ExperimentNotFound")
        rehearsal.operator.clock.set("2026-06-01T01:00:00Z")
        rehearsal.operator.operation.days.enqueue_all()
        day = await rehearsal.stands("False ExperimentNotFound")
        stalled = find(day.status.conditions, ConditionType.STALLED)
        assert stalled is not None
        assert stalled.status == "True"
        assert f'act one: there is no Experiment "{NAME}"' in stalled.message
        rehearsal.operator.apply(suspend=True)
        await rehearsal.acting("one")


async def test_the_run_of_a_named_experiment_is_its_own_and_answers_it(rehearsal: GameDayHarness) -> None:
    """What was asked for by annotation before stays answered, or the experiment would ask again after the day."""
    rehearsal.operator.apply()
    rehearsal.operator.annotate("showstopper.dev/run-requested", "now")
    async with at_work(rehearsal.operator):
        await until(rehearsal.runs, "the experiment's own run")
        await rehearsal.operator.abort()
        await rehearsal.operator.stands("False AbortRequested")
        rehearsal.apply(by_name("one", experimentRef={"name": NAME}))
        run = await rehearsal.acting("one")
        assert run.spec.experiment.run_request == "now"
        await rehearsal.operator.stands("Unknown WaitingForRoom")
        await rehearsal.operator.abort()
        await rehearsal.stands("False ActNotPassed")
        experiment = await rehearsal.operator.stands("False AbortRequested")
        assert experiment.status.run is not None
        assert experiment.status.run.name == run.metadata.name
        assert len(await rehearsal.runs()) == 2


async def test_a_deleted_experiment_ends_its_act(rehearsal: GameDayHarness) -> None:
    async with at_work(rehearsal.operator):
        rehearsal.operator.apply(suspend=True)
        rehearsal.apply(by_name("one", experimentRef={"name": NAME}))
        await rehearsal.acting("one")
        await rehearsal.client.delete(EXPERIMENT, rehearsal.namespace, NAME)
        day = await rehearsal.stands("False ActNotPassed")
        assert day.status.acts[0].reason == "ExperimentDeleted"


async def test_a_window_that_has_passed_stalls_the_day(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"), window={"end": "2026-05-31T00:00:00Z"})
    async with at_work(rehearsal.operator):
        day = await rehearsal.stands("False WindowPassed")
        assert is_true(day.status.conditions, ConditionType.STALLED)
        assert "write a window.end that is to come" in day.status.conditions[0].message
        assert not await rehearsal.runs()


async def test_a_hold_that_nobody_may_approve_stalls_the_day(rehearsal: GameDayHarness) -> None:
    kind = "validatingadmissionpolicybinding"
    rehearsal.server.kubectl("delete", kind, APPROVALS_POLICY)
    try:
        rehearsal.apply(inline("one", **APPROVAL))
        async with at_work(rehearsal.operator):
            day = await rehearsal.stands("False ApprovalPolicyMissing")
            assert is_true(day.status.conditions, ConditionType.STALLED)
            assert "install Showstopper's chart" in day.status.conditions[0].message
    finally:
        guard(rehearsal.server)


async def test_a_namespace_that_does_not_allow_it_ends_the_act_before_there_is_a_run(rehearsal: GameDayHarness) -> None:
    await stored_objects.forbid(rehearsal.client, rehearsal.namespace)
    rehearsal.apply(inline("one"), onFailure="Stop")
    async with at_work(rehearsal.operator):
        day = await rehearsal.stands("False ActNotPassed")
        assert (day.status.verdict, day.status.acts[0].reason) == ("Inconclusive", "NamespaceNotAllowed")
        assert not await rehearsal.runs()


async def test_only_the_runs_of_some_performances_are_kept(rehearsal: GameDayHarness) -> None:
    rehearsal.apply(inline("one"), historyLimit=1)
    async with at_work(rehearsal.operator):
        first = await rehearsal.acting("one")
        rehearsal.apply(inline("one"), historyLimit=1, revision="2")

        async def second() -> ExperimentRun | None:
            later_runs = [run for run in await rehearsal.runs() if run.metadata.uid != first.metadata.uid]
            return next((run for run in later_runs if run.status.conditions), None)

        kept = await until(second, "the second performance")
        await rehearsal.operator.abort()
        await rehearsal.stands("False ActNotPassed")

        async def trimmed() -> bool:
            return [run.metadata.uid for run in await rehearsal.runs()] == [kept.metadata.uid]

        await until(trimmed, "only the newest run")


async def test_the_runs_of_acts_that_are_inline_no_more_are_trimmed_too(rehearsal: GameDayHarness) -> None:
    rehearsal.operator.apply(suspend=True)
    rehearsal.apply(inline("one"), inline("two"), historyLimit=1)
    async with at_work(rehearsal.operator):
        for act in ("one", "two"):
            await rehearsal.acting(act)
            await rehearsal.operator.abort()
        await rehearsal.stands("False ActNotPassed")
        assert len(await rehearsal.runs()) == 2
        rehearsal.apply(by_name("named", experimentRef={"name": NAME}), historyLimit=1)
        named = await rehearsal.acting("named")
        await rehearsal.operator.abort()
        await rehearsal.stands("False ActNotPassed")

        async def trimmed() -> bool:
            return len(await rehearsal.runs()) == 2

        await until(trimmed, "one run of an act that was written out, and that of the experiment")
        assert named.metadata.uid in {run.metadata.uid for run in await rehearsal.runs()}
