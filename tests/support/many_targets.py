"""Very many targets: five hundred relay pods on four nodes, and a loss for all of them."""

import asyncio
from typing import Any

from showstopper.api.run import ExperimentRun
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client
from tests.support import stored_objects

TARGETS, NODES = 500, 4
_AT_ONCE = 16


def loss(duration: str = "1s") -> dict[str, Any]:
    """A loss that hits every relay."""
    return {
        "name": "loss",
        "target": {"component": "relay", "max": TARGETS},
        "duration": duration,
        "packetLoss": {"percent": "5%"},
    }


async def crowd(client: Client, place: str) -> None:
    """The pods, as their kubelets would have them."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def create(number: int) -> None:
        async with slots:
            await stored_objects.pod(client, place, f"relay-{number:03}", node=f"node{number % NODES}")

    await asyncio.gather(*map(create, range(TARGETS)))


def injected_seconds(run: ExperimentRun) -> float:
    """From the note that is written before the first Injection to the last agent's word that it is armed."""
    step = run.status.steps[0]
    assert step.completed_at is not None, "not injected"
    return from_timestamp(step.completed_at) - from_timestamp(step.started_at)
