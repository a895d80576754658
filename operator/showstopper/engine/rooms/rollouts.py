"""Rollouts: whether the workloads behind a room's pods are still replacing them with others."""

from collections.abc import Iterable, Mapping
from typing import Any

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import DAEMON_SET, DEPLOYMENT, REPLICA_SET, STATEFUL_SET, Kind
from showstopper.errors import NotFound

_WORKLOADS = {kind.name: kind for kind in (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET)}


async def under_way(client: Client, namespace: str, pods: Iterable[Object]) -> str | None:
    """The first workload behind these pods that is being rolled out, for a person. None if there is none.

    Only the workloads of Kubernetes itself are known: pods of others are taken as they are.
    """
    seen: set[tuple[str, str]] = set()
    waiting = {owner for pod in pods for owner in _owners(pod)}
    while waiting:
        kind, name = owner = min(waiting)
        waiting.discard(owner)
        seen.add(owner)
        try:
            body = await client.get(_WORKLOADS[kind], namespace, name)
        except NotFound:
            continue
        if rolling(_WORKLOADS[kind], body):
            return f"{kind} {name}"
        waiting |= _owners(body) - seen
    return None


def rolling(kind: Kind, body: Mapping[str, Any]) -> bool:
    """Whether a workload has pods to replace, as `kubectl rollout status` has it. Unready pods alone are no rollout."""
    spec, status = body["spec"], body.get("status", {})
    if kind is REPLICA_SET:
        return False  # it replaces what dies, and changes nothing
    if status.get("observedGeneration", 0) < body["metadata"].get("generation", 0):
        return True
    if kind is DAEMON_SET:
        return bool(status.get("updatedNumberScheduled", 0) < status.get("desiredNumberScheduled", 0))
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if kind is STATEFUL_SET:
        same = status.get("currentRevision") == status.get("updateRevision")
        return bool(not same and updated < wanted)
    return bool(updated < wanted or status.get("replicas", 0) > updated)


def _owners(body: Mapping[str, Any]) -> set[tuple[str, str]]:
    owners = body["metadata"].get("ownerReferences") or ()
    return {
        (owner["kind"], owner["name"]) for owner in owners if owner.get("controller") and owner["kind"] in _WORKLOADS
    }
