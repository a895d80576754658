"""The recorder against a real API server: one writer of a status, and never over somebody else's change."""

from collections.abc import Iterator

import pytest

from e2e.cluster.apiserver import ApiServer
from showstopper.api.base import API_VERSION, dump
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.engine.status_writer import StatusWriter
from showstopper.errors import Invalid, NotFound
from tests.api.server import with_crds
from tests.engine import build

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with with_crds() as found:
        yield found


async def stored(client: Client, name: str) -> ExperimentRun:
    """A run as the API server has it."""
    body = {
        "apiVersion": API_VERSION,
        "kind": ExperimentRun.kind,
        "metadata": {"name": name, "namespace": "show"},
        "spec": dump(build.run().spec),
    }
    return ExperimentRun.parse(await client.create(EXPERIMENT_RUN, body))


def set_step(run: ExperimentRun) -> None:
    run.status.step = "Baseline"


async def test_a_change_is_written_over_an_object_that_somebody_changed_meanwhile(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, "abort"))
        await client.patch(EXPERIMENT_RUN, "show", "abort", [{"op": "add", "path": "/spec/abort", "value": True}])
        await recorder.write(set_step)
        found = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, "show", "abort"))
        assert found.status.step == "Baseline"
        assert recorder.resource.spec.abort, "the change of the other is known now"
        assert recorder.resource.metadata.generation == found.metadata.generation == 2


async def test_what_was_written_and_never_answered_is_told(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        run, told = await stored(client, "unanswered"), []
        recorder = StatusWriter(client, EXPERIMENT_RUN, run, lambda written: told.append(written.status.step))
        await StatusWriter(client, EXPERIMENT_RUN, run).write(set_step)  # as the first try did
        await recorder.write(set_step)
        assert told == ["Baseline"]


async def test_what_is_no_news_is_not_written(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, "still"))
        await recorder.write(set_step)
        version = recorder.resource.metadata.resource_version
        await recorder.write(set_step)
        found = await client.get(EXPERIMENT_RUN, "show", "still")
        assert found["metadata"]["resourceVersion"] == version


async def test_a_run_that_is_gone_or_another_of_its_name_is_not_written(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, "gone"))
        await client.delete(EXPERIMENT_RUN, "show", "gone")
        with pytest.raises(NotFound):
            await recorder.write(set_step)


async def test_another_object_of_the_same_name_is_not_written(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, "anew"))
        await client.delete(EXPERIMENT_RUN, "show", "anew")
        await stored(client, "anew")
        with pytest.raises(NotFound, match="made anew"):
            await recorder.write(set_step)
        found = ExperimentRun.parse(await client.get(EXPERIMENT_RUN, "show", "anew"))
        assert found.status.step is None


async def test_a_status_that_does_not_fit_is_refused_and_loses_nothing(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        recorder = StatusWriter(client, EXPERIMENT_RUN, await stored(client, "unfit"))

        def too_long(run: ExperimentRun) -> None:
            run.status.message = "x" * 2000

        with pytest.raises(Invalid, match="message"):
            await recorder.write(too_long)
        await recorder.write(set_step)
        assert recorder.resource.status.message is None
