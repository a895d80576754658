"""The stop switch against a real API server: what runs is ended and lifted, and nothing begins until it is released."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.base import dump
from showstopper.api.run import ExperimentRun, ExperimentRunStatus, FaultRecord, Step, StepName, TargetRecord
from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import CONFIG_MAP, EXPERIMENT_RUN, POD
from showstopper.engine.stop_switch import StopSwitch
from showstopper.errors import SettingsError
from tests.api.server import with_crds
from tests.engine import build, cluster
from tests.engine.company import Company
from tests.engine.place import Place, fresh, operated, until
from tests.engine.stub_agent import LOSS, Agent, nothing_left

pytestmark = pytest.mark.apiserver
WHY = "the real show has begun"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def place(server: ApiServer) -> AsyncIterator[Place]:
    async with fresh(server) as found:
        for name in ("a", "b"):
            await cluster.pod(found.client, found.namespace, name)
        yield found


@pytest.fixture
async def company(place: Place) -> AsyncIterator[Company]:
    found = Company(place.client, place.namespace)
    yield found
    await found.end()


async def throw(client: Client, namespace: str, why: str = WHY) -> None:
    metadata = {"name": STOP_SWITCH, "namespace": namespace}
    await client.create(
        CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"reason": why}}
    )


async def release(client: Client, namespace: str) -> None:
    await client.delete(CONFIG_MAP, namespace, STOP_SWITCH)


@asynccontextmanager
async def watched(company: Company) -> AsyncIterator[None]:
    await company.switch.look()
    task = asyncio.create_task(company.switch.watch())
    yield
    task.cancel()


def finished(run: ExperimentRun) -> bool:
    return run.finished


def assert_stopped(run: ExperimentRun) -> None:
    assert (run.status.verdict, run.status.reason) == ("Aborted", "Stopped")
    assert WHY in (run.status.message or "")


async def test_a_fault_that_lasts_is_lifted_and_its_run_is_aborted(company: Company) -> None:
    async with Agent(company.client, company.place), watched(company):
        run = await company.create("loss", faults=[{**LOSS, "duration": "1h"}])
        await company.stored(run, lambda found: found.status.step == "Active")
        await throw(company.client, company.place)
        run = await company.stored(run, finished)
    assert_stopped(run)
    assert "showstopper resume" in (run.status.message or "")
    assert run.status.faults[0].reverted
    assert await nothing_left(company.client, run)


async def test_a_queued_run_ends_too_and_hits_nothing(company: Company) -> None:
    async with watched(company):
        first = await company.create("first", baseline="1h")
        await company.stored(first, lambda found: bool(found.status.conditions))
        second = await company.create("second", baseline="1h")
        await company.stored(second, lambda found: bool(found.status.conditions))
        await throw(company.client, company.place)
        for run in (await company.stored(first, finished), await company.stored(second, finished)):
            assert_stopped(run)
            assert not run.status.targets
    assert await cluster.names(company.client, company.place) == {"a", "b"}


async def test_a_run_that_would_begin_at_once_is_made_and_hits_nothing(company: Company) -> None:
    """Also one whose plan was made before: the switch is asked right before the call."""
    made = await company.plan(company.experiment("kill", "0s"))
    await throw(company.client, company.place)
    await company.switch.look()
    run = await company.stored(await company.create("kill", made=made), finished)
    assert_stopped(run)
    assert run.spec.targets == ()
    assert await cluster.names(company.client, company.place) == {"a", "b"}


async def test_a_restarted_operator_does_not_go_on_with_what_was_not_hit_yet(company: Company) -> None:
    left = await left_behind(company)
    await throw(company.client, company.place)
    other = Company(company.client, company.place)
    await other.switch.look()
    other.runs.seen(left)
    assert_stopped(await other.stored(left, finished))
    assert await cluster.names(company.client, company.place) == {"a", "b"}


async def left_behind(company: Company) -> ExperimentRun:
    """A run whose operator died between the note and the calls."""
    run = await company.create("kill", baseline="1h", faults=[build.fault(max=2)])
    await company.end()
    now = run.metadata.creation_timestamp
    targets = [
        TargetRecord(fault="kill", pod=pod["metadata"]["name"], uid=pod["metadata"]["uid"], requested_at=now)
        for pod in await company.client.list(POD, company.place)
    ]
    status = ExperimentRunStatus(
        steps=[Step(name=StepName.INJECTING, started_at=now)],
        faults=[FaultRecord(name="kill", kind="podKill", targets=2)],
        targets=targets,
    )
    change = [{"op": "add", "path": "/status", "value": dump(status)}]
    return ExperimentRun.parse(await company.client.patch(EXPERIMENT_RUN, *run.key, change, subresource="status"))


async def test_nothing_begins_by_itself_when_it_is_released(place: Place) -> None:
    place.apply(timing={"baseline": "1h"})
    async with operated(place):
        await place.stands("Unknown WaitingForRoom")
        await throw(place.client, place.namespace)
        assert WHY in (await place.stands("False Stopped")).status.conditions[0].message
        place.apply(revision="2", timing={"baseline": "1h"})
        await until_runs(place, 2)
        await place.stands("False Stopped")
        await release(place.client, place.namespace)
        await until(released(place), "the switch is seen to be released")
        place.operation.experiments.poke_all()
        await place.stands("False Stopped")
        assert len(await place.runs()) == 2
        place.apply(revision="3", timing={"baseline": "1h"})
        await place.stands("Unknown WaitingForRoom")
        await place.abort()


async def until_runs(place: Place, wanted: int) -> None:
    async def there() -> bool:
        return len(await place.runs()) == wanted

    await until(there, f"{wanted} runs")


def released(place: Place) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return place.operation.stop_switch.reason is None

    return seen


async def test_who_may_not_see_the_switch_runs_nothing(server: ApiServer, place: Place) -> None:
    async with await Client.connect(server.user("nobody")) as client:
        with pytest.raises(SettingsError, match="showstopper-stop-switch"):
            await StopSwitch(client, place.namespace).look()
