"""The agents as a hand: one Injection per fault and node, alive only as long as the run's Lease is renewed."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

from showstopper.api.injection import Injection
from showstopper.api.room import Component
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import INJECTION, LEASE, POD, SERVICE, Kind
from showstopper.engine.hands.agent.injection_cache import InjectionWatch, Told
from showstopper.engine.hands.agent.injections import owned
from showstopper.errors import Conflict, NotFound

LEASE_SECONDS = 10
"""What a renewal is worth (DESIGN.md, section 3); agents count it on their own clock."""


class AgentHand:
    """Makes Injections and the Lease that they live under, and removes both. What agents do is in their statuses."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client = client
        self.injections = InjectionWatch(client)
        self._clock = clock
        # Another life of the operator is another holder: its clock need not agree with ours.
        self._holder = f"showstopper-{uuid.uuid4()}"

    async def hold(self, run: ExperimentRun) -> None:
        """Make the run's Lease; one that is there is renewed."""
        try:
            await self.client.create(
                LEASE,
                {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": owned(run),
                    "spec": self._renewal(),
                },
                brief=True,
            )
        except Conflict:
            await self.renew(run)

    async def renew(self, run: ExperimentRun) -> None:
        """Renew the run's Lease, which is made if there is none."""
        try:
            await self.client.patch(LEASE, *run.key, [{"op": "add", "path": "/spec", "value": self._renewal()}])
        except NotFound:
            await self.hold(run)

    def told(self, run: ExperimentRun, news: Callable[[], None]) -> Told:
        """The run's Injections as they are now, and from now on; `news` is called whenever one changes."""
        return self.injections.told(run, news)

    async def start(self, bodies: Iterable[Object]) -> None:
        """Ask the agents, all at once; what was asked for before is not asked for again."""
        await asyncio.gather(*(self._start(body) for body in bodies))

    async def _start(self, body: Object) -> None:
        with contextlib.suppress(Conflict):
            self.injections.see(await self.client.create(INJECTION, body))

    async def lift(self, injection: Injection) -> None:
        """Ask the agent to end it now."""
        operations: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": injection.metadata.uid},
            {"op": "add", "path": "/spec/lift", "value": True},
        ]
        with contextlib.suppress(NotFound, Conflict):  # who deletes an Injection ends it too
            self.injections.see(await self.client.patch(INJECTION, *injection.key, operations))

    async def follow(self, injection: Injection, peers: Sequence[str]) -> None:
        """Have it mean these peers from now on."""
        operations: list[Object] = [
            {"op": "test", "path": "/metadata/uid", "value": injection.metadata.uid},
            {"op": "add", "path": "/spec/peers", "value": list(peers)},
        ]
        with contextlib.suppress(NotFound, Conflict):
            self.injections.see(await self.client.patch(INJECTION, *injection.key, operations))

    async def forget(self, run: ExperimentRun, injections: Sequence[Injection]) -> None:
        """Delete what has been lifted, and the Lease."""
        gone = (self._delete(INJECTION, *one.key, uid=one.metadata.uid) for one in injections)
        await asyncio.gather(*gone, self._delete(LEASE, *run.key))

    async def addresses(self, namespace: str, components: Sequence[Component]) -> tuple[str, ...]:
        """The addresses of these components' pods, and of the Services that lead to them."""
        pods, services = await asyncio.gather(self.client.list(POD, namespace), self.client.list(SERVICE, namespace))
        wanted = [component.selector.match_labels for component in components]
        chosen = [pod for pod in pods if any(_carries(pod, labels) for labels in wanted)]
        found = {pod.get("status", {}).get("podIP") for pod in chosen}
        for service in services:
            selector = service["spec"].get("selector") or {}
            if selector and any(_carries(pod, selector) for pod in chosen):
                found |= set(service["spec"].get("clusterIPs") or ())
        return tuple(sorted(address for address in found if address and address != "None"))

    def _renewal(self) -> Object:
        return {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": to_timestamp(self._clock.now()),
        }

    async def _delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        with contextlib.suppress(NotFound, Conflict):  # gone already, or another one of that name
            await self.client.delete(kind, namespace, name, uid=uid)


def _carries(pod: Mapping[str, Mapping[str, object]], labels: Mapping[str, str]) -> bool:
    held = pod["metadata"].get("labels") or {}
    assert isinstance(held, Mapping)
    return labels.items() <= held.items()
