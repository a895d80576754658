"""Faults of workloads on a real API server: noted before they are made, and put back, whoever ends them. No controller
is there: the test plays it, and others who change the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from showstopper.api.run import ChangeRecord, ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EXPERIMENT_RUN,
    INJECTION,
    LEASE,
    POD,
    POD_AUTOSCALER,
)
from showstopper.engine.hands.pace import Pace
from showstopper.engine.runs import interference
from showstopper.engine.runs.undoing import FINALIZER
from showstopper.engine.runs.watch import watch
from showstopper.faults.workloads import config_push, fields
from tests.engine.test_stop_switch import throw, watched
from tests.support import stored_objects
from tests.support.operator_harness import until
from tests.support.refusing import refusing
from tests.support.run_harness import RunHarness

pytestmark = pytest.mark.apiserver

DOWN = {
    "name": "down",
    "target": {"component": "relay", "max": 2},
    "scaleDown": {"replicas": 1},
    "duration": "1h",
}
BRIEFLY = {**DOWN, "duration": "1s"}
RESTART = {"name": "restart", "target": {"component": "relay", "max": 3}, "rolloutRestart": {}}
HURRIED = Pace(proof=0.5, lift=2.0, feed=0.5)


@pytest.fixture
async def harness(client: Client, namespace: str) -> AsyncIterator[RunHarness]:
    """Runs in a namespace with a Deployment of three relays, and with little patience."""
    await stored_objects.deployment(client, namespace, ("a", "b", "c"))
    made = RunHarness(client, namespace, HURRIED)
    yield made
    await made.end()


def finished(run: ExperimentRun) -> bool:
    return run.finished


def active(run: ExperimentRun) -> bool:
    return run.status.step == "Active" and all(change.changed_at for change in run.status.changes)


def verdict(run: ExperimentRun) -> tuple[str | None, str | None]:
    return run.status.verdict, run.status.reason


def only(run: ExperimentRun) -> ChangeRecord:
    (change,) = run.status.changes
    return change


async def replicas(harness: RunHarness) -> int:
    body = await harness.client.get(DEPLOYMENT, harness.namespace, "relay")
    number: int = body["spec"]["replicas"]
    return number


async def restarted(harness: RunHarness) -> str | None:
    return fields.read(await harness.client.get(DEPLOYMENT, harness.namespace, "relay"), fields.RESTARTED)


async def scale(harness: RunHarness, number: int) -> None:
    """As somebody else does it."""
    change = [{"op": "replace", "path": "/spec/replicas", "value": number}]
    await harness.client.patch(DEPLOYMENT, harness.namespace, "relay", change)


async def end_pods(harness: RunHarness, *names: str) -> None:
    """As controller and kubelet do it."""
    for name in names:
        await harness.client.delete(POD, harness.namespace, name, grace_seconds=0)


async def taken_up(harness: RunHarness, run: ExperimentRun) -> RunHarness:
    """Another life of the operator, which knows only the record, and has just begun to carry it on."""
    await harness.end()
    other = RunHarness(harness.client, harness.namespace, HURRIED)
    other.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *run.key)))
    return other


async def forget_what_came_after_the_note(harness: RunHarness, run: ExperimentRun) -> None:
    """The record as it is when an operator dies between the note and the first word of what came of it."""
    body = await harness.client.get(EXPERIMENT_RUN, *run.key)
    status = body["status"]
    noted = next(step for step in status["steps"] if step["name"] == "Injecting")
    status["steps"] = [{key: value for key, value in noted.items() if key != "completedAt"}]
    status["step"] = "Injecting"
    for change in status["changes"]:
        change.pop("changedAt", None)
    for target in status["targets"]:
        target.pop("answeredAt", None)
        target.pop("armedAt", None)
    await harness.client.replace_status(EXPERIMENT_RUN, body)


async def test_it_is_scaled_down_proven_and_scaled_back(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[{**DOWN, "duration": "4s"}]), active)
    assert await replicas(harness) == 1
    assert (only(run).before, only(run).after, only(run).restored_at) == ("3", "1", None)
    await end_pods(harness, "b", "c")
    run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("scaleDown", 3, True, True), record.message
    assert "2 of 3 pods gone" in (record.message or "")
    assert [step.name for step in run.status.steps] == ["Injecting", "Active", "Reverting", "Recovering", "Judged"]
    assert verdict(run) == ("Inconclusive", "NoBaseline"), "all else would have allowed a verdict"
    assert await replicas(harness) == 3
    assert only(run).restored_at
    assert {target.pod for target in run.status.targets if target.gone_at} == {"b", "c"}
    for kind in (LEASE, INJECTION):
        assert not await harness.client.list(kind, harness.namespace), "the operator needs nobody for it"


async def test_a_pod_that_was_to_be_left_is_missed_also_when_it_goes_after_the_end(harness: RunHarness) -> None:
    """The run has scaled back by then, so that somebody else took it: what listeners missed may come of that."""
    run = await harness.stored(await harness.create("down", faults=[{**DOWN, "duration": "4s"}], recovery="4s"), active)
    await end_pods(harness, "b", "c")
    run = await harness.stored(run, lambda run: run.status.step == "Recovering")
    await end_pods(harness, "a")
    run = await harness.stored(run, finished)
    assert {target.pod for target in run.status.targets if target.gone_at} == {"a", "b", "c"}
    assert run.status.faults[0].proven
    other = interference.deleted(run)
    assert other is not None
    assert other.reason == "TargetsGone"


async def test_a_pod_that_came_when_it_was_scaled_back_is_missed_when_somebody_deletes_it(harness: RunHarness) -> None:
    """Everybody may be on it by then, and the fault takes no pod any more."""
    async with harness.looking():
        fault = {**DOWN, "duration": "3s"}
        run = await harness.stored(await harness.create("down", faults=[fault], recovery="8s"), active)
        await end_pods(harness, "b", "c")
        run = await harness.stored(run, lambda run: run.status.step == "Recovering")
        assert not run.status.bystanders, "of those that were there the controller takes which it likes"
        await stored_objects.pod(harness.client, harness.namespace, "d")
        await harness.stored(run, lambda run: bool(run.status.bystanders))
        await end_pods(harness, "d")
        run = await harness.stored(run, finished)
    assert run.status.others_gone == ["d"]
    other = interference.deleted(run)
    assert other is not None
    assert other.reason == "PodsGone"


async def test_pods_that_do_not_go_prove_nothing(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[BRIEFLY]), finished)
    assert verdict(run) == ("Inconclusive", "NoEffect")
    assert "3 of 3 pods were still there, and 1 were to be left" in (run.status.message or "")
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3


async def test_an_abort_scales_it_back(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.abort(run)
    run = await harness.stored(run, finished)
    assert verdict(run) == ("Aborted", "AbortRequested")
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3


async def test_the_stop_switch_scales_it_back(harness: RunHarness) -> None:
    async with watched(harness):
        run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
        await throw(harness.client, harness.namespace)
        run = await harness.stored(run, finished)
    assert verdict(run) == ("Aborted", "Stopped")
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3


async def test_another_life_of_the_operator_scales_it_back(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    other = await taken_up(harness, run)
    assert await replicas(harness) == 1
    await other.abort(run)
    run = await other.stored(run, finished)
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3
    await other.end()


async def test_what_was_changed_before_the_operator_knew_is_found_by_the_next_one(harness: RunHarness) -> None:
    """It died between the API server's answer and the word of it: the note alone says what it was."""
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.end()
    await forget_what_came_after_the_note(harness, run)
    other = await taken_up(harness, run)
    await other.stored(run, active)
    await other.abort(run)
    run = await other.stored(run, finished)
    assert only(run).changed_at == run.status.steps[0].started_at, "not before it was noted"
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3
    await other.end()


async def test_what_was_noted_and_not_changed_is_changed_by_the_next_one(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.end()
    await scale(harness, 3)
    await forget_what_came_after_the_note(harness, run)
    other = await taken_up(harness, run)
    run = await other.stored(run, active)
    assert await replicas(harness) == 1
    await other.abort(run)
    await other.stored(run, finished)
    assert await replicas(harness) == 3
    await other.end()


async def test_an_operator_that_died_while_it_put_things_back_has_ended_the_fault(harness: RunHarness) -> None:
    """The next one finds it ended, does not begin it anew, and gives no verdict on it."""
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.end()
    await scale(harness, 3)
    other = await taken_up(harness, run)
    run = await other.stored(run, finished)
    assert verdict(run) == ("Inconclusive", "ChangedMeanwhile")
    assert run.status.faults[0].reverted
    assert await replicas(harness) == 3
    await other.end()


async def test_what_somebody_else_wrote_meanwhile_is_left_and_told(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await scale(harness, 5)
    run = await harness.stored(run, finished)
    assert verdict(run) == ("Inconclusive", "ChangedMeanwhile"), run.status.message
    (record,) = run.status.faults
    assert (record.reverted, record.cut_short) == (False, "ChangedMeanwhile")
    message = record.message or ""
    assert "spec.replicas of Deployment relay is 5, which somebody else wrote, and was left so" in message
    assert f"kubectl -n {harness.namespace} patch deployment relay" in message
    assert only(run).left_at
    assert await replicas(harness) == 5


async def test_what_was_deleted_meanwhile_took_the_change_with_it(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.client.delete(DEPLOYMENT, harness.namespace, "relay")
    run = await harness.stored(run, finished)
    assert verdict(run) == ("Inconclusive", "ChangedMeanwhile")
    assert run.status.faults[0].reverted
    assert "was deleted" in (run.status.faults[0].message or "")


@asynccontextmanager
async def watching(harness: RunHarness) -> AsyncIterator[None]:
    """It is told what becomes of runs."""
    task = asyncio.create_task(watch(harness.client, harness.runs, harness.namespace))
    try:
        yield
    finally:
        task.cancel()


async def is_free(harness: RunHarness, run: ExperimentRun) -> bool:
    """Whether its record goes when it is deleted."""
    body = await harness.client.get(EXPERIMENT_RUN, *run.key)
    return not body["metadata"].get("finalizers")


async def put_back_and_gone(harness: RunHarness) -> None:
    async def back() -> bool:
        return await replicas(harness) == 3

    async def gone() -> bool:
        return not await harness.client.list(EXPERIMENT_RUN, harness.namespace)

    await until(back, "three replicas")
    await until(gone, "the end of the record")


async def test_a_run_that_is_deleted_is_put_back(harness: RunHarness) -> None:
    async with watching(harness):
        run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
        await harness.client.delete(EXPERIMENT_RUN, *run.key)
        await put_back_and_gone(harness)


async def test_a_run_that_is_deleted_while_no_operator_runs_waits_for_the_next_one(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    await harness.end()
    await harness.client.delete(EXPERIMENT_RUN, *run.key)
    kept = ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *run.key))
    assert kept.metadata.deletion_timestamp is not None
    assert only(kept).before == "3", "the only note of what was there"
    assert await replicas(harness) == 1
    other = RunHarness(harness.client, harness.namespace, HURRIED)
    async with watching(other):
        await put_back_and_gone(other)
        again = await other.stored(await other.create("again", faults=[DOWN]), active)
        assert await replicas(other) == 1, "nothing of the deleted run is put back a second time"
        await other.abort(again)
        await other.stored(again, finished)
    await other.end()


async def test_a_run_that_is_over_may_be_deleted_and_one_that_changes_nothing_always(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[BRIEFLY]), active)
    assert not await is_free(harness, run)
    run = await harness.stored(run, finished)
    await until(lambda: is_free(harness, run), "the finalizer is removed")
    assert await is_free(harness, await harness.create("restart", faults=[RESTART]))


async def test_the_next_life_removes_the_finalizer_of_a_run_that_was_over(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[BRIEFLY]), finished)
    await until(lambda: is_free(harness, run), "the finalizer is removed")
    kept = [{"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}]
    await harness.client.patch(EXPERIMENT_RUN, *run.key, kept)
    other = await taken_up(harness, run)
    await until(lambda: is_free(other, run), "the finalizer is removed by another life")


def waits_for(run: ExperimentRun) -> Callable[[ExperimentRun], bool]:
    """Whether a run waits for that one."""
    message = f"waits for run {run.metadata.name}, which goes first"
    return lambda waiting: any(condition.message == message for condition in waiting.status.conditions)


def refusing_relays(harness: RunHarness) -> AbstractAsyncContextManager[None]:
    """Nobody can change the Deployment."""
    return refusing(harness.client, DEPLOYMENT, harness.namespace, "relay")


async def test_what_cannot_be_put_back_in_time_is_put_back_later_and_nobody_begins_before(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    async with refusing_relays(harness):
        await harness.abort(run)
        run = await harness.stored(run, finished)
        assert not run.status.faults[0].reverted
        later = await harness.create("later", faults=[DOWN])
        later = await harness.stored(later, waits_for(run))
        assert not await is_free(harness, run), "the only note of what was there"
        assert await replicas(harness) == 1
    later = await harness.stored(later, active)
    assert only(later).before == "3"
    await until(lambda: is_free(harness, run), "the finalizer is removed")
    run = await harness.stored(run, finished)
    assert only(run).restored_at
    assert (run.status.faults[0].reverted, run.status.verdict) == (True, "Aborted")
    assert run.status.faults[0].message == "was put back only after the run was judged"
    await harness.abort(later)
    await harness.stored(later, finished)
    assert await replicas(harness) == 3


async def test_the_next_life_goes_on_to_put_back_what_a_run_that_is_over_has_left(harness: RunHarness) -> None:
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    async with refusing_relays(harness):
        await harness.abort(run)
        run = await harness.stored(run, finished)
        other = await taken_up(harness, run)
        later = await other.stored(await other.create("later", faults=[DOWN]), waits_for(run))
    await other.stored(later, active)
    await until(lambda: is_free(other, run), "the finalizer is removed")
    await other.abort(later)
    await other.stored(later, finished)
    assert await replicas(other) == 3
    await other.end()


async def test_who_removes_the_finalizer_has_taken_it_on(harness: RunHarness) -> None:
    """The API server may go on to refuse it for ever. A person decides that it is to stay."""
    run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
    async with refusing_relays(harness):
        await harness.abort(run)
        await harness.stored(run, finished)
        later = await harness.stored(await harness.create("later", faults=[DOWN]), waits_for(run))
        await harness.client.patch(EXPERIMENT_RUN, *run.key, [{"op": "remove", "path": "/metadata/finalizers"}])
        harness.runs.on_change(ExperimentRun.parse(await harness.client.get(EXPERIMENT_RUN, *run.key)))
        later = await harness.stored(later, finished)
    assert verdict(later) == ("Inconclusive", "NothingToChange"), later.status.message
    assert await replicas(harness) == 1


async def test_nobody_begins_before_a_deleted_run_is_put_back(harness: RunHarness) -> None:
    async with watching(harness):
        run = await harness.stored(await harness.create("down", faults=[DOWN]), active)
        async with refusing_relays(harness):
            await harness.client.delete(EXPERIMENT_RUN, *run.key)
            await until(lambda: is_forgotten(harness, run), "the deletion is known")
            later = await harness.stored(await harness.create("later", faults=[DOWN]), waits_for(run))
            assert await replicas(harness) == 1
        later = await harness.stored(later, active)
        assert only(later).before == "3"
        await harness.abort(later)
        await harness.stored(later, finished)


async def is_forgotten(harness: RunHarness, run: ExperimentRun) -> bool:
    return run.metadata.uid not in {known.metadata.uid for known in harness.runs.all()}


async def test_replicas_of_an_autoscaler_are_not_changed(harness: RunHarness) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "relay"}
    body = {
        "apiVersion": POD_AUTOSCALER.group_version,
        "kind": POD_AUTOSCALER.name,
        "metadata": {"name": "relay-hpa", "namespace": harness.namespace},
        "spec": {"scaleTargetRef": target, "maxReplicas": 5},
    }
    await harness.client.create(POD_AUTOSCALER, body)
    run = await harness.stored(await harness.create("down", faults=[BRIEFLY]), finished)
    assert verdict(run) == ("Inconclusive", "ReplicasOwned"), run.status.message
    assert "relay-hpa" in (run.status.message or "")
    assert not run.status.changes
    assert await replicas(harness) == 3


async def test_a_restart_is_noted_made_once_and_stays(harness: RunHarness) -> None:
    run = await harness.create("restart", faults=[RESTART], recovery="3s")
    run = await harness.stored(run, lambda run: bool(run.status.targets and run.status.targets[0].answered_at))
    assert await restarted(harness) == only(run).after
    assert (only(run).before, only(run).lasts) == (None, False)
    await end_pods(harness, "a", "b", "c")
    run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.reverted) == ("rolloutRestart", 3, True)
    assert all(target.answered_at and target.gone_at for target in run.status.targets)
    assert not record.proven, "no listener has told that the media stopped"
    assert await restarted(harness) == only(run).after


async def test_a_restart_that_was_made_before_the_operator_knew_is_not_made_again(harness: RunHarness) -> None:
    run = await harness.create("restart", faults=[RESTART], recovery="1h")
    run = await harness.stored(run, lambda run: run.status.step == "Recovering")
    await harness.end()
    await forget_what_came_after_the_note(harness, run)
    other = await taken_up(harness, run)
    run = await other.stored(run, lambda run: run.status.step == "Recovering")
    assert await restarted(harness) == only(run).after
    assert all(target.answered_at for target in run.status.targets)
    assert "3 of 3 pods are not replaced yet" in (run.status.faults[0].message or "")
    assert run.status.faults[0].reverted, "there is nothing to put back"
    await other.end()


async def test_a_restart_of_pods_that_nobody_replaces_is_refused(client: Client, namespace: str, relays: None) -> None:
    bare = RunHarness(client, namespace, HURRIED)
    run = await bare.stored(await bare.create("restart", faults=[RESTART]), finished)
    assert verdict(run) == ("Inconclusive", "NoWorkload"), run.status.message
    assert await stored_objects.names(client, namespace) == {"a", "b"}
    await bare.end()


PUSH: dict[str, Any] = {
    "name": "push",
    "target": {"component": "relay", "max": 3},
    "configPush": {"configMap": "livekit", "key": "livekit.yaml", "value": "port: 1", "restart": True},
    "duration": "1h",
}


async def configure(harness: RunHarness) -> None:
    """A ConfigMap that the relays mount."""
    metadata = {"name": "livekit", "namespace": harness.namespace}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"livekit.yaml": "port: 7880"}}
    await harness.client.create(CONFIG_MAP, body)
    volumes = [{"name": "config", "configMap": {"name": "livekit"}}]
    mounts = [{"name": "config", "mountPath": "/etc/livekit"}]
    change = [
        {"op": "add", "path": "/spec/template/spec/volumes", "value": volumes},
        {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts", "value": mounts},
    ]
    await harness.client.patch(DEPLOYMENT, harness.namespace, "relay", change)


async def configured(harness: RunHarness) -> str:
    text: str = (await harness.client.get(CONFIG_MAP, harness.namespace, "livekit"))["data"]["livekit.yaml"]
    return text


async def test_a_value_is_pushed_pods_are_replaced_and_all_is_put_back(harness: RunHarness) -> None:
    await configure(harness)
    run = await harness.stored(await harness.create("push", faults=[{**PUSH, "duration": "4s"}]), active)
    assert await configured(harness) == "port: 1"
    value, template = run.status.changes
    assert (value.before, value.after) == ('"port: 7880"', '"port: 1"')
    assert await restarted(harness) == template.after
    await end_pods(harness, "a", "b", "c")
    run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.kind, record.proven, record.reverted) == ("configPush", True, True), record.message
    assert "the value was read back, and 3 of 3 pods replaced" in (record.message or "")
    assert verdict(run) == ("Inconclusive", "NoBaseline"), "all else would have allowed a verdict"
    assert await configured(harness) == "port: 7880"
    assert await restarted(harness) is None, "the template is the one that it was"
    assert run.status.changes[0].before == fields.digest('"port: 7880"'), "nobody else is to read it from the record"


async def test_pods_that_are_not_replaced_have_not_read_the_value(harness: RunHarness) -> None:
    await configure(harness)
    run = await harness.stored(await harness.create("push", faults=[{**PUSH, "duration": "1s"}]), finished)
    assert verdict(run) == ("Inconclusive", "NoEffect")
    assert "ran on with the value of before" in (run.status.message or "")
    assert run.status.faults[0].reverted
    assert await configured(harness) == "port: 7880"


async def test_a_pod_that_ran_on_with_a_pushed_value_until_somebody_deleted_it_is_another_cause(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a push without a restart ends a pod. Kubelets would need two minutes to write the value."""
    monkeypatch.setattr(config_push, "WRITTEN_WITHIN", timedelta(0))
    await configure(harness)
    lasting = {**PUSH, "duration": "2s", "configPush": {**PUSH["configPush"], "restart": False}}
    run = await harness.stored(await harness.create("push", faults=[lasting]), active)
    await end_pods(harness, "b")
    run = await harness.stored(run, finished)
    assert run.status.faults[0].proven, run.status.faults[0].message
    assert {target.pod for target in run.status.targets if target.gone_at} == {"b"}
    assert not any(target.proven for target in run.status.targets), "the value is read back, and no pod proves it"
    other = interference.deleted(run)
    assert other is not None
    assert other.reason == "TargetsGone"


async def test_another_life_of_the_operator_puts_a_value_back_that_it_has_not_pushed(harness: RunHarness) -> None:
    await configure(harness)
    run = await harness.stored(await harness.create("push", faults=[PUSH]), active)
    await harness.end()
    await forget_what_came_after_the_note(harness, run)
    other = await taken_up(harness, run)
    await other.stored(run, active)
    await other.abort(run)
    run = await other.stored(run, finished)
    assert run.status.faults[0].reverted
    assert await configured(harness) == "port: 7880"
    assert await restarted(harness) is None
    await other.end()


async def test_a_value_that_somebody_else_wrote_meanwhile_is_left(harness: RunHarness) -> None:
    await configure(harness)
    run = await harness.stored(await harness.create("push", faults=[PUSH]), active)
    theirs = [{"op": "replace", "path": "/data/livekit.yaml", "value": "port: 2"}]
    await harness.client.patch(CONFIG_MAP, harness.namespace, "livekit", theirs)
    run = await harness.stored(run, finished)
    assert verdict(run) == ("Inconclusive", "ChangedMeanwhile"), run.status.message
    assert not run.status.faults[0].reverted
    assert await configured(harness) == "port: 2"
    assert await restarted(harness) is None, "what nobody else has touched is put back"
    assert run.status.changes[0].before == '"port: 7880"', "a person needs it"


async def test_a_key_that_is_not_there_is_refused(harness: RunHarness) -> None:
    await configure(harness)
    wrong = {**PUSH, "configPush": {"configMap": "livekit", "key": "livekit.yml", "value": "port: 1"}}
    run = await harness.stored(await harness.create("push", faults=[wrong]), finished)
    assert verdict(run) == ("Inconclusive", "NoConfig"), run.status.message
    assert "it has: livekit.yaml" in (run.status.message or "")
    assert not run.status.changes
