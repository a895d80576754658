"""A gate against a real API server and its workloads: it closes when a template changes, before any pod tells.

There is no controller and no kubelet here: the test plays both, so that nothing but the template has changed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from showstopper.api.conditions import ConditionType, find
from showstopper.api.gate import ReleaseGate
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.cluster.client import Object
from showstopper.cluster.kinds import DEPLOYMENT, EXPERIMENT_RUN, POD, RELEASE_GATE, Kind
from showstopper.cluster.mirror import Change, Mirror
from showstopper.engine.gates.keeping import OBSERVED_SECONDS
from showstopper.engine.rooms.pod_cache import PodCache
from showstopper.errors import Forbidden
from showstopper.faults.workloads import fields
from tests.support.gated_deployment import GatedDeployment
from tests.support.operator_harness import MIDNIGHT, OperatorHarness, at_work, until

pytestmark = pytest.mark.apiserver


@pytest.fixture
async def relay(operator: OperatorHarness) -> GatedDeployment:
    made = GatedDeployment(operator)
    operator.apply(suspend=True)
    await made.create()
    await made.passes()
    return made


async def test_it_closes_at_once_when_a_template_changes_long_before_any_pod_does(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        for n in range(5):
            await relay.change_template("checksum/config", str(n))
            await relay.answers("Unknown RolloutUnderWay")  # nobody plays the controller before that
            await relay.rolled_out()
            await relay.answers("False RunMissing")  # the same image, and another release
            await relay.restore_template()
            await relay.rolled_out()
            await relay.answers("True Passed")  # rolled back: what passed before counts again


async def test_a_restart_by_a_fault_does_not_close_it(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator), answers_of(relay) as answers:
        await relay.answers("True Passed")
        await relay.change_template(fields.RESTARTED_KEY, "2026-06-01T00:00:00Z")
        assert await answer_after_a_look(relay, "restarted") == "True Passed", "it is the same release"
        await relay.rolled_out()
        assert await answer_after_a_look(relay, "rolled out") == "True Passed"
    assert set(answers[answers.index("True Passed") :]) == {"True Passed"}, "not in between either"


async def test_scaling_does_not_close_it(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator), answers_of(relay) as answers:
        await relay.answers("True Passed")
        await relay.scale(3)
        assert await answer_after_a_look(relay, "scaled") == "True Passed", "its controller has not seen that yet"
        await relay.create_pod("relay-b")
        await until(lambda: knows(relay, "relay-b"), "the new pod")
        assert await answer_after_a_look(relay, "starting") == "True Passed", "nobody has started the new pod"
        await relay.rolled_out(2)
        relay.start_pod("relay-b")
        assert await answer_after_a_look(relay, "started") == "True Passed"
        await relay.scale(1)
        await relay.operator.client.delete(POD, relay.operator.namespace, "relay-b", grace_seconds=0)
        assert await answer_after_a_look(relay, "smaller") == "True Passed"
    assert set(answers[answers.index("True Passed") :]) == {"True Passed"}, "not in between either"


async def answer_after_a_look(relay: GatedDeployment, revision: str) -> str:
    """The gate's answer for a new revision, which it gives after a look at the workloads."""
    relay.declare_gate(revision=revision)

    async def answered() -> str | None:
        answer = await relay.answer()
        return answer if answer != "not yet" else None

    return await until(answered, "an answer")


async def knows(relay: GatedDeployment, pod: str) -> bool:
    """Whether the operator has been told of the pod."""
    known = relay.operator.operation.rooms.pod_cache.of(relay.operator.namespace)
    return pod in {each["metadata"]["name"] for each in known}


async def test_a_pod_with_another_image_closes_it(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        await relay.create_pod("relay-b", image="relay:2")
        await relay.answers("Unknown RolloutUnderWay")


@asynccontextmanager
async def answers_of(relay: GatedDeployment) -> AsyncIterator[list[str]]:
    """Every answer of the gate, as a watch tells them."""
    told: list[str] = []

    def note(change: Change[ReleaseGate]) -> None:
        ready = find(change.value.status.conditions, ConditionType.READY)
        if ready is not None:
            told.append(f"{ready.status} {ready.reason}")

    mirror = Mirror(
        relay.operator.client, RELEASE_GATE, relay.operator.namespace, keep=ReleaseGate.parse, on_change=note
    )
    watching = asyncio.create_task(mirror.run())
    await mirror.synced()
    yield told
    watching.cancel()


async def test_images_alone_are_the_release_if_the_gate_says_so(relay: GatedDeployment) -> None:
    relay.declare_gate(release="Images")
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        await relay.change_template("checksum/config", "new")
        await relay.answers("Unknown RolloutUnderWay")
        await relay.rolled_out()
        await relay.answers("True Passed")


async def test_a_changed_revision_or_a_new_gate_is_answered_for_after_a_look(relay: GatedDeployment) -> None:
    """Its first answer is about the change before it, also where the watch has not told that yet."""
    relay.declare_gate(revision="one")
    async with at_work(relay.operator):
        gate = await relay.answers("True Passed")
        assert gate.status.observed_at
        assert gate.status.expires_at == gate.status.experiments[0].expires_at
        for n in range(3):
            await relay.change_template("checksum/config", str(n))
            relay.declare_gate(revision=f"of {n}")
            while (answer := await relay.answer()) == "not yet":
                await asyncio.sleep(0.005)
            assert answer == "Unknown RolloutUnderWay"
        relay.operator.server.kubectl("-n", relay.operator.namespace, "delete", "releasegate", "night")
        relay.declare_gate()
        while (answer := await relay.answer()) == "not yet":
            await asyncio.sleep(0.005)
        assert answer == "Unknown RolloutUnderWay"


async def test_a_new_operator_lets_an_open_gate_stand_until_it_has_looked(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        before = await relay.answers("True Passed")
    relay.operator = relay.operator.anew()
    async with at_work(relay.operator):
        await until(lambda: _loaded(relay.operator), "a new operator")
        await asyncio.sleep(1)
        after = await relay.gate()
    moved = [find(gate.status.conditions, ConditionType.READY) for gate in (before, after)]
    assert moved[0] is not None
    assert moved[1] is not None
    assert moved[0].last_transition_time == moved[1].last_transition_time, "it has not flapped"


async def _loaded(operator: OperatorHarness) -> bool:
    return operator.operation.loaded


async def test_a_failed_run_that_is_deleted_still_counts(relay: GatedDeployment) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        gate = await relay.answers("True Passed")
        run = gate.status.experiments[0].run
        assert run is not None
        relay.patch("exprun", run, {"verdict": "Failed", "reason": "ExpectationMissed"})
        await relay.answers("False ExperimentNotPassed")
        await relay.operator.client.delete(EXPERIMENT_RUN, relay.operator.namespace, run)

        async def told() -> bool:
            return "though the run was deleted" in ((await relay.gate()).status.message or "")

        await until(told, "the deleted run counts")
        assert await relay.answer() == "False ExperimentNotPassed"


async def test_it_counts_also_for_a_gate_that_is_made_anew(relay: GatedDeployment) -> None:
    """As a hook of Argo CD is, at every sync."""
    relay.declare_gate()
    async with at_work(relay.operator):
        run = (await relay.answers("True Passed")).status.experiments[0].run
        assert run is not None
        later = to_timestamp(relay.operator.clock.now() + 1)
        relay.patch("exprun", run, {"verdict": "Failed", "reason": "ExpectationMissed", "finishedAt": later})
        await relay.answers("False ExperimentNotPassed")

        async def remembered() -> bool:
            return [each.verdict for each in (await relay.operator.experiment()).status.verdicts] == ["Failed"]

        await until(remembered, "the verdict in the experiment's status")
        await relay.operator.client.delete(EXPERIMENT_RUN, relay.operator.namespace, run)
        relay.operator.server.kubectl("-n", relay.operator.namespace, "delete", "releasegate", "night")
        relay.declare_gate()
        gate = await relay.answers("False ExperimentNotPassed")
        assert "though the run was deleted" in (gate.status.message or "")


@pytest.fixture
def faulty(relay: GatedDeployment, monkeypatch: pytest.MonkeyPatch) -> "FaultyApi":
    return FaultyApi(relay, monkeypatch)


class FaultyApi:
    """The operator's view of Deployments: a watch that falls silent, as one whose connection was cut without a word,
    and a list that is refused.
    """

    def __init__(self, relay: GatedDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
        self.silent = self.refused = False
        client = relay.operator.client
        watch_once, list_all = client.watch_once, client.list

        async def watch(kind: Kind, *arguments: Any, **options: Any) -> AsyncIterator[Object]:
            async with aclosing(watch_once(kind, *arguments, **options)) as events:
                async for event in events:
                    if not (self.silent and kind is DEPLOYMENT):
                        yield event

        async def listed(kind: Kind, *arguments: Any, **options: Any) -> list[Object]:
            if self.refused and kind is DEPLOYMENT:
                raise Forbidden("deployments.apps is forbidden", status=403)
            return await list_all(kind, *arguments, **options)

        monkeypatch.setattr(client, "watch_once", watch)
        monkeypatch.setattr(client, "list", listed)


async def test_an_answer_is_renewed_only_after_a_look_at_the_workloads(
    relay: GatedDeployment, faulty: FaultyApi
) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        before = (await relay.answers("True Passed")).status.observed_at
        faulty.silent = True
        await relay.change_template("checksum/config", "unseen")
        assert (await relay.gate()).status.observed_at == before, "so far it is as old as it says"
        relay.operator.clock.set(MIDNIGHT, seconds=90)
        relay.operator.operation.gates.enqueue_all()
        await relay.answers("Unknown RolloutUnderWay")


async def test_no_answer_is_renewed_by_the_minute_that_ends_during_a_pass(
    relay: GatedDeployment, faulty: FaultyApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it began, the workloads were not to be read: it knows of them what was read a minute before."""
    relay.declare_gate()
    clock = relay.operator.clock
    async with at_work(relay.operator):
        before = (await relay.answers("True Passed")).status.observed_at
        assert before is not None
        is_synced, end = PodCache.is_synced, from_timestamp(before) + OBSERVED_SECONDS - from_timestamp(MIDNIGHT)

        def late(cache: PodCache, namespace: str) -> bool:
            clock.set(MIDNIGHT, seconds=end + 0.5)
            return is_synced(cache, namespace)

        with monkeypatch.context() as passing:
            passing.setattr(PodCache, "is_synced", late)
            clock.set(MIDNIGHT, seconds=end - 0.5)
            faulty.refused = True
            relay.operator.operation.gates.enqueue_all()
            await asyncio.sleep(0.5)
            assert (await relay.gate()).status.observed_at in {before, None}


async def test_a_gate_whose_workloads_cannot_be_read_is_not_open(relay: GatedDeployment, faulty: FaultyApi) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        faulty.refused = True
        relay.operator.clock.set(MIDNIGHT, seconds=90)
        relay.operator.operation.gates.enqueue_all()
        gate = await relay.answers("Unknown WaitingForImages")
        assert gate.status.observed_at is None
        relay.operator.operation.gates.enqueue_all()
        await asyncio.sleep(0.5)
        assert await relay.answer() == "Unknown WaitingForImages", "nor later from what is remembered"
        faulty.refused = False
        relay.operator.operation.gates.enqueue_all()
        await relay.answers("True Passed")


async def test_a_gate_whose_watches_are_broken_is_not_open(
    relay: GatedDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.declare_gate()
    async with at_work(relay.operator):
        await relay.answers("True Passed")
        with monkeypatch.context() as broken:
            broken.setattr(PodCache, "is_synced", lambda *_: False)
            relay.operator.operation.gates.enqueue_all()
            gate = await relay.answers("Unknown WaitingForImages")
        assert "it is not known what is deployed" in (gate.status.message or "")
        relay.operator.operation.gates.enqueue_all()
        await relay.answers("True Passed")
