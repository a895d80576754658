"""The crowd at the API server: the Jobs of a run's faults, and their pods."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from showstopper.api.injection import LEASE_LABEL, InjectionTarget
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import JOB, POD
from showstopper.engine.hands.crowd import job
from showstopper.engine.hands.crowd.job import CrowdPod
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.pods import is_over
from showstopper.errors import Conflict, NotFound


class CrowdJobs:
    """Starts the Jobs of faults, finds their pods, and ends them. They need nobody to end by themselves."""

    def __init__(
        self, client: Client, clock: Clock, images: Images, remembered: Callable[[str], Sequence[Object]]
    ) -> None:
        self._client, self._clock, self._images = client, clock, images
        self._remembered = remembered

    async def start(self, run: ExperimentRun, planned: PlannedFault) -> None:
        """Start the Job of one fault. The one that was started before is not started again."""
        with contextlib.suppress(Conflict):
            await self._client.create(JOB, job.job(run, planned, self._images, self._clock.now()), brief=True)

    async def all(self, run: ExperimentRun, faults: Iterable[str]) -> dict[str, CrowdPod]:
        """The pods of these faults as they are now, by fault."""
        pods = await self._client.list(POD, run.metadata.namespace, labels={LEASE_LABEL: run.metadata.name})
        return {fault: job.pod_of(run, fault, pods) for fault in faults}

    async def end(self, run: ExperimentRun, fault: str) -> bool:
        """Delete a fault's Job with its pod. Returns whether both are gone. Call it again until they are."""
        namespace, name = run.metadata.namespace, job.name(run, fault)
        try:
            body = await self._client.get(JOB, namespace, name)
        except NotFound:
            return True
        if not any(owner["uid"] == run.metadata.uid for owner in body["metadata"].get("ownerReferences", ())):
            return True  # somebody else's
        if "deletionTimestamp" not in body["metadata"]:
            with contextlib.suppress(NotFound, Conflict):
                await self._client.delete(JOB, namespace, name, uid=body["metadata"]["uid"], foreground=True)
        return False

    async def lost(self, run: ExperimentRun, targets: Sequence[InjectionTarget]) -> set[str]:
        """UIDs of targets that are gone or lost their address. The pod cache raises a doubt, the API settles it."""
        namespace = run.metadata.namespace
        pods = {body["metadata"]["uid"]: body for body in self._remembered(namespace)}
        doubtful = [target for target in targets if not _holds(pods.get(target.uid), target)]
        there = await asyncio.gather(*(self._pod(namespace, target.pod) for target in doubtful))
        return {target.uid for target, body in zip(doubtful, there, strict=True) if not _holds(body, target)}

    async def _pod(self, namespace: str, name: str) -> Object | None:
        try:
            return await self._client.get(POD, namespace, name)
        except NotFound:
            return None


def _holds(body: Mapping[str, Any] | None, target: InjectionTarget) -> bool:
    """Whether that very pod has the target's address. One that has ended has given it back."""
    if body is None or body["metadata"]["uid"] != target.uid:
        return False
    return body.get("status", {}).get("podIP") == target.address and not is_over(body)
