"""Storms against a real API server with its controllers, as floods are. Agents and the kubelet are played."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, JOB
from showstopper.engine.hands.crowd import hand, job
from showstopper.engine.hands.pace import Pace
from tests.engine.kubelet import ADDRESS, Kubelet
from tests.engine.runs.test_flooding import FLOOD, RELAYS, Flooded, nothing_left, relays
from tests.engine.runs.test_lasting_faults import active, finished
from tests.support import build
from tests.support.api_server import with_crds
from tests.support.operator_harness import until
from tests.support.stub_agent import LOSS, Agent

pytestmark = pytest.mark.apiserver
__all__ = ["relays"]  # a fixture of the floods'

STORM = {
    "name": "storm",
    "target": {"component": "relay", "max": 2},
    "duration": "4s",
    "joinStorm": {"port": "signal", "joins": 50, "signallingOnly": True},
}
TIMES = {"count": 49, "p50": "12.0ms", "p95": "31.4ms", "longest": "40.0ms"}
CAME = {
    "asked": 50,
    "attempts": 50,
    "letIn": 49,
    "answered": 50,
    "refused": [{"reason": "Unavailable", "count": 1}],
    "upgraded": TIMES,
    "lateSeconds": 0.01,
}


def said(**changes: Any) -> dict[str, Any]:
    """The last line of a storm's pod."""
    return {"event": "stormed", "ended_by": "Seconds", "storm": {**CAME, **changes}}


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """An API server of its own, whose controllers make pods of Jobs."""
    with with_crds(controllers=True) as running:
        yield running


class Stormed(Flooded):
    """Its relays take joins."""

    def room(self) -> Any:
        room = super().room()
        (relay, *others) = build.ROOM_SPEC["components"]
        ports = {"signal": (7880, "TCP"), "media": (7882, "UDP")}
        relay = {
            **relay,
            "ports": [{"name": name, "port": port, "protocol": kind} for name, (port, kind) in ports.items()],
        }
        return room.model_copy(update={"spec": build.room(components=[relay, *others]).spec})


@pytest.fixture
async def harness(client: Client, namespace: str, relays: None) -> AsyncIterator[Stormed]:
    made = Stormed(client, namespace)
    yield made
    await made.end()


async def test_a_storm_is_gathered_gated_counted_and_gone(client: Client, server: ApiServer, harness: Stormed) -> None:
    async with Agent(client, harness.namespace) as agent, Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.create("storm", faults=[STORM])
        await harness.stored(run, active)
        (made,) = await client.list(JOB, harness.namespace)
        await kubelet.report(said())
        run = await harness.stored(run, finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("joinStorm", 2, True, True), record
    assert record.storm is not None
    assert (record.storm.attempts, record.storm.let_in, record.storm.refusals) == (50, 49, 1)
    assert record.message == (
        "proven on every target: 50 joins tried, 49 let in, 1 refused (1 Unavailable), "
        "answered after 12.0ms (p95 31.4ms)"
    )
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    asked = [injection.spec for injection in agent.asked]
    assert [spec.kind for spec in asked] == ["stormArrivals", "stormGate"], "nobody may join before it is counted"
    assert (asked[0].peers, asked[1].peers) == ((ADDRESS,), tuple(RELAYS.values()))
    assert asked[1].storm_gate is not None
    assert (asked[1].storm_gate.signalling, asked[1].storm_gate.media) == (7880, ())
    told = {each["name"]: each for each in made["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert told["SHOWSTOPPER_STORM_TARGETS"]["value"] == "198.18.200.1:7880,198.18.200.2:7880"
    assert told["LIVEKIT_API_SECRET"]["valueFrom"]["secretKeyRef"]["name"] == "livekit-keys"
    assert made["spec"]["backoffLimit"] == 0
    assert await nothing_left(client, run)


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"attempts": 20, "letIn": 20, "refused": []}, "WrongDose", "tried 20 of 50 joins"),
        ({"unknown": 7, "letIn": 42}, "WrongDose", "knows nothing of 7 of 50 joins"),
    ],
)
async def test_another_storm_than_the_declared_one_allows_no_verdict(
    client: Client, server: ApiServer, harness: Stormed, changes: dict[str, Any], reason: str, says: str
) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.create("storm", faults=[STORM])
        await harness.stored(run, active)
        await kubelet.report(said(**changes))
        run = await harness.stored(run, finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", reason)
    assert says in (run.status.message or "")
    assert not run.status.faults[0].proven
    assert await nothing_left(client, run)


async def test_a_storm_that_does_not_say_what_came_of_it_is_not_proven(
    client: Client, server: ApiServer, harness: Stormed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "HEAR_SECONDS", 0.3)
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace):
        run = await harness.stored(await harness.create("storm", faults=[STORM]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "does not say what came of its joins" in (run.status.message or "")
    assert await nothing_left(client, run)


@pytest.mark.parametrize("other", [LOSS, FLOOD], ids=lambda fault: fault["name"])
async def test_a_storm_is_heard_and_ended_while_another_fault_goes_on(
    client: Client, server: ApiServer, harness: Stormed, other: dict[str, Any]
) -> None:
    """Its Job goes by itself a minute after its end, and takes with it what came of the storm."""
    harness = Stormed(client, harness.namespace, Pace(silent=600.0))  # the agent that is played does not report twice
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.create("storm", faults=[STORM, other | {"duration": "9m"}])
        await harness.stored(run, active)
        await kubelet.report(said())
        run = await harness.stored(run, lambda run: run.status.faults[0].storm is not None)
        assert active(run), "the other fault lasts"

        async def gone() -> bool:
            jobs = {body["metadata"]["name"] for body in await client.list(JOB, harness.namespace)}
            return job.name(run, "storm") not in jobs

        await until(gone, "the end of the storm's Job")
        run = await harness.stored(run, lambda run: run.status.faults[0].reverted)
        assert active(run), "the other fault lasts"
        await harness.abort(run)
        run = await harness.stored(run, finished)
        await harness.end()
    storm, _ = run.status.faults
    assert (storm.proven, storm.reverted) == (True, True), storm
    assert storm.storm is not None
    assert storm.storm.let_in == 49
    assert await nothing_left(client, run)


async def test_nobody_waits_for_the_word_of_a_storm_that_is_aborted(
    client: Client, server: ApiServer, harness: Stormed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "HEAR_SECONDS", 3600.0)
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace):
        run = await harness.create("storm", faults=[STORM | {"duration": "9m"}])
        await harness.stored(run, active)
        await harness.abort(run)
        run = await harness.stored(run, finished)
    assert run.status.verdict == "Aborted"
    assert run.status.faults[0].reverted
    assert await nothing_left(client, run)


async def test_another_life_of_the_operator_hears_what_came_of_it(
    client: Client, server: ApiServer, harness: Stormed
) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.stored(await harness.create("storm", faults=[STORM | {"duration": "5s"}]), active)
        await harness.end()
        await kubelet.report(said())
        other = Stormed(client, harness.namespace)
        other.runs.on_change(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
        run = await harness.stored(run, finished)
        await other.end()
    (record,) = run.status.faults
    assert (record.proven, record.reverted) == (True, True), record
    assert record.storm is not None
    assert record.storm.let_in == 49
    assert len(kubelet.pods) == 1, "nobody joins twice"
    assert await nothing_left(client, run)
