"""The agent's controller with the real core: an API server, a pod's process in a namespace of its own, and packets.

Only /proc/PID/cgroup is made up here, for no kubelet has put the process into a pod's cgroup.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits import network
from showstopper.agent.hits.factory import HitFactory
from showstopper.agent.network.node import Node
from showstopper.agent.pods import Pods
from showstopper.api.conditions import ConditionType, find
from showstopper.api.injection import LEASE_LABEL, InjectionStatus, TargetState
from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import CONFIG_MAP, INJECTION, LEASE
from showstopper.executor.injections import Injections
from tests.agent.container import Container, container, trees
from tests.agent.pod import Pod, pod_in
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Wire
from tests.api.build import LEAVE_OUT, injection

pytestmark = [pytest.mark.apiserver, pytest.mark.netns]

NODE = "node-of-this-agent"
"""No other test's Injections are on it."""

PATIENCE = 60.0


@pytest.fixture
def pod(wire: Wire, tmp_path: Path) -> Iterator[Pod]:
    """A pod at the sender's end."""
    with pod_in(wire.sender, tmp_path / "proc") as made:
        yield made


@dataclass
class Stage:
    """An operator, as far as the agent sees it: one run's Lease and its Injections."""

    client: Client
    namespace: str
    pod: Pod
    clock: Clock
    name: str

    async def renew(self) -> None:
        """Renew the Lease, or make it."""
        spec = {"holderIdentity": "operator", "renewTime": to_timestamp(self.clock.now()), "leaseDurationSeconds": 10}
        metadata = {"name": self.name, "namespace": self.namespace, "labels": {LEASE_LABEL: self.name}}
        await self.client.apply(
            LEASE, {"apiVersion": LEASE.group_version, "kind": "Lease", "metadata": metadata, "spec": spec}
        )

    async def inject(self, changes: dict[str, Any] | None = None) -> str:
        """Have the pod lose half of what it sends to the media port."""
        wish = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "spec.node": NODE,
            "spec.lease": self.name,
            "spec.targets": [{"pod": "relay-0", "uid": self.pod.uid, "address": SENDER}],
            "spec.ports": [{"port": 6004, "protocol": "UDP"}],
            "spec.peers": ["198.18.200.0/24"],
            "spec.packetLoss": {"percent": "50%", "direction": "Egress"},
        }
        await self.client.create(INJECTION, injection({**wish, **(changes or {})}))
        return self.name

    async def status(self) -> InjectionStatus:
        """What the agent says."""
        return InjectionStatus.model_validate((await self.client.get(INJECTION, self.namespace, self.name))["status"])

    async def until(self, what: Callable[[InjectionStatus], bool]) -> InjectionStatus:
        """The first status that is so."""
        deadline = time.monotonic() + PATIENCE
        while not what(status := await self.status()):
            assert time.monotonic() < deadline, f"the status stays at {status}"
            await asyncio.sleep(0.02)
        return status

    async def lift(self) -> None:
        """Ask for its end."""
        await self.client.patch(
            INJECTION, self.namespace, self.name, [{"op": "add", "path": "/spec/lift", "value": True}]
        )


@pytest.fixture
async def stage(client: Client, namespace: str, pod: Pod) -> AsyncIterator[Stage]:
    yield Stage(client, namespace, pod, Clock(), "run")
    for each in await client.list(INJECTION, namespace):
        await client.delete(INJECTION, namespace, each["metadata"]["name"])


@asynccontextmanager
async def agent(client: Client, node: Node, stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    """The agent at work for the time of the block."""
    with ThreadPoolExecutor(4) as workers:
        state, clock = stage.pod.proc.parent, Clock()
        factory = HitFactory(node, Pods(stage.pod.proc), Containers(), Changes(state), AtMostOnce(state), clock)
        made = Injections(
            client, clock, mine={"spec.node": NODE}, stop_switch=stage.namespace, factory=factory, workers=workers
        )
        task = asyncio.create_task(made.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def reason(status: InjectionStatus) -> str:
    ready = find(status.conditions, ConditionType.READY)
    return ready.reason if ready else ""


def is_(wanted: str) -> Callable[[InjectionStatus], bool]:
    return lambda status: reason(status) == wanted


async def test_a_fault_is_armed_proven_and_lifted(client: Client, node: Node, wire: Wire, stage: Stage) -> None:
    async with agent(client, node, stage):
        await asyncio.sleep(0)
        await armed(stage)
        waiting = await stage.until(is_("WaitingForProof"))
        assert waiting.targets[0].first is None
        assert waiting.backend == "nftables"
        with wire.ear() as ear:
            sending = await asyncio.to_thread(wire.send, packets=1000, per_second=2000)
            arrived = len(ear.packets())
        active = await stage.until(lambda status: bool(status.targets[0].last and status.targets[0].last.matched))
        assert reason(active) == "Active"
        await stage.lift()
        over = await stage.until(is_("Lifted"))
        (target,) = over.targets
        assert sending.sent == 1000
        assert target.last is not None
        assert target.last.matched == 1000
        assert target.last.affected == 1000 - arrived > 0
        assert target.first is not None
        assert target.first.matched <= target.last.matched
        assert target.state is TargetState.LIFTED
        assert target.leftovers == []
        assert over.observed_generation == 2
        with wire.ear() as ear:
            await asyncio.to_thread(wire.send, packets=100, per_second=2000)
            assert len(ear.packets()) == 100


async def armed(stage: Stage, changes: dict[str, Any] | None = None) -> None:
    """Create Lease and Injection as an operator does, and renew until the fault is armed."""
    await stage.renew()
    await stage.inject(changes)
    deadline = time.monotonic() + PATIENCE
    while not (status := await stage.status()).targets:
        assert time.monotonic() < deadline, f"not armed: {status}"
        await stage.renew()
        await asyncio.sleep(0.1)
    assert status.targets[0].state is TargetState.ARMED, status


async def test_its_peers_are_followed(client: Client, node: Node, wire: Wire, stage: Stage) -> None:
    """Half of what goes to the receiver is lost while it is a peer, and nothing before and after."""
    async with agent(client, node, stage):
        await armed(stage)
        for peers, hit in (("198.18.99.0/24", False), ("198.18.200.0/24", True), ("198.18.98.0/24", False)):
            await mean(stage, wire, peers)
            with wire.ear() as ear:
                await asyncio.to_thread(wire.send, packets=200, per_second=2000)
                assert (len(ear.packets()) < 200) is hit, peers
        await stage.lift()
        (target,) = (await stage.until(is_("Lifted"))).targets
        assert target.last is not None
        assert target.last.matched == 200


async def mean(stage: Stage, wire: Wire, peers: str) -> None:
    """Put others in the peers' place, and wait until they are in the kernel."""
    change = [{"op": "add", "path": "/spec/peers", "value": [peers]}]
    await stage.client.patch(INJECTION, stage.namespace, stage.name, change)
    deadline = time.monotonic() + PATIENCE
    while peers not in str(wire.state()):
        assert time.monotonic() < deadline, f"{peers} are not meant"
        await stage.renew()
        await asyncio.sleep(0.05)


async def test_without_renewals_it_lifts_itself(client: Client, node: Node, wire: Wire, stage: Stage) -> None:
    async with agent(client, node, stage):
        await armed(stage)
        over = await stage.until(is_("LeaseLost"))
        assert over.targets[0].state is TargetState.LIFTED
        await stage.renew()  # a late renewal brings nothing back
        await stage.lift()
        later = await stage.until(lambda status: status.observed_generation == 2)
        assert reason(later) == "LeaseLost"
        with wire.ear() as ear:
            await asyncio.to_thread(wire.send, packets=100, per_second=2000)
            assert len(ear.packets()) == 100


async def test_a_lease_that_was_only_listed_arms_nothing(client: Client, node: Node, stage: Stage) -> None:
    await stage.renew()
    await stage.inject()
    async with agent(client, node, stage):
        over = await stage.until(is_("LeaseLost"))
        assert over.targets == []
        assert "nothing was armed" in (over.message or "")


async def test_who_deletes_it_lifts_it(client: Client, node: Node, wire: Wire, stage: Stage) -> None:
    before = wire.state()
    async with agent(client, node, stage):
        await armed(stage)
        assert wire.state() != before
        await client.delete(INJECTION, stage.namespace, stage.name)
        deadline = time.monotonic() + PATIENCE
        while wire.state() != before:
            assert time.monotonic() < deadline, wire.state()
            await asyncio.sleep(0.05)


async def test_the_stop_switch_ends_it_and_lets_nothing_begin(client: Client, node: Node, stage: Stage) -> None:
    switch = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": STOP_SWITCH, "namespace": stage.namespace},
        "data": {"reason": "the real show has begun"},
    }
    async with agent(client, node, stage):
        await armed(stage)
        await client.create(CONFIG_MAP, switch)
        over = await stage.until(is_("Stopped"))
        assert "the real show has begun" in (over.message or "")
        assert over.targets[0].state is TargetState.LIFTED
        stage.name += "-2"
        await stage.renew()
        await stage.inject()
        assert (await stage.until(is_("Stopped"))).targets == []
    await client.delete(CONFIG_MAP, stage.namespace, STOP_SWITCH)


async def test_an_agent_that_ends_lifts_and_its_next_life_arms_nothing_again(
    client: Client, node: Node, stage: Stage
) -> None:
    async with agent(client, node, stage):
        await armed(stage)
    assert reason(await stage.status()) == "AgentStopped"
    async with agent(client, node, stage):
        await stage.renew()
        other = Stage(client, stage.namespace, stage.pod, stage.clock, f"{stage.name}-other")
        await armed(other)  # it is at work, and has seen the first one before
        assert reason(await stage.status()) == "AgentStopped"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"spec.targets.0.uid": "another"}, "no process of a pod with UID another"),
        ({"spec.targets.0.address": "198.18.200.9"}, "has no address 198.18.200.9"),
        ({"spec.targets.0.hostNetwork": True, "spec.ports": []}, "the whole node would be hit"),
    ],
)
async def test_what_cannot_be_hit_is_refused_and_says_why(
    client: Client, node: Node, wire: Wire, stage: Stage, changes: dict[str, Any], says: str
) -> None:
    before = wire.state()
    async with agent(client, node, stage):
        deadline = time.monotonic() + PATIENCE
        await stage.inject(changes)
        while not (status := await stage.status()).targets:
            assert time.monotonic() < deadline, status
            await stage.renew()
            await asyncio.sleep(0.1)
        assert status.targets[0].state in {TargetState.REFUSED, TargetState.GONE}
        assert says in (status.targets[0].message or "")
        assert wire.state() == before


async def test_what_the_api_server_let_through_is_looked_at_again(client: Client, node: Node, stage: Stage) -> None:
    async with agent(client, node, stage):
        await stage.inject({"spec.targets.0.address": "198.18.200"})
        told = await stage.until(is_("Invalid"))
        assert "spec.targets.0.address" in (told.message or "")


async def test_a_pod_that_goes_is_told_of(client: Client, node: Node, stage: Stage) -> None:
    async with agent(client, node, stage):
        await armed(stage)
        stage.pod.kill()
        over = await stage.until(lambda status: status.targets[0].state is TargetState.GONE)
        assert reason(over) == "TargetsGone"


async def test_a_device_that_vanishes_under_a_pod_ends_the_fault(
    client: Client, node: Node, wire: Wire, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "VANISHED_SECONDS", 0.2)
    async with agent(client, node, stage):
        await armed(stage)
        await asyncio.to_thread(rename, wire, "eth0", "away")
        over = await stage.until(lambda status: status.targets[0].state is TargetState.LIFTED)
        (target,) = over.targets
        assert reason(over) == "NotKeptUp"
        assert "device eth0 of relay-0 vanished" in (target.message or "")
        assert target.leftovers == []
        await asyncio.to_thread(rename, wire, "away", "eth0")


def rename(wire: Wire, old: str, new: str) -> None:
    """To whoever knew it by its name, the sender's device is another one."""
    for change in (["down"], ["name", new], ["up"]):
        device = new if change == ["up"] else old
        subprocess.run(["ip", "-n", wire.sender.name, "link", "set", device, *change], check=True)


@pytest.mark.parametrize("moments", range(0, 60, 4))
async def test_it_ends_whenever_it_is_told_to(client: Client, node: Node, stage: Stage, moments: int) -> None:
    await stage.inject({"spec.targets.0.address": "198.18.200"})
    async with asyncio.timeout(PATIENCE), agent(client, node, stage):
        for _ in range(moments):
            await asyncio.sleep(0.001)


@pytest.fixture
def victim() -> Iterator[Container]:
    """A container of the pod, with real processes in real cgroups."""
    with container(1 if trees(1) else 2) as made:
        yield made


def of_processes(victim: Container, **fault: Any) -> dict[str, Any]:
    """The changes that make the Injection one of a fault of processes."""
    target = {"pod": "relay-0", "uid": victim.uid, "address": SENDER, "containerId": victim.id}
    left_out = dict.fromkeys(("spec.ports", "spec.peers", "spec.packetLoss"), LEAVE_OUT)
    return {**left_out, "spec.targets": [target], **{f"spec.{kind}": spec for kind, spec in fault.items()}}


async def test_a_container_is_killed_and_that_is_proven(
    client: Client, node: Node, stage: Stage, victim: Container
) -> None:
    async with agent(client, node, stage):
        await armed(stage, of_processes(victim, containerKill={"signal": "SIGKILL"}))
        proven = await stage.until(lambda status: status.targets[0].proven)
        assert reason(proven) == "Active"
        await stage.lift()
        over = await stage.until(is_("Lifted"))
        assert "2 of 2 processes ended" in (over.message or "")
        assert over.backend in {"signals", "cgroup.kill"}
        assert over.targets[0].state is TargetState.LIFTED


@pytest.mark.parametrize("lifted", [False, True], ids=["", "lifted meanwhile"])
async def test_a_kill_that_an_earlier_life_may_have_done_is_not_done_again(
    client: Client, node: Node, stage: Stage, victim: Container, lifted: bool
) -> None:
    """The agent died between the signal and the first word on it: nothing in the API tells."""
    await stage.inject(of_processes(victim, containerKill={}))
    made = await client.get(INJECTION, stage.namespace, stage.name)
    AtMostOnce(stage.pod.proc.parent).begin(made["metadata"]["uid"])
    if lifted:
        await stage.lift()
    async with agent(client, node, stage):
        deadline = time.monotonic() + PATIENCE
        while reason(status := await stage.status()) != "AgentRestarted":
            assert time.monotonic() < deadline, status
            await stage.renew()
            await asyncio.sleep(0.1)
    assert len(victim.pids) == 2
    assert victim.runs()


async def test_a_kill_that_was_deleted_while_nobody_was_here_is_forgotten(
    client: Client, node: Node, stage: Stage, victim: Container
) -> None:
    once, uids = AtMostOnce(stage.pod.proc.parent), list[str]()
    for stage.name in ("deleted", "run"):
        await stage.inject(of_processes(victim, containerKill={}))
        uids.append((await client.get(INJECTION, stage.namespace, stage.name))["metadata"]["uid"])
        once.begin(uids[-1])
    await client.delete(INJECTION, stage.namespace, "deleted")
    async with agent(client, node, stage):
        await stage.until(is_("AgentRestarted"))
        deadline = time.monotonic() + PATIENCE
        while once.begun(uids[0]):
            assert time.monotonic() < deadline, "it is not forgotten"
            await asyncio.sleep(0.02)
        assert once.begun(uids[1])


async def test_what_is_frozen_goes_on_when_the_agent_ends(
    client: Client, node: Node, stage: Stage, victim: Container
) -> None:
    Changes(stage.pod.proc.parent).beat()
    async with agent(client, node, stage):
        await armed(stage, of_processes(victim, freeze={}))
        await stage.until(lambda status: status.targets[0].proven)
        assert victim.frozen
    over = await stage.status()
    assert reason(over) == "AgentStopped"
    assert over.targets[0].proven
    assert over.targets[0].state is TargetState.LIFTED
    assert victim.runs()


async def test_a_gate_opens_under_the_lease_follows_its_peers_and_stays_shut(
    client: Client, node: Node, wire: Wire, stage: Stage
) -> None:
    """A sender that waits for nobody: nothing of it passes but to the gate's peer, as long as that is one."""
    gate = {"spec.packetLoss": LEAVE_OUT, "spec.ports": [], "spec.peers": [RECEIVER, "198.18.200.9"]}
    async with agent(client, node, stage):
        await armed(stage, {**gate, "spec.floodGate": {"port": MEDIA, "size": 172}})
        with wire.ear() as ear:
            await asyncio.to_thread(wire.send, packets=100, per_second=2000)
            assert len(ear.packets()) == 100
            await stage.until(lambda status: bool(status.targets[0].proven))
            change = [{"op": "replace", "path": "/spec/peers", "value": ["198.18.200.9"]}]
            await client.patch(INJECTION, stage.namespace, stage.name, change)
            await stage.until(lambda status: status.observed_generation == 2)
            await asyncio.to_thread(wire.send, packets=100, per_second=2000)
            assert not ear.packets()
            await stage.lift()
            over = await stage.until(is_("Lifted"))
            await asyncio.to_thread(wire.send, packets=100, per_second=2000)
            assert not ear.packets()
    (target,) = over.targets
    assert target.last is not None
    assert (target.last.affected, target.leftovers) == (100, [])
    wire.forget_gates()
