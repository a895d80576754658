"""Five hundred targets in one run, on a real API server: what is asked of each agent, and what the record holds.

The agents are stubs: what is tried here is how the operator shares the work out, and how large its objects become; the
rules of a hundred targets are the same as those of one, and are tried where there are networks (tests/agent). How long
it takes on this machine is printed; `make bench-targets` writes it down.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.run import MOST_KILLED, ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION
from showstopper.engine.hands.injections.asking import SHARD
from showstopper.engine.hands.pace import Pace
from showstopper.engine.hands.records import MOST_NAMED
from tests.support import build, stored_objects
from tests.support.many_targets import NODES, TARGETS, crowd, injected_seconds, loss
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import Agent

pytestmark = pytest.mark.apiserver
LARGEST = 64 * 1024


@pytest.fixture(scope="module")
def crowded(server: ApiServer) -> str:
    """A namespace for all tests here: to fill it takes half a minute."""

    async def fill() -> None:
        async with await Client.connect(server.kubeconfig) as client:
            await stored_objects.namespace(client, "many")
            await crowd(client, "many")

    asyncio.run(fill())
    return "many"


@pytest.fixture
async def harness(client: Client, crowded: str) -> AsyncIterator[RunHarness]:
    made = RunHarness(client, crowded)
    yield made
    await made.end()


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def test_all_are_injected_in_shards_and_the_record_stays_small(
    harness: RunHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    client = harness.client
    async with Agent(client, harness.namespace, idle=f"relay-{TARGETS - 1:03}"):
        run = await harness.create("many", faults=[loss()])
        await harness.stored(run, lambda run: run.status.step == "Active")
        injections = await client.list(INJECTION, harness.namespace)
        run = await harness.stored(run, finished)
    sizes = [len(injection["spec"]["targets"]) for injection in injections]
    assert sum(sizes) == TARGETS
    assert max(sizes) <= SHARD
    assert len(injections) == NODES * 2  # 125 pods on each node
    assert len({target["uid"] for each in injections for target in each["spec"]["targets"]}) == TARGETS
    body = await client.get(EXPERIMENT_RUN, *run.key)
    status = len(json.dumps(body["status"]))
    with capsys.disabled():
        print(f" {TARGETS} targets injected in {injected_seconds(run):.2f} s, status of {status} bytes", end=" ")  # noqa: T201
    assert status < LARGEST
    (record,) = run.status.faults
    assert (record.targets, record.matched, record.reverted) == (TARGETS, 400 * (TARGETS - 1), True)
    assert run.status.steps[0].message == f"{TARGETS} targets"


async def test_the_worst_are_named(harness: RunHarness) -> None:
    """One of them saw no packet: it is the first that the record names, wherever it was in the plan."""
    (run,) = [ExperimentRun.parse(body) for body in await harness.client.list(EXPERIMENT_RUN, harness.namespace)]
    assert len(run.status.targets) == MOST_NAMED
    worst, *others = run.status.targets
    assert (worst.pod, worst.proven, bool(worst.requested_at)) == (f"relay-{TARGETS - 1:03}", False, True)
    assert all(target.proven for target in others)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert worst.pod in (run.status.message or "")


async def test_every_killed_container_is_named_and_that_fits_too(harness: RunHarness) -> None:
    """Each is proven at the listeners one by one, so that none may be missing."""
    kill = {"name": "kill", "target": {"component": "relay", "max": MOST_KILLED}, "containerKill": {}}
    async with Agent(harness.client, harness.namespace):
        run = await harness.create("containers", faults=[kill])
        run = await harness.stored(run, finished)
    body = await harness.client.get(EXPERIMENT_RUN, *run.key)
    assert len(run.status.targets) == MOST_KILLED
    assert all(target.gone_at for target in run.status.targets)
    media_stopped = MOST_KILLED * len('"mediaStoppedAt": "2026-01-01T00:00:00.000000Z", ')
    assert len(json.dumps(body["status"])) + media_stopped < LARGEST


async def test_more_kills_than_a_record_has_room_for_are_refused(harness: RunHarness) -> None:
    run = await harness.create("kills", faults=[build.fault(max=MOST_KILLED + 1)])
    run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "TooManyTargets")
    assert "lower target.max" in (run.status.message or "")
    assert len(await stored_objects.names(harness.client, harness.namespace)) == TARGETS


async def test_as_many_kills_as_are_allowed_fit(harness: RunHarness) -> None:
    harness = RunHarness(harness.client, harness.namespace, Pace(proof=0.0))  # no listener is there to prove it
    run = await harness.create("kills", faults=[build.fault(max=MOST_KILLED)])
    run = await harness.stored(run, finished)
    body = await harness.client.get(EXPERIMENT_RUN, *run.key)
    assert len(run.status.targets) == MOST_KILLED
    assert len(json.dumps(body["status"])) < LARGEST
    assert len(await stored_objects.names(harness.client, harness.namespace)) == TARGETS - MOST_KILLED
