"""Planning in a run: what the baseline has just read is not read again."""

from types import SimpleNamespace
from typing import Any, cast

from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.engine.runs.context import RunContext, Services
from showstopper.engine.runs.steps.inject import Inject
from tests.support import build


class Cluster:
    """Stands for the snapshots of a cluster, and counts how often they are taken."""

    def __init__(self) -> None:
        self.reads = 0

    async def of_run(self, _run: ExperimentRun) -> Snapshot:
        self.reads += 1
        return Snapshot("show", "main-stage", build.room().spec, {}, {"relay": [build.pod("later")]}, {})

    async def objection(self, _made: Plan, _room: Any) -> Finding | None:
        return None


async def planned(before: Snapshot | None) -> tuple[list[str], int]:
    """Which pods are hit, and how often the cluster was read for that."""
    cluster, anything = Cluster(), cast("Any", None)
    record = cast("Any", SimpleNamespace(run=build.run()))
    services = cast("Services", SimpleNamespace(snapshots=cluster))
    context = RunContext(services, record, anything, anything, anything, snapshot=before)
    made = await Inject()._plan(context)
    assert isinstance(made, Plan)
    return [pod.name for pod in made.faults[0].targets], cluster.reads


async def test_a_plan_is_made_from_what_the_end_of_the_baseline_read() -> None:
    before = Snapshot("show", "main-stage", build.room().spec, {}, {"relay": [build.pod("before")]}, {})
    assert await planned(before) == (["before"], 0)


async def test_without_a_baseline_the_cluster_is_read() -> None:
    assert await planned(None) == (["later"], 1)
