"""Injecting against a real API server: noted before it happens, and never twice, wherever the operator dies."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.base import API_VERSION, dump
from showstopper.api.run import ExperimentRun, StepName
from showstopper.clock import Clock, from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, POD
from showstopper.engine.hands.agent.client import AgentHand
from showstopper.engine.hands.agent.reselect import Reselecting
from showstopper.engine.hands.api_server import ApiServerHand
from showstopper.engine.hands.crowd.client import CrowdHand
from showstopper.engine.planning import plan
from showstopper.engine.planning.plan import Snapshot
from showstopper.engine.rooms import Images
from showstopper.engine.runs import judging
from showstopper.engine.runs.injecting import Injecting
from showstopper.engine.runs.lasting import Lasting
from showstopper.engine.runs.record import Journal
from showstopper.engine.runs.waiting import Patience
from showstopper.engine.status_writer import StatusWriter
from tests.api.server import with_crds
from tests.engine import build, cluster

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    async with await Client.connect(server.kubeconfig) as found:
        yield found


async def recorder_of(client: Client, name: str, *pods: Object) -> StatusWriter[ExperimentRun]:
    """A run that was created with these pods as its targets."""
    targets = [{"fault": "kill", "pod": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]} for pod in pods]
    spec = dump(build.run(targets=targets, timing={"baseline": "0s", "recovery": "0s"}).spec)
    metadata = {"name": name, "namespace": "show"}
    body = {"apiVersion": API_VERSION, "kind": ExperimentRun.kind, "metadata": metadata, "spec": spec}
    return StatusWriter(client, EXPERIMENT_RUN, ExperimentRun.parse(await client.create(EXPERIMENT_RUN, body)))


def injecting(recorder: StatusWriter[ExperimentRun], client: Client) -> Injecting:
    return Injecting(ApiServerHand(client), Clock(), recorder)


def lasting(recorder: StatusWriter[ExperimentRun], client: Client) -> Lasting:
    """The faults of the run that last, of which it has none."""
    clock = Clock()
    patience = Patience(lambda: recorder.resource, clock, disowned=lambda _: None, stopped=lambda: None)
    hand = AgentHand(client, clock)
    reselecting = Reselecting(hand, clock, lambda: recorder.resource, nowhere)
    crowd = CrowdHand(client, clock, Images("audio"), lambda _: ())
    journal = Journal(recorder, clock)
    return Lasting(hand, crowd, clock, recorder=recorder, journal=journal, patience=patience, reselecting=reselecting)


async def nowhere(run: ExperimentRun) -> Snapshot:
    return Snapshot(run.metadata.namespace, run.spec.room.name, run.spec.room.spec, {}, {}, {})


async def stored(client: Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(EXPERIMENT_RUN, "show", name))["status"]
    return found


async def test_the_step_and_the_answers_come_in_one_write(client: Client) -> None:
    recorder = await recorder_of(client, "noted", await cluster.pod(client, "show", "noted"))
    made = plan.again(await nowhere(recorder.resource), recorder.resource.spec.faults, (), 1)
    assert await injecting(recorder, client).inject_noted(made, lasting(recorder, client)) is None
    assert "noted" not in await cluster.names(client, "show")
    status = await stored(client, "noted")
    (step,), (target,), (fault,) = status["steps"], status["targets"], status["faults"]
    assert step["name"] == "Injecting"
    assert step["startedAt"] <= target["requestedAt"] <= target["answeredAt"] <= step["completedAt"]
    assert (fault["name"], fault["targets"]) == ("kill", 1)


async def test_after_a_restart_untouched_pods_count_as_not_hit(client: Client) -> None:
    recorder = await recorder_of(client, "untouched", await cluster.pod(client, "show", "untouched"))
    assert not await injecting(recorder, client).take_up(lasting(recorder, client))
    assert "untouched" in await cluster.names(client, "show")
    assert judging.step(recorder.resource, StepName.INJECTING) is None


async def test_after_a_restart_a_pod_that_went_is_not_hit_again(client: Client) -> None:
    pod = await cluster.pod(client, "show", "gone")
    recorder = await recorder_of(client, "gone", pod)
    await client.delete(POD, "show", "gone", uid=pod["metadata"]["uid"], grace_seconds=0)
    successor = await cluster.pod(client, "show", "gone")
    assert await injecting(recorder, client).take_up(lasting(recorder, client))
    assert (await client.get(POD, "show", "gone"))["metadata"]["uid"] == successor["metadata"]["uid"]
    (target,) = (await stored(client, "gone"))["targets"]
    assert "before the operator restarted" in target["message"]
    assert "answeredAt" not in target
    window = judging.judged_window(recorder.resource)
    assert window is not None
    assert window.start == from_timestamp(recorder.resource.metadata.creation_timestamp)


async def test_after_a_restart_between_two_calls_only_the_untouched_pod_is_hit(client: Client) -> None:
    pods = [await cluster.pod(client, "show", name) for name in ("first", "second")]
    recorder = await recorder_of(client, "between", *pods)
    await client.delete(POD, "show", "first", grace_seconds=0)
    assert await injecting(recorder, client).take_up(lasting(recorder, client))
    assert not {"first", "second"} & await cluster.names(client, "show")
    first, second = (await stored(client, "between"))["targets"]
    assert "before the operator restarted" in first["message"]
    assert second["answeredAt"]
