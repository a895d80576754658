"""Changes of a real API server's objects: a run puts back what it has written, and nobody else's value."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.run import ChangeRecord, ExperimentRun, Step, StepName
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, DEPLOYMENT
from showstopper.engine.hands.api_server import changes
from showstopper.engine.hands.api_server.changes import Changes
from showstopper.faults.workloads import fields
from showstopper.faults.workloads.fields import REPLICAS, RESTARTED
from tests.support import build, stored_objects
from tests.support.refusing import refusing

pytestmark = pytest.mark.apiserver

FAULT = Fault.model_validate(
    {"name": "it", "target": {"component": "relay"}, "scaleDown": {"replicas": 1}, "duration": "20s"}
)


@pytest.fixture
async def relay(client: Client, namespace: str) -> Object:
    """A Deployment of three relays."""
    return await stored_objects.deployment(client, namespace, ("a", "b", "c"))


def noted(body: Object, before: str | None, after: str, **more: Any) -> ChangeRecord:
    """A change as it is written down before it is made."""
    place = {"kind": body["kind"], "name": body["metadata"]["name"], "uid": body["metadata"]["uid"]}
    return ChangeRecord(fault="it", before=before, after=after, **place, **{"field": REPLICAS, **more})


def run_of(namespace: str, *changes: ChangeRecord, name: str = "down-1") -> ExperimentRun:
    """A run that has noted these changes."""
    run = build.run(name, faults=[FAULT.model_dump(by_alias=True, mode="json", exclude_none=True)])
    run.metadata.namespace, run.status.changes = namespace, list(changes)
    run.status.steps = [Step(name=StepName.INJECTING, started_at="2026-01-01T00:00:01Z")]
    return run


class Life:
    """The changes of a run, by one life of the operator. The record is what was written last."""

    def __init__(self, client: Client, run: ExperimentRun) -> None:
        self.changes, self.run = Changes(client, Clock()), run

    async def make(self) -> list[ChangeRecord]:
        await self.changes.make(self.run, ["it"])
        return list(self.changes.of(self.run, {"it"}))

    async def undo(self) -> list[ChangeRecord]:
        await self.changes.undo(self.run, {"it"})
        return list(self.changes.of(self.run, {"it"}))


async def scale(client: Client, namespace: str, number: int) -> None:
    """As somebody else does it."""
    change = [{"op": "replace", "path": "/spec/replicas", "value": number}]
    await client.patch(DEPLOYMENT, namespace, "relay", change, manager="kubectl-scale")


async def replicas(client: Client, namespace: str) -> int:
    number: int = (await client.get(DEPLOYMENT, namespace, "relay"))["spec"]["replicas"]
    return number


async def test_what_somebody_else_wrote_just_before_is_not_put_back(
    client: Client, namespace: str, relay: Object
) -> None:
    """The same value as the fault's, between the note and the change."""
    life = Life(client, run_of(namespace, noted(relay, "3", "1")))
    await scale(client, namespace, 1)
    (change,) = await life.make()
    assert (change.changed_at, change.reason) == (None, "ChangedMeanwhile")
    (change,) = await life.undo()
    assert await replicas(client, namespace) == 1
    assert (change.restored_at, bool(change.left_at)) == (None, True)
    assert "the run has not changed it" in (change.message or "")
    assert "kubectl" not in (change.message or ""), "it is not to be put back"


async def test_what_was_never_tried_is_not_put_back(client: Client, namespace: str, relay: Object) -> None:
    """The run ended before its change: a fault beside it could not be armed."""
    life = Life(client, run_of(namespace, noted(relay, "3", "1")))
    await scale(client, namespace, 1)
    await life.undo()
    assert await replicas(client, namespace) == 1


async def test_the_next_life_knows_what_an_earlier_one_made_and_could_not_record(
    client: Client, namespace: str, relay: Object
) -> None:
    run = run_of(namespace, noted(relay, "3", "1"))
    await Life(client, run).make()
    (change,) = await Life(client, run).undo()
    assert await replicas(client, namespace) == 3
    assert change.restored_at


async def test_the_next_life_does_not_take_somebody_elses_value_for_an_earlier_ones(
    client: Client, namespace: str, relay: Object
) -> None:
    await scale(client, namespace, 1)
    life = Life(client, run_of(namespace, noted(relay, "3", "1")))
    (change,) = await life.make()
    assert change.reason == "ChangedMeanwhile"
    await life.undo()
    assert await replicas(client, namespace) == 1


async def test_a_value_that_another_run_has_made_its_own_since_is_not_put_back_a_second_time(
    client: Client, namespace: str, relay: Object
) -> None:
    """A run that is told of late, with a record that is older than its undoing."""
    first = run_of(namespace, noted(relay, "3", "1"))
    (made,) = await Life(client, first).make()
    await Life(client, first).undo()
    first.status.changes = [made]
    second = Life(client, run_of(namespace, noted(relay, "3", "1"), name="down-2"))
    (change,) = await second.make()
    assert change.changed_at, "what was put back is free"
    await Life(client, first).undo()
    assert await replicas(client, namespace) == 1
    await second.undo()
    assert await replicas(client, namespace) == 3


async def test_the_value_of_another_run_is_not_what_was_there(client: Client, namespace: str, relay: Object) -> None:
    """Two runs that do not know of each other: the later one would put back the earlier one's fault."""
    first = Life(client, run_of(namespace, noted(relay, "3", "2")))
    await first.make()
    second = Life(client, run_of(namespace, noted(relay, "2", "1"), name="down-2"))
    (change,) = await second.make()
    assert change.reason == "ChangedMeanwhile"
    assert "which the run with UID down-1-uid wrote and has not put back" in (change.message or "")
    await second.undo()
    await first.undo()
    assert await replicas(client, namespace) == 3


async def test_pods_are_not_replaced_again_before_the_value_that_they_read_is_put_back(
    client: Client, namespace: str, relay: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RETRY_SECONDS", 0.0)
    config = await client.create(
        CONFIG_MAP, {"kind": "ConfigMap", "metadata": {"name": "livekit", "namespace": namespace}, "data": {"a": "old"}}
    )
    value = noted(config, '"old"', '"new"', field=fields.of_key("a"))
    restart = noted(relay, None, '"now"', field=RESTARTED)
    life = Life(client, run_of(namespace, value, restart))
    await life.make()
    async with refusing(client, CONFIG_MAP, namespace, "livekit"):
        value, restart = await life.undo()
        assert "could not be put back" in (value.message or "")
        assert (value.restored_at, restart.restored_at) == (None, None)
        assert fields.read(await client.get(DEPLOYMENT, namespace, "relay"), RESTARTED) == '"now"'
    value, restart = await life.undo()
    assert (await client.get(CONFIG_MAP, namespace, "livekit"))["data"]["a"] == "old"
    assert fields.read(await client.get(DEPLOYMENT, namespace, "relay"), RESTARTED) is None


async def test_a_restart_that_stays_is_no_other_runs_change(client: Client, namespace: str, relay: Object) -> None:
    restart = noted(relay, None, '"now"', field=RESTARTED, lasts=False)
    (change,) = await Life(client, run_of(namespace, restart)).make()
    assert change.changed_at
    (change,) = await Life(client, run_of(namespace, restart)).make()
    assert change.changed_at, "a restart is not made twice"
    push = noted(relay, '"now"', '"later"', field=RESTARTED)
    life = Life(client, run_of(namespace, push, name="down-2"))
    (change,) = await life.make()
    assert change.changed_at
    (change,) = await life.undo()
    assert change.restored_at


async def strip(client: Client, namespace: str) -> None:
    """As a controller does it everywhere, to save room."""
    stripped = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
    await client.patch(DEPLOYMENT, namespace, "relay", stripped)


async def crowd_out(client: Client, namespace: str) -> None:
    """So many write something that the API server forgets the names of those before them."""
    await asyncio.sleep(1.1)  # names are ordered by whole seconds
    for number in range(12):
        change = [{"op": "add", "path": f"/metadata/labels/writer-{number}", "value": "x"}]
        labels = [{"op": "add", "path": "/metadata/labels", "value": {}}] if number == 0 else []
        await client.patch(DEPLOYMENT, namespace, "relay", [*labels, *change], manager=f"writer-{number}")


@pytest.mark.parametrize("forget", [strip, crowd_out])
async def test_of_an_object_that_does_not_tell_who_wrote_it_the_record_does(
    client: Client, namespace: str, relay: Object, forget: Callable[[Client, str], Awaitable[None]]
) -> None:
    run = run_of(namespace, noted(relay, "3", "1"))
    run.status.changes = await Life(client, run).make()
    await forget(client, namespace)
    body = await client.get(DEPLOYMENT, namespace, "relay")
    assert not {name for name in fields.writers(body, REPLICAS) if "showstopper" in name}
    (change,) = await Life(client, run).undo()
    assert change.restored_at
    assert await replicas(client, namespace) == 3


async def test_a_change_is_made_and_undone_where_nobody_notes_who_writes(
    client: Client, namespace: str, relay: Object
) -> None:
    await strip(client, namespace)
    life = Life(client, run_of(namespace, noted(relay, "3", "1")))
    (change,) = await life.make()
    assert change.changed_at
    (change,) = await life.undo()
    assert change.restored_at


async def test_who_applied_a_field_applies_another_value_after_a_run_as_before(client: Client, namespace: str) -> None:
    """As Helm 4 does with the next release: by server-side apply, which is not forced."""

    async def release(level: str) -> Object:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "relay", "namespace": namespace, "labels": {"app.kubernetes.io/name": "relay"}},
            "data": {"livekit.yaml": f"logging: {{level: {level}}}"},
        }
        path, query, form = (
            CONFIG_MAP.path(namespace, "relay"),
            {"fieldManager": "helm"},
            "application/apply-patch+yaml",
        )
        return await client._write("PATCH", path, body, query, content_type=form)

    body = await release("info")
    key, before = fields.of_key("livekit.yaml"), fields.read(body, fields.of_key("livekit.yaml"))
    life = Life(client, run_of(namespace, noted(body, before, '"logging: {level: debug}"', field=key)))
    await life.make()
    (change,) = await life.undo()
    assert change.restored_at
    assert not fields.writers(await client.get(CONFIG_MAP, namespace, "relay"), key)
    after = await release("warn")
    assert after["data"]["livekit.yaml"] == "logging: {level: warn}"
