"""Floods against a real API server with its controllers: Jobs, their pods' admission, and their end are theirs.

The namespace enforces Pod Security *restricted*. The agents' part and the kubelet's is played: there is no node.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.injection import Injection
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN, INJECTION, JOB, LEASE, NAMESPACE, POD, Kind
from showstopper.engine.hands.crowd import job
from showstopper.engine.hands.pace import Pace
from showstopper.errors import NotFound
from tests.engine.kubelet import ADDRESS, Kubelet
from tests.engine.runs.test_lasting_faults import active, finished
from tests.support import build, stored_objects
from tests.support.api_server import with_crds
from tests.support.operator_harness import until
from tests.support.run_harness import RunHarness
from tests.support.stub_agent import LOSS, Agent

pytestmark = pytest.mark.apiserver

FLOOD = {
    "name": "flood",
    "target": {"component": "relay", "max": 2},
    "duration": "1s",
    "packetFlood": {"port": "media", "rate": 40, "sources": 4},  # the agent that is played counts 20 everywhere
}
RELAYS = {"a": "198.18.200.1", "b": "198.18.200.2"}
RESTRICTED = "/metadata/labels/pod-security.kubernetes.io~1enforce"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """An API server of its own, whose controllers make pods of Jobs."""
    with with_crds(controllers=True) as running:
        yield running


class Flooded(RunHarness):
    """Its relays have a media port."""

    def room(self) -> Any:
        room = super().room()
        (relay, *others) = build.ROOM_SPEC["components"]
        relay = {**relay, "ports": [{"name": "media", "port": 7882, "protocol": "UDP"}]}
        spec = build.room(components=[relay, *others]).spec
        return room.model_copy(update={"spec": spec})


@pytest.fixture
async def relays(client: Client, server: ApiServer, namespace: str) -> None:
    """Two with addresses, in a namespace that takes none but restricted pods from now on."""
    await until(lambda: _account(server, namespace), "the namespace's service account")
    for name, address in RELAYS.items():
        await stored_objects.pod(client, namespace, name)
        change = [{"op": "add", "path": "/status/podIP", "value": address}]
        await client.patch(POD, namespace, name, change, subresource="status")
    await client.patch(NAMESPACE, "", namespace, [{"op": "add", "path": RESTRICTED, "value": "restricted"}])


@pytest.fixture
async def harness(client: Client, namespace: str, relays: None) -> AsyncIterator[Flooded]:
    made = Flooded(client, namespace)
    yield made
    await made.end()


async def _account(server: ApiServer, namespace: str) -> bool:
    return "default" in server.kubectl("get", "serviceaccounts", "-n", namespace, "-o", "name")


async def nothing_left(client: Client, run: ExperimentRun) -> bool:
    with pytest.raises(NotFound):
        await client.get(LEASE, *run.key)
    pods = {body["metadata"]["name"] for body in await client.list(POD, run.metadata.namespace)}
    left = [await client.list(kind, run.metadata.namespace) for kind in (INJECTION, JOB)]
    return not any(left) and pods <= RELAYS.keys()


async def test_a_flood_is_gathered_gated_proven_and_gone(client: Client, server: ApiServer, harness: Flooded) -> None:
    async with Agent(client, harness.namespace) as agent, Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.stored(await harness.create("flood", faults=[FLOOD]), finished)
    (record,) = run.status.faults
    assert (record.kind, record.targets, record.proven, record.reverted) == ("packetFlood", 2, True, True), record
    assert (record.matched, record.affected) == (20, 40), "what passed the gate, and what arrived at both"
    assert record.message == "proven on every target: 20 packets sent, 40 arrived"
    assert all(target.proven and target.lifted_at for target in run.status.targets)
    assert run.status.reason == "NoBaseline"  # all else would have allowed a verdict
    asked = [injection.spec for injection in agent.asked]
    assert [spec.kind for spec in asked] == ["floodArrivals", "floodGate"], "nothing may begin before it is counted"
    assert asked[0].peers == (ADDRESS,)
    assert asked[1].peers == tuple(RELAYS.values())
    (pod,) = kubelet.pods.values()
    assert asked[1].targets[0].uid == pod["metadata"]["uid"]
    assert await nothing_left(client, run)


async def test_what_hands_share_is_removed_once(
    client: Client, server: ApiServer, harness: Flooded, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete, removed = client.delete, []

    async def noted(kind: Kind, *place: str, **options: Any) -> None:
        removed.append(kind)
        await delete(kind, *place, **options)

    monkeypatch.setattr(client, "delete", noted)
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace):
        run = await harness.stored(await harness.create("both", faults=[FLOOD, LOSS]), finished)
    assert (removed.count(LEASE), removed.count(INJECTION)) == (1, 3), "the gate, the counting and the loss"
    assert await nothing_left(client, run)


async def test_the_flooder_has_no_right_and_no_second_life(client: Client, server: ApiServer, harness: Flooded) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.create("flood", faults=[FLOOD | {"duration": "9m"}])
        await harness.stored(run, active)
        (made,) = await client.list(JOB, harness.namespace)
        await harness.abort(run)
        await harness.stored(run, finished)
    (pod,) = kubelet.pods.values()
    spec, (container,) = made["spec"], pod["spec"]["containers"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"] > 540) == (0, True)
    assert spec["ttlSecondsAfterFinished"] == job.KEEP.total_seconds()
    assert made["metadata"]["ownerReferences"][0]["uid"] == run.metadata.uid
    assert (pod["spec"]["restartPolicy"], pod["spec"]["automountServiceAccountToken"]) == ("Never", False)
    assert not pod["spec"].get("volumes")
    assert container["securityContext"]["readOnlyRootFilesystem"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["SHOWSTOPPER_FLOOD_TARGETS"] == "198.18.200.1:7882,198.18.200.2:7882"
    assert told["SHOWSTOPPER_FLOOD_PACKETS"] == "21600"


async def test_a_target_that_goes_is_taken_out_of_the_gate_at_once(
    client: Client, server: ApiServer, harness: Flooded
) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace):
        run = await harness.create("flood", faults=[FLOOD | {"duration": "9m"}])
        await harness.stored(run, active)
        await client.delete(POD, harness.namespace, "a", grace_seconds=0)

        async def narrowed() -> bool:
            injections = [Injection.parse(body) for body in await client.list(INJECTION, harness.namespace)]
            (gate,) = [injection for injection in injections if injection.spec.flood_gate is not None]
            return gate.spec.peers == (RELAYS["b"],)

        await until(narrowed, "a gate that leads to b alone")
        await client.delete(POD, harness.namespace, "b", grace_seconds=0)

        async def shut() -> bool:
            injections = [Injection.parse(body) for body in await client.list(INJECTION, harness.namespace)]
            return all(injection.spec.lift for injection in injections if injection.spec.flood_gate is not None)

        await until(shut, "a gate that leads to nobody")
        await harness.abort(run)
        await harness.stored(run, finished)


async def test_a_flooder_that_cannot_be_there_is_told_of(
    client: Client, harness: Flooded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "GATHER", timedelta(seconds=1))
    async with Agent(client, harness.namespace):
        run = await harness.stored(await harness.create("flood", faults=[FLOOD]), finished)
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "FlooderMissing")
    assert "describe job,pod" in (run.status.message or "")
    assert not (await client.list(INJECTION, harness.namespace))


async def flooded(
    harness: Flooded, kubelet: Kubelet, declared: Mapping[str, Any] | None = None, **report: Any
) -> ExperimentRun:
    """The run of a flood of two seconds, whose flooder ends by its time with such a report."""
    run = await harness.create("flood", faults=[FLOOD | {"duration": "2s"} | dict(declared or {})])
    await harness.stored(run, active)
    await kubelet.report({"ended_by": "Seconds", **report})
    return await harness.stored(run, finished)


async def test_a_flood_that_sent_nothing_says_what_its_flooder_said(
    client: Client, server: ApiServer, harness: Flooded
) -> None:
    async with Agent(client, harness.namespace, matched=0), Kubelet(client, server, harness.namespace) as kubelet:
        run = await flooded(harness, kubelet, packets=0, errors={"EMSGSIZE": 2000})
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "NoEffect")
    assert "sent no packet: its flooder ended by Seconds after 0 packets" in (run.status.message or "")
    assert "refused 2000 times EMSGSIZE" in (run.status.message or "")


async def test_a_flood_of_another_dose_allows_no_verdict_and_says_what_its_flooder_said(
    client: Client, server: ApiServer, harness: Flooded
) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        declared = {"packetFlood": {"port": "media", "rate": 5000}}
        run = await flooded(harness, kubelet, declared, packets=20, errors={"ENOBUFS": 9980})
    assert (run.status.verdict, run.status.reason) == ("Inconclusive", "WrongDose")
    assert "sent 40 of 10000 packets" in (run.status.message or "")
    assert "refused 9980 times ENOBUFS" in (run.status.message or "")
    assert not run.status.faults[0].proven
    assert await nothing_left(client, run)


async def test_as_fast_as_possible_is_proven_by_what_the_flooder_says_at_its_end(
    client: Client, server: ApiServer, harness: Flooded
) -> None:
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace) as kubelet:
        declared = {"packetFlood": {"port": "media", "packets": 1_000_000}}
        run = await flooded(harness, kubelet, declared, packets=40, errors={})
    (record,) = run.status.faults
    assert (record.proven, record.reverted) == (True, True), record
    assert record.flood is not None
    assert (record.flood.ended_by, record.flood.packets) == ("Seconds", 40)
    assert await nothing_left(client, run)


async def test_another_life_of_the_operator_goes_on_with_the_flood_that_there_is(
    client: Client, server: ApiServer, harness: Flooded
) -> None:
    counted = Agent(client, harness.namespace, matched=1200)
    async with counted, Kubelet(client, server, harness.namespace) as kubelet:
        run = await harness.stored(await harness.create("flood", faults=[FLOOD | {"duration": "3s"}]), active)
        await harness.end()
        other = Flooded(client, harness.namespace)
        other.runs.on_change(ExperimentRun.parse(await client.get(EXPERIMENT_RUN, *run.key)))
        run = await harness.stored(run, finished)
        await other.end()
    assert run.status.faults[0].proven
    assert run.status.faults[0].reverted
    assert len(kubelet.pods) == 1
    assert await nothing_left(client, run)


async def test_a_job_that_stays_is_a_fault_that_is_not_reverted(
    client: Client, harness: Flooded, server: ApiServer
) -> None:
    harness = Flooded(client, harness.namespace, Pace(lift=0.5))
    async with Agent(client, harness.namespace), Kubelet(client, server, harness.namespace, deaf=True):
        run = await harness.stored(await harness.create("flood", faults=[FLOOD]), finished)
    (record,) = run.status.faults
    assert not record.reverted
    assert f"left behind: Job {job.name(run, 'flood')}" in (record.message or "")
    assert run.status.verdict != "Passed"
