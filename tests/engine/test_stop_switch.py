"""The stop switch against a real API server: what runs is ended and lifted, and nothing begins until it is released."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.run import ExperimentRun, ExperimentRunStatus, FaultRecord, Step, StepName, TargetRecord
from showstopper.api.schema.base import dump
from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import CONFIG_MAP, EXPERIMENT_RUN, POD
from showstopper.engine.stop_switch import StopSwitch
from showstopper.errors import SettingsError
from tests.support import build, stored_objects
from tests.support.operator_harness import OperatorHarness, at_work, until
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver
WHY = "the real show has begun"


async def throw(client: Client, namespace: str, why: str = WHY) -> None:
    metadata = {"name": STOP_SWITCH, "namespace": namespace}
    await client.create(
        CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"reason": why}}
    )


async def release(client: Client, namespace: str) -> None:
    await client.delete(CONFIG_MAP, namespace, STOP_SWITCH)


@asynccontextmanager
async def watched(harness: RunHarness) -> AsyncIterator[None]:
    await harness.switch.look()
    task = asyncio.create_task(harness.switch.watch())
    yield
    task.cancel()


def finished(run: ExperimentRun) -> bool:
    return run.finished


def assert_stopped(run: ExperimentRun) -> None:
    assert (run.status.verdict, run.status.reason) == ("Aborted", "Stopped")
    assert WHY in (run.status.message or "")


async def test_a_fault_that_lasts_is_lifted_and_its_run_is_aborted(harness: RunHarness) -> None:
    async with Agent(harness.client, harness.namespace), watched(harness):
        run = await harness.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await harness.stored(run, lambda run: run.status.step == "Active")
        await throw(harness.client, harness.namespace)
        run = await harness.stored(run, finished)
    assert_stopped(run)
    assert "showstopper resume" in (run.status.message or "")
    assert run.status.faults[0].reverted
    assert await nothing_left(harness.client, run)


async def test_a_queued_run_ends_too_and_hits_nothing(harness: RunHarness) -> None:
    async with watched(harness):
        first = await harness.create("first", baseline="1h")
        await harness.stored(first, lambda run: bool(run.status.conditions))
        second = await harness.create("second", baseline="1h")
        await harness.stored(second, lambda run: bool(run.status.conditions))
        await throw(harness.client, harness.namespace)
        for run in (await harness.stored(first, finished), await harness.stored(second, finished)):
            assert_stopped(run)
            assert not run.status.targets
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"}


async def test_a_run_that_would_begin_at_once_is_made_and_hits_nothing(harness: RunHarness) -> None:
    """Also one whose plan was made before: the switch is asked right before the call."""
    made = await harness.plan(harness.experiment("kill", "0s"))
    await throw(harness.client, harness.namespace)
    await harness.switch.look()
    run = await harness.stored(await harness.create("kill", made=made), finished)
    assert_stopped(run)
    assert run.spec.targets == ()
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"}


async def test_a_restarted_operator_does_not_go_on_with_what_was_not_hit_yet(harness: RunHarness) -> None:
    left = await left_behind(harness)
    await throw(harness.client, harness.namespace)
    other = RunHarness(harness.client, harness.namespace)
    await other.switch.look()
    other.runs.on_change(left)
    assert_stopped(await other.stored(left, finished))
    assert await stored_objects.names(harness.client, harness.namespace) == {"a", "b"}


async def left_behind(harness: RunHarness) -> ExperimentRun:
    """A run whose operator died between the note and the calls."""
    run = await harness.create("kill", baseline="1h", faults=[build.fault(max=2)])
    await harness.end()
    now = run.metadata.creation_timestamp
    targets = [
        TargetRecord(fault="kill", pod=pod["metadata"]["name"], uid=pod["metadata"]["uid"], requested_at=now)
        for pod in await harness.client.list(POD, harness.namespace)
    ]
    status = ExperimentRunStatus(
        steps=[Step(name=StepName.INJECTING, started_at=now)],
        faults=[FaultRecord(name="kill", kind="podKill", targets=2)],
        targets=targets,
    )
    change = [{"op": "add", "path": "/status", "value": dump(status)}]
    return ExperimentRun.parse(await harness.client.patch(EXPERIMENT_RUN, *run.key, change, subresource="status"))


@pytest.mark.usefixtures("relays")
async def test_nothing_begins_by_itself_when_it_is_released(operator: OperatorHarness) -> None:
    operator.apply(timing={"baseline": "1h"})
    async with at_work(operator):
        await operator.stands("Unknown WaitingForRoom")
        await throw(operator.client, operator.namespace)
        assert WHY in (await operator.stands("False Stopped")).status.conditions[0].message
        operator.apply(revision="2", timing={"baseline": "1h"})
        await until_runs(operator, 2)
        await operator.stands("False Stopped")
        await release(operator.client, operator.namespace)
        await until(released(operator), "the switch is seen to be released")
        operator.operation.experiments.enqueue_all()
        await operator.stands("False Stopped")
        assert len(await operator.runs()) == 2
        operator.apply(revision="3", timing={"baseline": "1h"})
        await operator.stands("Unknown WaitingForRoom")
        await operator.abort()


async def until_runs(operator: OperatorHarness, wanted: int) -> None:
    async def there() -> bool:
        return len(await operator.runs()) == wanted

    await until(there, f"{wanted} runs")


def released(operator: OperatorHarness) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return operator.operation.stop_switch.reason is None

    return seen


async def test_who_may_not_see_the_switch_runs_nothing(server: ApiServer, operator: OperatorHarness) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        with pytest.raises(SettingsError, match="showstopper-stop-switch"):
            await StopSwitch(client, operator.namespace).look()


async def test_an_aborted_run_stays_aborted_when_the_operator_dies_before_its_verdict(harness: RunHarness) -> None:
    """The switch is released meanwhile: only the record still knows why the run ended."""
    async with Agent(harness.client, harness.namespace), watched(harness):
        run = await harness.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await harness.stored(run, lambda run: run.status.step == "Active")
        await throw(harness.client, harness.namespace)
        run = await harness.stored(run, finished)
    await harness.end()
    await release(harness.client, harness.namespace)
    assert run.status.ended_early is not None
    body = await harness.client.get(EXPERIMENT_RUN, *run.key)
    for field in ("verdict", "reason", "message", "finishedAt"):
        del body["status"][field]
    assert body["status"]["steps"].pop()["name"] == "Judged"
    body["status"]["step"] = "Reverting"
    await harness.client.replace_status(EXPERIMENT_RUN, body)
    other = RunHarness(harness.client, harness.namespace)
    other.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *run.key)))
    assert_stopped(await other.stored(run, finished))
    await other.end()
