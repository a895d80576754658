"""Leadership: one active operator, by a coordination.k8s.io Lease. An operator that loses it ends its process."""

import asyncio
from typing import Any

import structlog

from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import LEASE
from showstopper.errors import ClusterError, Conflict, NotFound, Unavailable

log = structlog.get_logger()

LEASE_SECONDS = 6
RENEW_SECONDS = 2.0
ATTEMPT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
"""A renewal takes milliseconds. Beside one that gets no answer in this time another is tried, on another connection."""

GIVE_UP_SECONDS = 5.0
"""A leader that could not renew for this long must have stopped before another may take over."""


class Leadership:
    """The leader's Lease. `identity` is the pod's UID: a container that restarts in place is the same holder."""

    def __init__(
        self, client: Client, clock: Clock, *, namespace: str, identity: str, name: str = "showstopper"
    ) -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace
        self._identity = identity
        self._name = name
        self._lease: dict[str, Any] = {}
        self._renewed = 0.0
        # The other holder's last renewal, as text, and when we first saw it: foreign clocks are not trusted.
        self._seen: tuple[str, float] = ("", 0.0)

    async def acquire(self) -> None:
        """Return once this process leads.

        It waits for as long as the API server is away: a process that ends itself is started again only after the
        kubelet's back-off, which grows to five minutes.

        Raises:
            ClusterError: the API server refuses, such as for want of a Role.
        """
        while not await self._attempt_or_wait():
            await asyncio.sleep(ATTEMPT_SECONDS)
        log.info("leading", lease=self._name, identity=self._identity)

    async def _attempt_or_wait(self) -> bool:
        try:
            return await self.attempt()
        except Unavailable as error:
            log.warning("lease_not_acquired", error=str(error))
            return False

    async def hold(self) -> None:
        """Renew, and return when leadership is lost.

        Leadership ends by our own clock, also in the middle of a renewal: a request may wait for its answer for longer
        than the whole lease, and meanwhile another operator takes over.
        """
        pause = RENEW_SECONDS
        while (left := self._left()) > 0:
            await asyncio.sleep(min(pause, left))
            try:
                if not await self._renew_in_time():
                    break
                pause = RENEW_SECONDS
            except (ClusterError, TimeoutError) as error:
                log.warning("lease_not_renewed", error=str(error) or "no answer in time")
                pause = ATTEMPT_SECONDS
        log.error("leadership_lost", lease=self._name)

    async def _renew_in_time(self) -> bool:
        """Renew while this process leads. A connection may be dead, or the API server slow: the first answer counts.

        The first try goes on beside the second. Were it given up, a server that takes longer than that would be given
        up as well, which has written the renewal by then. There are two and no more: of three, one could take what
        another one has written for somebody else's.

        Raises:
            TimeoutError: there was no answer in time.
            ClusterError: as `renew`.
        """
        renewals: set[asyncio.Task[bool]] = set()
        try:
            for patience in (ANSWER_SECONDS, GIVE_UP_SECONDS):
                renewals.add(asyncio.create_task(self.renew()))
                answered, _ = await asyncio.wait(
                    renewals,
                    timeout=max(0.0, min(patience, self._left())),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if answered:
                    results = [renewal.result() for renewal in answered]
                    return any(results)
            raise TimeoutError
        finally:
            for renewal in renewals:
                renewal.cancel()

    def _left(self) -> float:
        """For how many seconds more this process leads without another renewal."""
        return GIVE_UP_SECONDS - (self._clock.now() - self._renewed)

    async def renew(self) -> bool:
        """Renew in one write, for the Lease should be as we left it. Else read it. Returns False if it is lost."""
        now = self._clock.now()
        try:
            await self._write({**self._lease["spec"], "renewTime": to_timestamp(now)})
        except (Conflict, NotFound):
            return await self.attempt()
        self._renewed = now
        return True

    async def release(self) -> None:
        """Let a successor take over at once."""
        spec = {**self._lease.get("spec", {}), "holderIdentity": ""}
        try:
            await self._write(spec)
        except ClusterError as error:
            log.warning("lease_not_released", error=str(error))

    async def attempt(self) -> bool:
        """Take or renew the Lease. Returns False while another holds it."""
        try:
            self._lease = await self._client.get(LEASE, self._namespace, self._name)
        except NotFound:
            self._lease = {}
        spec = self._lease.get("spec", {})
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._expired(spec):
            return False
        now = self._clock.now()
        acquired = spec.get("acquireTime") if holder == self._identity else None
        try:
            await self._write(
                {
                    "holderIdentity": self._identity,
                    "leaseDurationSeconds": LEASE_SECONDS,
                    "acquireTime": acquired or to_timestamp(now),
                    "renewTime": to_timestamp(now),
                    "leaseTransitions": int(spec.get("leaseTransitions", 0)) + (holder != self._identity),
                }
            )
        except Conflict:
            return False
        self._renewed = now
        return True

    async def _write(self, spec: dict[str, Any]) -> None:
        if not self._lease:
            metadata = {"name": self._name, "namespace": self._namespace}
            body = {"apiVersion": LEASE.group_version, "kind": LEASE.name, "metadata": metadata, "spec": spec}
            self._lease = await self._client.create(LEASE, body)
            return
        version = self._lease["metadata"]["resourceVersion"]
        operations = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/spec", "value": spec},
        ]
        self._lease = await self._client.patch(LEASE, self._namespace, self._name, operations)

    def _expired(self, spec: dict[str, Any]) -> bool:
        """Whether the other holder has not renewed for a whole lease, on our own clock."""
        renewal, now = str(spec.get("renewTime")), self._clock.now()
        if renewal != self._seen[0]:
            self._seen = (renewal, now)
            # A renewal that is long past by wall time is one of a dead operator: no need to watch it first.
            return renewal != "None" and now - from_timestamp(renewal) > 2 * LEASE_SECONDS
        return now - self._seen[1] > LEASE_SECONDS
