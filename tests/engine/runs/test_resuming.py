"""A run of more than an hour whose operator is replaced, on a real API server: judged by its record, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from showstopper.api.run import BaselineRecord, ExperimentRun
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.availability.feed import Feed
from showstopper.clock import to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.hands.pace import Pace
from tests.availability.build import L, feed, spans
from tests.support import build
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver
POD = "main-stage-listeners-0"
HOUR = 3600.0


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """With little patience for listeners that do not answer."""
    made = RunHarness(client, namespace, Pace(feed=0.5))
    rooms = asyncio.create_task(made.services.rooms.run())
    yield made
    await made.end()
    rooms.cancel()


def told(now: float) -> Feed:
    """A listener pod that is up for long: of its ring the last hour is left, in which both residents heard the host."""
    closed = [span for name in (f"{POD}/0", f"{POD}/1") for span in spans(name, [(L, 1_800)], start=6_400)]
    still = [span for name in (f"{POD}/0", f"{POD}/1") for span in spans(name, [(L, 1_800)], start=8_200)]
    return replace(feed(closed, still, clock=10_000, offset=now - 10_000, pod=POD), lost=40)


async def left_over(harness: RunHarness, *, ago: float, recovery: str) -> ExperimentRun:
    """A run that an operator left behind when only the verdict was missing. Its kill was `ago` seconds ago."""
    now = harness.services.clock.now()

    def at(seconds: float) -> str:
        return to_timestamp(now - ago + seconds)

    def step(name: str, began: float, over: float) -> dict[str, Any]:
        return {"name": name, "startedAt": at(began), "completedAt": at(over)}

    status = {
        "observedGeneration": 1,
        "startedAt": at(-2 * HOUR),
        "step": "Recovering",
        "steps": [step("Baseline", -2 * HOUR, -1), step("Injecting", 0, 0), step("Recovering", 0, ago)],
        "targets": [{"fault": "kill", "pod": "relay-1", "uid": "u", "answeredAt": at(0), "proven": True}],
        "faults": [{"name": "kill", "kind": "podKill", "targets": 1, "proven": True, "reverted": True}],
        "baseline": dump(BaselineRecord(residents=2, unknown=0, audible=1, audible_at_least=1, audible_at_most=1)),
    }
    timing = {"baseline": "1h", "recovery": recovery}
    body = {
        "apiVersion": API_VERSION,
        "kind": ExperimentRun.kind,
        "metadata": {"name": "left", "namespace": harness.namespace},
        "spec": dump(build.run(timing=timing, deadline="2100-01-01T00:00:00Z").spec),
    }
    made = await harness.client.create(EXPERIMENT_RUN, body)
    await harness.client.replace_status(EXPERIMENT_RUN, {**made, "status": status})
    return ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, harness.namespace, "left"))


async def verdict(harness: RunHarness, run: ExperimentRun) -> tuple[str, str]:
    harness.runs.on_change(run)
    over = await harness.stored(run, lambda run: run.finished)
    return over.status.verdict or "", over.status.reason or ""


async def test_it_is_judged_by_the_record_of_its_baseline(harness: RunHarness) -> None:
    (await harness.live_room()).timeline.add(told(harness.services.clock.now()))
    run = await left_over(harness, ago=600, recovery="300s")
    assert await verdict(harness, run) == ("Passed", "ExpectationsMet")


async def test_what_is_judged_has_to_be_in_the_rings(harness: RunHarness) -> None:
    (await harness.live_room()).timeline.add(told(harness.services.clock.now()))
    run = await left_over(harness, ago=1.5 * HOUR, recovery="1h")
    assert await verdict(harness, run) == ("Inconclusive", "HearingLost")


async def test_so_it_is_where_a_listener_pod_does_not_answer_any_more(harness: RunHarness) -> None:
    await harness.live_room()
    run = await left_over(harness, ago=600, recovery="300s")
    assert await verdict(harness, run) == ("Inconclusive", "HearingLost")
