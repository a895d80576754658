"""Leadership: one at a time, taken over when the other is dead, at once when it let go."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import LEASE
from showstopper.cluster.leadership import LEASE_SECONDS, Leadership
from showstopper.errors import Forbidden, Unavailable
from tests.cluster.wires import wired

pytestmark = pytest.mark.apiserver

TRIALS = 5
"""At the most, for as long as the machine is too busy to try what is to be tried."""


class Hands(Clock):
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.time = super().now()

    def now(self) -> float:
        return self.time


async def test_the_second_waits_until_the_first_lets_go(client: Client, namespace: str) -> None:
    clock = Hands()
    first, second = (
        Leadership(client, clock, namespace=namespace, identity=name, name="release") for name in ("first", "second")
    )
    assert await first.attempt()
    assert not await second.attempt()
    await first.release()
    assert await second.attempt()
    assert not await first.attempt()


async def test_a_dead_leader_is_replaced_after_a_whole_lease_without_a_renewal(client: Client, namespace: str) -> None:
    clock = Hands()
    dead, heir = (
        Leadership(client, clock, namespace=namespace, identity=name, name="death") for name in ("dead", "heir")
    )
    assert await dead.attempt()
    assert not await heir.attempt()
    clock.time += LEASE_SECONDS / 2
    assert await dead.attempt()
    clock.time += LEASE_SECONDS - 1
    assert not await heir.attempt()
    clock.time += LEASE_SECONDS + 1
    assert await heir.attempt()
    assert not await dead.attempt()


async def test_a_container_that_restarts_in_its_pod_leads_at_once(client: Client, namespace: str) -> None:
    for _ in range(2):
        assert await Leadership(client, Clock(), namespace=namespace, identity="pod-uid", name="restart").attempt()


async def test_a_leader_renews_in_one_write_and_sees_who_took_its_lease(client: Client, namespace: str) -> None:
    clock = Hands()
    leader, heir = (
        Leadership(client, clock, namespace=namespace, identity=name, name="renewal") for name in ("leader", "heir")
    )
    assert await leader.attempt()
    before = await client.get(LEASE, namespace, "renewal")
    clock.time += 2
    assert await leader.renew()
    after = await client.get(LEASE, namespace, "renewal")
    assert after["spec"]["renewTime"] > before["spec"]["renewTime"]
    assert after["spec"]["acquireTime"] == before["spec"]["acquireTime"]
    assert not await heir.attempt()
    clock.time += LEASE_SECONDS + 1
    assert await heir.attempt()
    assert not await leader.renew()


async def test_a_lease_that_was_deleted_is_made_anew_by_its_leader(client: Client, namespace: str) -> None:
    leader = Leadership(client, Clock(), namespace=namespace, identity="leader", name="deleted")
    assert await leader.attempt()
    await client.delete(LEASE, namespace, "deleted")
    assert await leader.renew()
    assert (await client.get(LEASE, namespace, "deleted"))["spec"]["holderIdentity"] == "leader"


async def test_while_the_api_server_is_away_it_waits_and_then_leads_at_once(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ended instead would be started again after the kubelet's back-off."""
    get, asked, away = client.get, asyncio.Event(), True

    async def answer(*words: Any) -> dict[str, Any]:
        if away:
            asked.set()
            raise Unavailable("no answer from the API server")
        return await get(*words)

    monkeypatch.setattr(client, "get", answer)
    acquiring = asyncio.create_task(
        Leadership(client, Clock(), namespace=namespace, identity="a", name="away").acquire()
    )
    await asyncio.wait_for(asked.wait(), 10)
    asked.clear()
    await asyncio.wait_for(asked.wait(), 10)
    assert not acquiring.done()
    away = False
    await asyncio.wait_for(acquiring, 10)


async def test_who_may_not_have_the_lease_ends_with_the_reason(server: ApiServer, namespace: str) -> None:
    async with await Client.connect(server.user("nobody-leads")) as stranger:
        leadership = Leadership(stranger, Clock(), namespace=namespace, identity="a", name="forbidden")
        with pytest.raises(Forbidden, match="nobody-leads"):
            await leadership.acquire()


async def test_a_leader_whose_renewals_get_no_answer_gives_up_before_another_may_lead(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Leadership(client, Clock(), namespace=namespace, identity="leader", name="hung")
    assert await leader.attempt()
    monkeypatch.setattr(client, "patch", hangs)
    began = time.monotonic()
    async with asyncio.timeout(30):
        await leader.hold()
    assert time.monotonic() - began < LEASE_SECONDS


async def hangs(*_: Any, **__: Any) -> None:
    """As a request on a connection that a firewall has forgotten, until its own time-out."""
    await asyncio.sleep(10)
    raise Unavailable("no answer from the API server")


async def test_one_connection_that_is_dead_costs_no_leadership(
    server: ApiServer, client: Client, namespace: str
) -> None:
    async with wired(server) as (wire, far):
        leader = Leadership(far, Clock(), namespace=namespace, identity="leader", name="dead-wire")
        assert await leader.attempt()
        before = (await client.get(LEASE, namespace, "dead-wire"))["spec"]["renewTime"]
        wire.silence()
        holding = asyncio.create_task(leader.hold())
        async with asyncio.timeout(LEASE_SECONDS):
            while (await client.get(LEASE, namespace, "dead-wire"))["spec"]["renewTime"] == before:
                await asyncio.sleep(0.1)
        assert not holding.done()
        holding.cancel()


class SlowAnswers:
    """The API server, which does at once what it is asked, and answers so many seconds after it was asked.

    Attributes:
        slower: an answer of its own took longer than that, or did not come: this machine has no time for it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, client: Client, seconds: float) -> None:
        self._seconds = seconds
        self.slower = asyncio.Event()
        for name in ("patch", "get"):
            monkeypatch.setattr(client, name, partial(self._late, getattr(client, name)))

    async def _late(self, call: Callable[..., Awaitable[dict[str, Any]]], *words: Any) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        overdue = loop.call_later(self._seconds, self.slower.set)
        try:
            answer = await call(*words)
        finally:
            overdue.cancel()
        await asyncio.sleep(overdue.when() - loop.time())
        return answer


@pytest.mark.parametrize("seconds", [0.7, 1.4])
async def test_an_api_server_that_is_slow_to_answer_costs_no_leadership(
    client: Client, namespace: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """It has written each renewal by then, so that another try finds a Lease that is not as it was left."""
    for trial in range(TRIALS):
        leader = Leadership(client, Clock(), namespace=namespace, identity="leader", name=f"slow-{trial}")
        assert await leader.attempt()
        with monkeypatch.context() as patches:
            answers = SlowAnswers(patches, client, seconds)
            done, _ = await asyncio.wait({holding := asyncio.create_task(leader.hold())}, timeout=2 * LEASE_SECONDS)
            holding.cancel()
        if not (done and answers.slower.is_set()):
            break
    assert not done, "the leadership is lost"
