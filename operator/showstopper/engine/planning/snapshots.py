"""Snapshots: what a plan is made from: a namespace's label and pods, and what listeners report.

A look asks the API. On the way to an injection that is too slow: a consistent list of pods waits up to 100 ms for the
API server's own cache. So a plan is proposed from what a watch told, and `confirm` reads what it rests on, afresh and
from the store, while the run is being created: the delete waits for both. A refusal never comes from memory.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from showstopper.api.experiment import Fault
from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD
from showstopper.engine.planning import backing, plan, planner, policies
from showstopper.engine.planning.plan import Plan, Snapshot
from showstopper.engine.rooms import Rooms, deployed
from showstopper.engine.rooms.pods import MediaAddress, images, of_component
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.errors import Forbidden, InvalidResource, NotFound
from showstopper.faults.effects import Pod

MOST_SINGLE_READS = 8
"""Beyond this many, one list is cheaper for the API server than asking for each pod."""


class Snapshots:
    """Looks at the rooms' namespaces and pods."""

    def __init__(self, client: Client, clock: Clock, rooms: Rooms) -> None:
        self._client = client
        self._clock = clock
        self._rooms = rooms
        self._pod_cache = rooms.pod_cache

    def follow(self, namespaces: Iterable[str]) -> None:
        """Remember the pods of these namespaces, and of no others."""
        self._pod_cache.follow(namespaces)

    def remembered(self, namespace: str) -> list[Object]:
        """The pods of a followed namespace, as they were told last."""
        return self._pod_cache.of(namespace)

    def add_observer(self, observer: Callable[[str], None]) -> None:
        """Call it with a namespace whenever a pod or a workload in it changes."""
        self._pod_cache.add_observer(observer)

    def is_synced(self, namespace: str) -> bool:
        """Whether all pods and workloads of the namespace are remembered as they are now."""
        return self._pod_cache.is_synced(namespace)

    async def synced(self, namespace: str, timeout: float) -> bool:
        """Wait until all pods and workloads of the namespace were listed once. False: they are not known now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._pod_cache.synced(namespace)
        return self.is_synced(namespace)

    async def refresh(self, namespace: str) -> None:
        """Read the workloads of the namespace afresh.

        Raises:
            ClusterError: they could not be read.
        """
        await self._pod_cache.refresh(namespace)

    def remembered_release(self, room: AudioRoom, components: Collection[str] = ()) -> DeployedReleases:
        """What the room's components run, as it was told last.

        Raises:
            InvalidResource: when a component names a container that its pods do not have.
        """
        namespace = room.metadata.namespace
        workloads = self._pod_cache.workloads(namespace)
        return deployed.of(room, self.remembered(namespace), workloads, components)

    async def of_run(self, run: ExperimentRun) -> Snapshot:
        """The snapshot of a run, by the room as it was declared when the run was asked for."""
        snapshot, _ = await self.look(run.room, run.spec.faults)
        return snapshot

    async def deployed(self, run: ExperimentRun) -> DeployedReleases:
        """What the components of a run's room run now, afresh.

        Raises:
            InvalidResource: when a component names a container that its pods do not have.
        """
        return await deployed.look(self._client, run.room)

    async def plan(self, room: AudioRoom, faults: Sequence[Fault], seed: int) -> tuple[Plan, list[ComponentImage]]:
        """The plan, and the images of the room's components: from memory if that may be carried out, else looked at."""
        namespace = room.metadata.namespace
        if (labels := self._pod_cache.labels.get(namespace)) is not None and not backing.is_needed(faults):
            snapshot, release = self._snapshot(room, faults, labels, self.remembered(namespace))
            if policies.refusal(made := plan.make(snapshot, faults, seed)) is None:
                return made, release
        snapshot, release = await self.look(room, faults)
        return plan.make(snapshot, faults, seed), release

    async def look(self, room: AudioRoom, faults: Sequence[Fault]) -> tuple[Snapshot, list[ComponentImage]]:
        """The snapshot for some faults as the API has it now, and the images that the room's components run."""
        snapshot, pods = await planner.look(self._client, room, faults, self._serving(room))
        self._pod_cache.labels[room.metadata.namespace] = snapshot.namespace_labels
        return snapshot, _images(room, pods)

    async def objection(self, made: Plan, room: AudioRoom) -> Finding | None:
        """Why a plan may not be carried out, its peers looked up afresh."""
        if (refused := policies.refusal(made)) is not None:
            return refused
        try:
            return planner.objection(made, await planner.read_peers(self._client, room, made))
        except Forbidden as error:  # the operator may list Services only where there are agents
            return policies.agents_disabled(error)

    async def confirm(self, made: Plan, room: AudioRoom) -> Finding | None:
        """Read afresh what a plan rests on. Returns why it may not be carried out, after a look at everything."""
        carriers = plan.rests_on(made)
        if carriers is not None and len(carriers) <= MOST_SINGLE_READS:
            labels, pods = await asyncio.gather(
                self._pod_cache.look_at(made.snapshot.namespace), asyncio.gather(*map(self._pod, carriers))
            )
            there = [pod for pod in pods if pod is not None]
            snapshot, _ = self._snapshot(room, [planned.fault for planned in made.faults], labels, there)
            if await self.objection(_renewed(made, snapshot), room) is None:
                return None
        snapshot, _ = await self.look(room, [planned.fault for planned in made.faults])
        return await self.objection(_renewed(made, snapshot), room)

    async def _pod(self, pod: Pod) -> Object | None:
        try:
            return await self._client.get(POD, pod.namespace, pod.name)
        except NotFound:
            return None

    def _snapshot(
        self, room: AudioRoom, faults: Sequence[Fault], labels: Mapping[str, str], pods: list[Object]
    ) -> tuple[Snapshot, list[ComponentImage]]:
        snapshot = planner.snapshot(room, faults, labels=labels, pods=pods, serving=self._serving(room))
        return snapshot, _images(room, pods)

    def _serving(self, room: AudioRoom) -> Mapping[MediaAddress, int]:
        live = self._rooms.find(*room.key)
        return live.serving(self._clock.now()) if live is not None else {}


def _images(room: AudioRoom, pods: Sequence[Object]) -> list[ComponentImage]:
    """The images of the room's components; none if the room names a container that is not there, or should name one."""
    try:
        return images(room, {component.name: of_component(component, pods) for component in room.spec.components})
    except InvalidResource:  # the room's own status says what is wrong with it; no gate opens without a release
        return []


def _renewed(made: Plan, snapshot: Snapshot) -> Plan:
    """The same choice in a newer snapshot. Which pods serve stays as the listeners reported it."""
    faults = [planned.fault for planned in made.faults]
    newer = replace(snapshot, serving=made.snapshot.serving, servers=made.snapshot.servers)
    return plan.again(newer, faults, plan.chosen(made), made.seed)
