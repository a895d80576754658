"""Pod cache: the pods of the namespaces that have rooms, from a Mirror of each, and the labels that these had last.

A proposal is made from them, no more: whoever acts looks again at what the act rests on, and whoever refuses at all.
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import NAMESPACE, POD
from showstopper.cluster.mirror import Mirror
from showstopper.cluster.supervision import for_ever
from showstopper.faults.containers import DEFAULT_CONTAINER


class PodCache:
    """The pods by namespace, each with the fields that planning needs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.labels: dict[str, Mapping[str, str]] = {}
        self._pods: dict[str, Mirror[Object]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, namespaces: Iterable[str]) -> None:
        """Watch these namespaces, and no others."""
        wanted = set(namespaces)
        for namespace in self._tasks.keys() - wanted:
            self._tasks.pop(namespace).cancel()
            self._pods.pop(namespace, None)
            self.labels.pop(namespace, None)
        for namespace in wanted - self._tasks.keys():
            pods = self._pods[namespace] = Mirror(self._client, POD, namespace, keep=slim)
            work = for_ever(f"watching the pods of {namespace}", partial(self._watch, namespace, pods))
            self._tasks[namespace] = asyncio.get_running_loop().create_task(work)

    def of(self, namespace: str) -> list[Object]:
        """The pods of a namespace, as they were told last; none if it is not followed, or was not listed yet."""
        pods = self._pods.get(namespace)
        return pods.all() if pods is not None else []

    async def look_at(self, namespace: str) -> Mapping[str, str]:
        """The labels that a namespace has now."""
        labels: Mapping[str, str] = (await self._client.get(NAMESPACE, "", namespace))["metadata"].get("labels", {})
        self.labels[namespace] = labels
        return labels

    async def _watch(self, namespace: str, pods: Mirror[Object]) -> None:
        await self.look_at(namespace)
        await pods.run()


def slim(pod: Mapping[str, Any]) -> Object:
    """The pod without what no plan reads: about a tenth of it."""
    metadata, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    ready = [condition for condition in status.get("conditions", ()) if condition["type"] == "Ready"]
    annotations = _some(metadata.get("annotations") or {}, DEFAULT_CONTAINER)
    return {
        "metadata": {
            **_some(metadata, "name", "namespace", "uid", "labels", "deletionTimestamp"),
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            **_some(spec, "hostNetwork"),
            "nodeName": spec.get("nodeName", ""),
            "containers": [_some(container, "name", "image", "ports") for container in spec.get("containers", ())],
        },
        "status": {
            **_some(status, "phase", "reason", "podIP", "podIPs", "hostIP", "hostIPs"),
            "conditions": [_some(condition, "type", "status") for condition in ready],
            "containerStatuses": [
                _some(container, "name", "imageID", "restartCount") for container in status.get("containerStatuses", ())
            ],
        },
    }


def _some(fields: Mapping[str, Any], *names: str) -> Object:
    return {name: fields[name] for name in names if name in fields}
