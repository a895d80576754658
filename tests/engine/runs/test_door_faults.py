"""Faults of the door against a real API server. The door's part is played (see `stub_agent`)."""

import asyncio
from typing import Any

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.engine.hands.pace import Pace
from tests.support import stored_objects
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import Agent, nothing_left

pytestmark = pytest.mark.apiserver

CLOSED = {"name": "closed", "duration": "1s", "roomUnavailable": {"percent": "80%"}}
PODS = ("door-0", "door-1")
ROOM: dict[str, Any] = {
    "components": [
        {"name": "relay", "selector": {"matchLabels": {"app": "relay"}}},
        {"name": "door", "selector": {"matchLabels": {"app": "door"}}},
    ],
    "door": {"url": "http://door:8090/token", "component": "door"},
}


@pytest.fixture
async def with_door(client: Client, harness: RunHarness) -> RunHarness:
    """What runs need, and the pods of the room's door."""
    harness.room_spec = ROOM
    for number, name in enumerate(PODS):
        labels, address = {"app": "door"}, f"198.18.200.{40 + number}"
        await stored_objects.pod(client, harness.namespace, name, labels=labels, address=address)
    return harness


def finished(run: ExperimentRun) -> bool:
    return run.finished


async def test_all_pods_of_the_door_are_asked_prove_it_and_lift_it(client: Client, with_door: RunHarness) -> None:
    door = Agent(client, with_door.namespace, idle=PODS[1])
    async with door:
        run = await with_door.stored(await with_door.create("closed", faults=[CLOSED]), finished)
    assert sorted(injection.spec.pod or "" for injection in door.asked) == list(PODS)
    (record,), targets = run.status.faults, {target.pod: target for target in run.status.targets}
    assert (record.kind, record.targets, record.proven, record.reverted) == ("roomUnavailable", 2, True, True)
    assert record.message == "proven: 3 of 3 requests for a token turned away"
    assert [targets[pod].proven for pod in PODS] == [True, False], "nobody happened to ask the other one"
    assert targets[PODS[0]].door is not None
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    assert await nothing_left(client, run)


async def test_a_door_that_nobody_asked_had_no_effect(client: Client, with_door: RunHarness) -> None:
    await client.delete(POD, with_door.namespace, PODS[1], grace_seconds=0)
    async with Agent(client, with_door.namespace, idle=PODS[0]):
        run = await with_door.stored(await with_door.create("closed", faults=[CLOSED]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "had no effect: 0 of 0 requests for a token turned away" in (run.status.message or "")


async def test_a_door_that_somebody_adds_meanwhile_was_not_closed(client: Client, with_door: RunHarness) -> None:
    """And lets in whoever is sent to it, so that the room is judged by half a fault."""
    async with Agent(client, with_door.namespace):
        run = await with_door.create("closed", faults=[{**CLOSED, "duration": "4s"}])
        await with_door.stored(run, lambda run: run.status.step == "Active")
        await asyncio.sleep(1.1)  # times of creation are whole seconds
        await stored_objects.pod(client, with_door.namespace, "door-2", labels={"app": "door"}, address="198.18.200.42")
        run = await with_door.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "WrongDose")
    assert "door-2 came when the targets of fault closed were chosen already" in (run.status.message or "")


async def test_a_door_that_was_added_just_before_was_not_closed(client: Client, with_door: RunHarness) -> None:
    """It had no address when the targets were chosen, and people are sent to it as soon as it is ready."""
    late = await stored_objects.pod(client, with_door.namespace, "door-2", labels={"app": "door"}, ready=False)
    place = with_door.namespace, late["metadata"]["name"]
    await stored_objects.set_ready(client, *place, ready=False, address="")
    async with Agent(client, with_door.namespace):
        run = await with_door.create("closed", faults=[{**CLOSED, "duration": "3s"}])
        await with_door.stored(run, lambda run: run.status.step == "Active")
        await stored_objects.set_ready(client, *place, ready=True, address="198.18.200.42")
        run = await with_door.stored(run, finished)
    assert run.status.faults[0].targets == len(PODS)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "WrongDose")


async def test_a_door_that_does_not_answer_is_named(client: Client, with_door: RunHarness) -> None:
    harness = RunHarness(client, with_door.namespace, Pace(arm=0.2, lift=0.2))
    harness.room_spec = ROOM
    run = await harness.stored(await harness.create("closed", faults=[CLOSED]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "DoorMissing")
    assert PODS[0] in (run.status.message or "")
    assert await nothing_left(client, run)
