"""The recorder against a real API server: one writer of a status, and never over somebody else's change."""

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import API_VERSION, dump
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import Invalid, NotFound
from tests.support import build

pytestmark = pytest.mark.apiserver


async def stored(client: Client, namespace: str, name: str) -> ExperimentRun:
    """A run as the API server has it."""
    body = {
        "apiVersion": API_VERSION,
        "kind": ExperimentRun.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": dump(build.run().spec),
    }
    return ExperimentRun.parse(await client.create(EXPERIMENT_RUN, body))


def set_step(run: ExperimentRun) -> None:
    run.status.step = "Baseline"


async def test_a_change_is_written_over_an_object_that_somebody_changed_meanwhile(
    client: Client, namespace: str
) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "abort"))
    await client.patch(EXPERIMENT_RUN, namespace, "abort", [{"op": "add", "path": "/spec/abort", "value": True}])
    await recorder.write(set_step)
    run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "abort"))
    assert run.status.step == "Baseline"
    assert recorder.resource.spec.abort, "the change of the other is known now"
    assert recorder.resource.metadata.generation == run.metadata.generation == 2


async def test_what_was_written_and_never_answered_is_told(client: Client, namespace: str) -> None:
    run, told = await stored(client, namespace, "unanswered"), []
    recorder = StatusWriter(client, EXPERIMENT_RUN, run, lambda written: told.append(written.status.step))
    await StatusWriter(client, EXPERIMENT_RUN, run).write(set_step)  # as the first try did
    await recorder.write(set_step)
    assert told == ["Baseline"]


async def test_what_was_decided_for_another_generation_is_not_written(client: Client, namespace: str) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "decided"))
    assert await recorder.write_for(1, set_step)
    await client.patch(EXPERIMENT_RUN, namespace, "decided", [{"op": "add", "path": "/spec/abort", "value": True}])

    def set_another(run: ExperimentRun) -> None:
        run.status.step = "Recovering"

    assert not await recorder.write_for(1, set_another)
    assert recorder.resource.metadata.generation == 2
    assert ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "decided")).status.step == "Baseline"


async def test_what_is_no_news_is_not_written(client: Client, namespace: str) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "still"))
    await recorder.write(set_step)
    version = recorder.resource.metadata.resource_version
    await recorder.write(set_step)
    body = await client.get(EXPERIMENT_RUN, namespace, "still")
    assert body["metadata"]["resourceVersion"] == version


async def test_a_run_that_is_gone_or_another_of_its_name_is_not_written(client: Client, namespace: str) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "gone"))
    await client.delete(EXPERIMENT_RUN, namespace, "gone")
    with pytest.raises(NotFound):
        await recorder.write(set_step)


async def test_another_object_of_the_same_name_is_not_written(client: Client, namespace: str) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "anew"))
    await client.delete(EXPERIMENT_RUN, namespace, "anew")
    await stored(client, namespace, "anew")
    with pytest.raises(NotFound, match="made anew"):
        await recorder.write(set_step)
    run = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, namespace, "anew"))
    assert run.status.step is None


async def test_a_status_that_does_not_fit_is_refused_and_loses_nothing(client: Client, namespace: str) -> None:
    recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, namespace, "unfit"))

    def too_long(run: ExperimentRun) -> None:
        run.status.message = "x" * 2000

    with pytest.raises(Invalid, match="message"):
        await recorder.write(too_long)
    await recorder.write(set_step)
    assert recorder.resource.status.message is None
