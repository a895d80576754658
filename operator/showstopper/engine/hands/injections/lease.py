"""The Lease of a run: everything that is injected expires with it unless it is renewed."""

import asyncio
import uuid

import structlog

from showstopper.api.injection import LEASE_SECONDS
from showstopper.api.run import ExperimentRun
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import LEASE
from showstopper.engine.hands.injections.asking import owned
from showstopper.errors import ClusterError, Conflict, NotFound

log = structlog.get_logger()

HOLDER = f"showstopper-{uuid.uuid4()}"
"""Another life of the operator is another holder: its clock need not agree with ours."""


class RunLease:
    """The Lease of one run, renewed in the background from `hold` to `let_go`."""

    def __init__(self, client: Client, clock: Clock, *, renew_seconds: float) -> None:
        self._client = client
        self._clock = clock
        self._renew_seconds = renew_seconds
        self._renewing: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether it is renewed."""
        return self._renewing is not None

    async def hold(self, run: ExperimentRun) -> None:
        """Make the Lease, or renew the one that exists, and begin to renew it. Does nothing if that has begun.

        Raises:
            Forbidden: the operator may not write Leases there: the chart was installed without agents.
            ClusterError: it could not be written.
        """
        if self._renewing is None:
            await self._make(run)
            self._renewing = asyncio.get_running_loop().create_task(self._renew_for_ever(run))

    def let_go(self) -> None:
        """Renew it no more: what nobody lifts expires by itself."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    async def _make(self, run: ExperimentRun) -> None:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": owned(run), "spec": self._spec()}
        try:
            await self._client.create(LEASE, body, brief=True)
        except Conflict:
            await self._renew(run)

    async def _renew(self, run: ExperimentRun) -> None:
        try:
            await self._client.patch(LEASE, *run.key, [{"op": "add", "path": "/spec", "value": self._spec()}])
        except NotFound:
            await self._make(run)

    async def _renew_for_ever(self, run: ExperimentRun) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self._renew(run)
            except ClusterError as error:  # tried again in time, or everything expires by itself
                log.warning("lease_not_renewed", run=run.metadata.name, error=str(error))

    def _spec(self) -> Object:
        return {
            "holderIdentity": HOLDER,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": to_timestamp(self._clock.now()),
        }
