"""Game days against a real API server: from apply to the verdict, with operators that are killed on the way.

The runs are real ones. Nobody listens in these rooms, so that a run goes on until it is aborted.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.conditions import ConditionType, find, is_true
from showstopper.api.game_day import APPROVE, GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cluster.kinds import EXPERIMENT, EXPERIMENT_RUN, GAME_DAY
from showstopper.engine.days.reconciler import APPROVALS_POLICY
from tests.api.server import apply, with_crds
from tests.engine import cluster
from tests.engine.days.life import by_name, inline
from tests.engine.place import NAME, Place, fresh, operated, until

pytestmark = pytest.mark.apiserver

DAY = "rehearsal"
APPROVAL = {"hold": {"approval": True, "timeout": "1h"}}


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        guard(found)
        yield found


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
async def place(server: ApiServer) -> AsyncIterator["Night"]:
    async with fresh(server) as found:
        yield Night(found)


class Night:
    """A place with a game day in it."""

    def __init__(self, place: Place) -> None:
        self.place, self.client, self.server, self.namespace = place, place.client, place.server, place.namespace

    def anew(self) -> Place:
        """The same place with an operator that remembers nothing."""
        return Place(self.client, self.server, self.namespace, self.place.clock)

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
        return sorted(await self.place.runs(), key=lambda run: run.spec.experiment.asked_at or "")

    async def stands(self, wanted: str, act: str | None = None) -> GameDay:
        """The day as soon as Ready is so (at that act), for its generation."""

        async def asked() -> GameDay | None:
            found = await self.day()
            ready = find(found.status.conditions, ConditionType.READY)
            current = found.status.observed_generation == found.metadata.generation
            right = ready is not None and f"{ready.status} {ready.reason}" == wanted and act in {None, found.status.act}
            return found if current and right else None

        return await until(asked, f"Ready is {wanted} {act or ''}")

    async def acting(self, act: str) -> ExperimentRun:
        """The run of an act, as soon as it waits for its room."""

        async def asked() -> ExperimentRun | None:
            of_act = [run for run in await self.runs() if (of := run.spec.experiment.game_day) and of.act == act]
            return next((run for run in of_act if run.status.conditions), None)

        found = await until(asked, f"a run of act {act}")
        await self.stands("Unknown ActUnderWay", act)
        return found


async def test_a_day_from_apply_over_an_approval_to_its_verdict(place: Night) -> None:
    place.apply(inline("one"), inline("two", **APPROVAL))
    async with operated(place.place):
        first = await place.acting("one")
        assert first.metadata.labels["showstopper.dev/game-day"] == DAY
        await place.place.abort()
        held = await place.stands("False AwaitingApproval", "two")
        assert is_true(held.status.conditions, ConditionType.SUSPENDED)
        assert not is_true(held.status.conditions, ConditionType.RECONCILING)
        place.approve("two")
        await place.acting("two")
        await place.place.abort()
        found = await place.stands("False ActNotPassed")
        assert is_true(found.status.conditions, ConditionType.FINISHED)
        assert (found.status.verdict, found.status.progress) == ("Aborted", "2/2")
        assert found.status.acts[1].hold is not None
        assert found.status.acts[1].hold.approver == "alice"
        assert [record.run for record in found.status.acts] == [run.metadata.name for run in await place.runs()]
        head, row = place.server.kubectl("get", "gd", DAY, "-n", place.namespace).splitlines()
        assert head.split()[:5] == ["NAME", "ACT", "ACTS", "VERDICT", "REASON"]
        assert row.split()[:4] == [DAY, "2/2", "Aborted", "ActNotPassed"]


async def test_operators_that_are_killed_in_acts_and_holds_perform_each_act_once(place: Night) -> None:
    place.apply(inline("one"), inline("two", **APPROVAL), inline("three", hold={"for": "2s"}))
    async with operated(place.place):
        await place.acting("one")
    async with operated(place.anew()):
        await place.acting("one")
        await place.place.abort()
        held = await place.stands("False AwaitingApproval", "two")
    place.approve("two")  # while no operator is there
    async with operated(place.anew()):
        await place.acting("two")
        now = (await place.day()).status.acts[1].hold
        assert now is not None
        assert held.status.acts[1].hold is not None
        assert now.started_at == held.status.acts[1].hold.started_at
        await place.place.abort()
        await place.stands("Unknown Held", "three")
    async with operated(place.anew()):
        await place.acting("three")
    async with operated(place.anew()):
        await place.stands("Unknown ActUnderWay", "three")
        await place.place.abort()
        found = await place.stands("False ActNotPassed")
    assert found.status.performance == 1
    acts = [run.spec.experiment.game_day and run.spec.experiment.game_day.act for run in await place.runs()]
    assert acts == ["one", "two", "three"]


async def test_an_operator_that_is_killed_before_it_makes_the_run_makes_that_one(place: Night) -> None:
    """The record says that the act has begun, and there is no run yet."""
    place.apply(inline("one"))
    async with operated(place.place):
        run = await place.acting("one")
        before = await place.day()
    await place.client.delete(EXPERIMENT_RUN, *run.key)
    status = json.loads(before.status.model_dump_json(by_alias=True, exclude_none=True))
    del status["acts"][0]["runUid"]
    change = [{"op": "add", "path": "/status", "value": status}]
    await place.client.patch(GAME_DAY, place.namespace, DAY, change, subresource="status")
    async with operated(place.anew()):
        again = await place.acting("one")
    assert again.metadata.name == run.metadata.name
    assert again.metadata.uid != run.metadata.uid


async def test_an_abort_of_the_day_ends_its_run_and_nothing_follows(place: Night) -> None:
    place.apply(inline("one"), inline("two"))
    async with operated(place.place):
        await place.acting("one")
        place.server.kubectl("patch", "gd", DAY, "-n", place.namespace, "--type=merge", '-p={"spec":{"abort":true}}')
        found = await place.stands("False AbortRequested")
        (run,) = await place.runs()
        assert (run.status.verdict, run.status.reason) == ("Aborted", "AbortRequested")
        assert found.status.verdict == "Aborted"


async def test_a_deleted_day_ends_its_run_also_when_no_operator_saw_it(place: Night) -> None:
    place.apply(inline("one"))
    async with operated(place.place):
        await place.acting("one")
    place.server.kubectl("delete", "gd", DAY, "-n", place.namespace)
    async with operated(place.anew()):

        async def over() -> ExperimentRun | None:
            return next((run for run in await place.runs() if run.finished), None)

        found = await until(over, "the end of the run")
        assert (found.status.verdict, found.status.reason) == ("Aborted", "GameDayDeleted")


async def test_a_changed_programme_ends_the_run_and_begins_anew(place: Night) -> None:
    place.apply(inline("one"))
    async with operated(place.place):
        first = await place.acting("one")
        place.apply(inline("one"), revision="2")

        async def anew() -> bool:
            return len(await place.runs()) == 2

        await until(anew, "the run of the second performance")
        found = await place.stands("Unknown ActUnderWay")
        assert found.status.performance == 2
        old, new = await place.runs()
        assert (old.metadata.uid, old.status.reason) == (first.metadata.uid, "Superseded")
        assert new.spec.experiment.revision == "2"


async def test_a_missing_experiment_stalls_the_day_until_it_comes(place: Night) -> None:
    place.apply(by_name("one", experimentRef={"name": NAME}))
    async with operated(place.place):
        await place.stands("Unknown ExperimentNotFound")
        place.place.clock.set("2026-06-01T01:00:00Z")
        place.place.operation.days.poke_all()
        found = await place.stands("False ExperimentNotFound")
        stalled = find(found.status.conditions, ConditionType.STALLED)
        assert stalled is not None
        assert stalled.status == "True"
        assert f'act one: there is no Experiment "{NAME}"' in stalled.message
        place.place.apply(suspend=True)
        await place.acting("one")


async def test_the_run_of_a_named_experiment_is_its_own_and_answers_it(place: Night) -> None:
    """What was asked for by annotation before stays answered, or the experiment would ask again after the day."""
    place.place.apply()
    place.place.annotate("showstopper.dev/run-requested", "now")
    async with operated(place.place):
        await until(place.runs, "the experiment's own run")
        await place.place.abort()
        await place.place.stands("False AbortRequested")
        place.apply(by_name("one", experimentRef={"name": NAME}))
        run = await place.acting("one")
        assert run.spec.experiment.run_request == "now"
        await place.place.stands("Unknown WaitingForRoom")
        await place.place.abort()
        await place.stands("False ActNotPassed")
        experiment = await place.place.stands("False AbortRequested")
        assert experiment.status.run is not None
        assert experiment.status.run.name == run.metadata.name
        assert len(await place.runs()) == 2


async def test_a_deleted_experiment_ends_its_act(place: Night) -> None:
    async with operated(place.place):
        place.place.apply(suspend=True)
        place.apply(by_name("one", experimentRef={"name": NAME}))
        await place.acting("one")
        await place.client.delete(EXPERIMENT, place.namespace, NAME)
        found = await place.stands("False ActNotPassed")
        assert found.status.acts[0].reason == "ExperimentDeleted"


async def test_a_window_that_has_passed_stalls_the_day(place: Night) -> None:
    place.apply(inline("one"), window={"end": "2026-05-31T00:00:00Z"})
    async with operated(place.place):
        found = await place.stands("False WindowPassed")
        assert is_true(found.status.conditions, ConditionType.STALLED)
        assert "write a window.end that is to come" in found.status.conditions[0].message
        assert not await place.runs()


async def test_a_hold_that_nobody_may_approve_stalls_the_day(place: Night) -> None:
    kind = "validatingadmissionpolicybinding"
    place.server.kubectl("delete", kind, APPROVALS_POLICY)
    try:
        place.apply(inline("one", **APPROVAL))
        async with operated(place.place):
            found = await place.stands("False ApprovalPolicyMissing")
            assert is_true(found.status.conditions, ConditionType.STALLED)
            assert "install Showstopper's chart" in found.status.conditions[0].message
    finally:
        guard(place.server)


async def test_a_namespace_that_does_not_allow_it_ends_the_act_before_there_is_a_run(place: Night) -> None:
    await cluster.forbid(place.client, place.namespace)
    place.apply(inline("one"), onFailure="Stop")
    async with operated(place.place):
        found = await place.stands("False ActNotPassed")
        assert (found.status.verdict, found.status.acts[0].reason) == ("Inconclusive", "NamespaceNotAllowed")
        assert not await place.runs()


async def test_only_the_runs_of_some_performances_are_kept(place: Night) -> None:
    place.apply(inline("one"), historyLimit=1)
    async with operated(place.place):
        first = await place.acting("one")
        place.apply(inline("one"), historyLimit=1, revision="2")

        async def second() -> ExperimentRun | None:
            found = [run for run in await place.runs() if run.metadata.uid != first.metadata.uid]
            return next((run for run in found if run.status.conditions), None)

        kept = await until(second, "the second performance")
        await place.place.abort()
        await place.stands("False ActNotPassed")

        async def trimmed() -> bool:
            return [run.metadata.uid for run in await place.runs()] == [kept.metadata.uid]

        await until(trimmed, "only the newest run")
