"""The record of a run against a real API server: a step is written once, even when an answer is lost."""

from typing import Any

import pytest

from showstopper.api.reasons import Reason
from showstopper.api.run import BaselineRecord, ExperimentRun, StepName, WindowRecord
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN, Kind
from showstopper.engine.runs import judging
from showstopper.engine.runs.judging import MeasuredBaseline
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import Unavailable
from tests.support import build

pytestmark = pytest.mark.apiserver


class Forgetful:
    """A client whose writes are done, and whose first answer is lost."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.lost = False
        self.get = client.get

    async def replace_status(self, kind: Kind, body: Object) -> Object:
        answer = await self._client.replace_status(kind, body)
        if not self.lost:
            self.lost = True
            raise Unavailable("the answer was lost")
        return answer


class Overtaken:
    """A client whose answers come late: somebody aborts the run as soon as a write is done, and the watch tells it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.record: RunRecord | None = None

    async def replace_status(self, kind: Kind, body: Object) -> Object:
        answer = await self._client.replace_status(kind, body)
        assert self.record is not None
        abort = [{"op": "add", "path": "/spec/abort", "value": True}]
        self.record.on_change(ExperimentRun.parse(await self._client.patch(kind, *self.record.run.key, abort)))
        return answer


async def writer_of(client: Client, through: Any, namespace: str, name: str) -> StatusWriter[ExperimentRun]:
    metadata = {"name": name, "namespace": namespace}
    body = {"apiVersion": API_VERSION, "kind": ExperimentRun.kind, "metadata": metadata, "spec": dump(build.run().spec)}
    return StatusWriter(through, EXPERIMENT_RUN, ExperimentRun.parse(await client.create(EXPERIMENT_RUN, body)))


async def test_a_step_whose_answer_was_lost_is_there_once(client: Client, namespace: str) -> None:
    through = Forgetful(client)
    writer = await writer_of(client, through, namespace, "begun")
    await RunRecord(writer, Clock()).begin(StepName.BASELINE, "watches")
    stored = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "begun"))
    assert through.lost
    assert [step.name for step in stored.status.steps] == [StepName.BASELINE]


async def test_a_baseline_is_kept_with_its_end_and_only_once(client: Client, namespace: str) -> None:
    record = RunRecord(await writer_of(client, client, namespace, "kept"), Clock())
    await record.begin(StepName.BASELINE, "watches")
    first, second = (
        MeasuredBaseline(
            BaselineRecord(residents=residents, unknown=0.1, audible_at_least=0.5, audible_at_most=0.6),
            WindowRecord(name="Baseline", from_="2026-01-01T00:00:00Z", to="2026-01-01T00:00:05Z"),
        )
        for residents in (2, 3)
    )
    await record.complete_baseline(first, Finding(Reason.BASELINE_BROKEN, "broken"))
    await record.complete_baseline(second, None)
    stored = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "kept"))
    assert stored.status.baseline == first.record
    assert [window.name for window in stored.status.windows] == ["Baseline"]
    assert stored.status.ended_early is not None
    assert stored.status.ended_early.reason == "BaselineBroken"


async def test_a_verdict_whose_answer_was_lost_is_there_once(client: Client, namespace: str) -> None:
    through = Forgetful(client)
    writer = await writer_of(client, through, namespace, "judged")
    await RunRecord(writer, Clock()).judge(judging.judge(writer.resource, None, ()))
    stored = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "judged"))
    assert through.lost
    assert [step.name for step in stored.status.steps] == [StepName.JUDGED]
    assert stored.finished


async def test_an_abort_that_overtakes_the_answer_to_a_write_is_not_forgotten(client: Client, namespace: str) -> None:
    through = Overtaken(client)
    through.record = RunRecord(await writer_of(client, through, namespace, "aborted"), Clock())
    await through.record.begin(StepName.BASELINE, "watches")
    assert through.record.run.spec.abort
    assert through.record.begun(StepName.BASELINE)
