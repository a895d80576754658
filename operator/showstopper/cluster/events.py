"""Events: what happened, on the resource that the user looks at."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import structlog

from showstopper.api.reasons import Reason
from showstopper.api.schema.base import API_VERSION, Resource
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EVENT
from showstopper.errors import ClusterError, Conflict

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Announcement:
    """What people are told once: reason, note, what was done (CamelCase), and whether it is a warning."""

    reason: Reason
    note: str
    action: str
    warning: bool


class Events:
    """Writes events.k8s.io/v1 Events. One that cannot be written is logged, and raises nothing."""

    def __init__(self, client: Client, clock: Clock, instance: str) -> None:
        self._client = client
        self._clock = clock
        self._instance = instance
        self._telling: set[asyncio.Task[None]] = set()

    def tell(
        self,
        regarding: Resource,
        reason: str,
        note: str,
        *,
        action: str,
        kind: Literal["Normal", "Warning"] = "Normal",
    ) -> None:
        """Publish one event, and do not wait for it."""
        task = asyncio.get_running_loop().create_task(self.publish(regarding, reason, note, action=action, kind=kind))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def publish_all(self, regarding: Resource, announcements: Iterable[Announcement]) -> None:
        """Publish one event after the other."""
        for each in announcements:
            kind: Literal["Normal", "Warning"] = "Warning" if each.warning else "Normal"
            await self.publish(regarding, each.reason, each.note, action=each.action, kind=kind)

    async def publish(
        self,
        regarding: Resource,
        reason: str,
        note: str,
        *,
        action: str,
        kind: Literal["Normal", "Warning"] = "Normal",
    ) -> None:
        """Publish one event. `reason` and `action` are CamelCase. The note is for a person, up to 1 kB."""
        now = self._clock.now()
        metadata = regarding.metadata
        digest = hashlib.sha256(f"{metadata.uid}{reason}{note}{now}".encode()).hexdigest()[:16]
        body = {
            "apiVersion": EVENT.group_version,
            "kind": EVENT.name,
            "metadata": {"name": f"{metadata.name[:40]}.{digest}", "namespace": metadata.namespace},
            "eventTime": to_timestamp(now),
            "reportingController": "showstopper.dev/operator",
            "reportingInstance": self._instance[:128],
            "action": action,
            "reason": reason,
            "type": kind,
            "note": note[:1000],
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": regarding.kind,
                "namespace": metadata.namespace,
                "name": metadata.name,
                "uid": metadata.uid,
            },
        }
        try:
            await self._client.create(EVENT, body, brief=True)
        except Conflict:
            pass  # the very same event was written already
        except ClusterError as error:
            log.warning("event_not_written", reason=reason, object=metadata.name, error=str(error))
