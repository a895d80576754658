"""Hold against a real API server: each fault is lifted at its own end, and lifted again until that has come of it."""

from collections.abc import AsyncIterator

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import DEPLOYMENT
from showstopper.engine.hands.pace import Pace
from tests.support import stored_objects
from tests.support.operator_harness import until
from tests.support.refusing import refusing
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent

pytestmark = pytest.mark.apiserver

DOWN = {
    "name": "down",
    "target": {"component": "relay", "max": 2},
    "scaleDown": {"replicas": 1},
    "duration": "10s",
}


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """Runs in a namespace with a Deployment of three relays. The agent that is played does not report twice."""
    await stored_objects.deployment(client, namespace, ("a", "b", "c"))
    made = RunHarness(client, namespace, Pace(silent=600.0))
    yield made
    await made.end()


async def test_what_cannot_be_put_back_at_once_is_tried_again_while_another_fault_lasts(
    client: Client, harness: RunHarness
) -> None:
    def active(run: ExperimentRun) -> bool:
        return run.status.step == "Active" and all(change.changed_at for change in run.status.changes)

    def refused(run: ExperimentRun) -> bool:
        return any("could not be put back" in (change.message or "") for change in run.status.changes)

    async def replicas() -> int:
        body = await client.get(DEPLOYMENT, harness.namespace, "relay")
        number: int = body["spec"]["replicas"]
        return number

    async with Agent(client, harness.namespace):
        run = await harness.create("both", faults=[DOWN, LOSS | {"duration": "1h"}])
        await harness.stored(run, active)
        async with refusing(client, DEPLOYMENT, harness.namespace, "relay"):
            await harness.stored(run, refused)
            assert await replicas() == 1

        async def is_back() -> bool:
            return await replicas() == 3

        await until(is_back, "three replicas")
        run = await harness.stored(run, lambda run: run.status.faults[0].reverted)
        assert active(run), "the other fault lasts"
        await harness.abort(run)
        await harness.stored(run, lambda run: run.finished)
