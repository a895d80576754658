"""Pod cache: pods and workloads of the namespaces that have rooms, from Mirrors, and the labels that these had last.

A proposal is made from them, no more: whoever acts looks again at what the act rests on, and whoever refuses at all.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import NAMESPACE, POD, Kind
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.cluster.supervision import for_ever
from showstopper.engine.rooms import probes, rollouts
from showstopper.engine.rooms.rollouts import Rollout, Workload
from showstopper.faults.containers import DEFAULT_CONTAINER

ROLLED_OUT_SECONDS = 1.0
"""Watches are milliseconds apart; a loaded API server may be a second late."""


class PodCache:
    """The pods and workloads by namespace, each with the fields that planning, rooms and releases need."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._observers: list[Callable[[str], None]] = []
        self._rolling_at: dict[str, dict[tuple[str, str], float]] = {}
        self._observed: dict[str, dict[tuple[str, str], str]] = {}
        self.labels: dict[str, Mapping[str, str]] = {}
        self._pods: dict[str, Mirror[Object]] = {}
        self._workloads: dict[str, list[Mirror[Workload]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._followed = asyncio.Event()

    def add_observer(self, observer: Callable[[str], None]) -> None:
        """Call it with a namespace whenever a pod or a workload in it changes."""
        self._observers.append(observer)

    def follow(self, namespaces: Iterable[str]) -> None:
        """Watch these namespaces, and no others."""
        wanted = set(namespaces)
        for namespace in self._tasks.keys() - wanted:
            self._tasks.pop(namespace).cancel()
            self._pods.pop(namespace, None)
            self._workloads.pop(namespace, None)
            self._rolling_at.pop(namespace, None)
            self._observed.pop(namespace, None)
            self.labels.pop(namespace, None)
        for namespace in wanted - self._tasks.keys():
            self._pods[namespace] = Mirror(
                self._client, POD, namespace, keep=slim, on_change=lambda change: self._tell(change.key[0])
            )
            self._workloads[namespace] = [
                Mirror(self._client, kind, namespace, keep=partial(self._read, kind), on_change=self._take)
                for kind in rollouts.KINDS
            ]
            self._tasks[namespace] = asyncio.get_running_loop().create_task(self._follow(namespace))
        self._followed.set()

    def of(self, namespace: str) -> list[Object]:
        """The pods of a namespace, as they were told last; none if it is not followed, or was not listed yet."""
        pods = self._pods.get(namespace)
        return pods.all() if pods is not None else []

    def workloads(self, namespace: str) -> list[Workload]:
        """The Deployments, StatefulSets and DaemonSets of a followed namespace, as they were told last.

        Pods and workloads come by two watches, and either may be late: for a second after a rollout it goes on.
        """
        known = [workload for mirror in self._workloads.get(namespace, ()) for workload in mirror.all()]
        return [self._held_back(namespace, workload) for workload in known]

    def _held_back(self, namespace: str, workload: Workload) -> Workload:
        rolling_at = self._rolling_at.get(namespace, {}).get(workload.owner, float("-inf"))
        if workload.rollout is not None or asyncio.get_running_loop().time() - rolling_at >= ROLLED_OUT_SECONDS:
            return workload
        return replace(workload, rollout=Rollout(f"{workload.kind} {workload.name} has just been rolled out"))

    def is_synced(self, namespace: str) -> bool:
        """Whether all pods and workloads of the namespace are known now: they were listed, and are watched."""
        pods = self._pods.get(namespace)
        return pods is not None and pods.is_synced and all(each.is_synced for each in self._workloads[namespace])

    async def synced(self, namespace: str) -> None:
        """Wait until all pods and workloads of a followed namespace are known. Of any other one nothing ever is."""
        if (pods := self._pods.get(namespace)) is not None:
            await pods.synced()
            for workloads in self._workloads[namespace]:
                await workloads.synced()

    async def pods_synced(self, namespace: str) -> None:
        """Wait until the namespace is followed, and all of its pods are known."""
        while (pods := self._pods.get(namespace)) is None:
            self._followed.clear()
            await self._followed.wait()
        await pods.synced()

    async def refresh(self, namespace: str) -> None:
        """Read the workloads afresh: what has changed until now is known then.

        Raises:
            ClusterError: they could not be read.
        """
        for kind, mirror in zip(rollouts.KINDS, self._workloads.get(namespace, ()), strict=False):
            for body in await self._client.list(kind, namespace):
                mirror.learn(body)

    async def look_at(self, namespace: str) -> Mapping[str, str]:
        """The labels that a namespace has now."""
        labels: Mapping[str, str] = (await self._client.get(NAMESPACE, "", namespace))["metadata"].get("labels", {})
        self.labels[namespace] = labels
        return labels

    async def _follow(self, namespace: str) -> None:
        async with asyncio.TaskGroup() as group:
            watching = partial(self._watch, namespace, self._pods[namespace])
            group.create_task(for_ever(f"watching the pods of {namespace}", watching))
            for kind, mirror in zip(rollouts.KINDS, self._workloads[namespace], strict=True):
                group.create_task(for_ever(f"watching the {kind.plural} of {namespace}", mirror.run))

    async def _watch(self, namespace: str, pods: Mirror[Object]) -> None:
        await self.look_at(namespace)
        await pods.run()

    def _read(self, kind: Kind, body: Mapping[str, Any]) -> Workload:
        """A workload whose template was observed, and of which only the number of pods changes, is not rolled out."""
        observed = self._observed.setdefault(body["metadata"]["namespace"], {})
        owner = kind.name, str(body["metadata"]["name"])
        workload = rollouts.read(kind, body, observed=observed.get(owner, ""))
        if rollouts.is_observed(body):
            observed[owner] = workload.template
        return workload

    def _take(self, change: Change[Workload]) -> None:
        namespace, workload = change.key[0], change.value
        rolling_at = self._rolling_at.setdefault(namespace, {})
        if change.type is ChangeType.DELETED:
            rolling_at.pop(workload.owner, None)
            self._observed.get(namespace, {}).pop(workload.owner, None)
        elif workload.rollout is not None:
            rolling_at[workload.owner] = asyncio.get_running_loop().time()
        self._tell(namespace)

    def _tell(self, namespace: str) -> None:
        for observer in self._observers:
            observer(namespace)


def slim(pod: Mapping[str, Any]) -> Object:
    """The pod without what no plan reads: about a tenth of it."""
    metadata, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    ready = [condition for condition in status.get("conditions", ()) if condition["type"] == "Ready"]
    annotations = _some(metadata.get("annotations") or {}, DEFAULT_CONTAINER)
    return {
        "metadata": {
            **_some(metadata, "name", "namespace", "uid", "labels", "creationTimestamp"),
            **_some(metadata, "deletionTimestamp", "deletionGracePeriodSeconds"),
            **({"annotations": annotations} if annotations else {}),
            **_each(metadata, "ownerReferences", "kind", "name", "controller"),
        },
        "spec": {
            **_some(spec, "hostNetwork"),
            "nodeName": spec.get("nodeName", ""),
            "containers": [
                {**_some(container, "name", "image", "ports"), **probes.slim(container)}
                for container in spec.get("containers", ())
            ],
            **_init_containers(spec),
        },
        "status": {
            **_some(status, "phase", "reason", "podIP", "podIPs", "hostIP", "hostIPs"),
            "conditions": [_some(condition, "type", "status") for condition in ready],
            "containerStatuses": [
                _some(container, "name", "imageID", "restartCount") for container in status.get("containerStatuses", ())
            ],
            **_each(status, "initContainerStatuses", "name", "imageID"),
        },
    }


def _init_containers(spec: Mapping[str, Any]) -> Object:
    """Those that are sidecars have probes, and ports for them."""
    kept = [
        {**_some(container, "name", "image", "restartPolicy"), **asked, **(_some(container, "ports") if asked else {})}
        for container in spec.get("initContainers") or ()
        for asked in [probes.slim(container)]
    ]
    return {"initContainers": kept} if kept else {}


def _each(fields: Mapping[str, Any], name: str, *kept: str) -> Object:
    """That list, if there is one, and of its entries what is kept."""
    return {name: [_some(entry, *kept) for entry in fields[name]]} if fields.get(name) else {}


def _some(fields: Mapping[str, Any], *names: str) -> Object:
    return {name: fields[name] for name in names if name in fields}
