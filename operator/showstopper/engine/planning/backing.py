"""Backing: the workloads behind a component's pods, for faults that change these. Read only where a fault needs it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim
from showstopper.api.room import AudioRoom, Component
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NODE, POD_AUTOSCALER, Kind
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.engine.rooms import rollouts
from showstopper.engine.rooms.pods import is_over, of_component
from showstopper.errors import Forbidden, NotFound
from showstopper.faults.effects import Backing, ConfigMap, Node, Pod, Workload
from showstopper.faults.workloads import fields

Known = tuple[Kind, Object]
"""A workload as the API has it, with its kind."""


def is_needed(faults: Iterable[Fault]) -> bool:
    """Whether a plan of these faults needs to know what is behind the pods."""
    return any(fault.spec.aims_at.behind_pods for fault in faults)


async def look(
    client: Client, room: AudioRoom, faults: Sequence[Fault], pods: Sequence[Object], facts: Callable[[Object], Pod]
) -> Mapping[str, Backing] | None:
    """What is behind the components that faults aim at, by component, as the API server has it now. None: not needed.

    `facts` makes of a pod as the API has it one as faults need it.

    Raises:
        ClusterError: workloads or autoscalers could not be listed.
    """
    if not is_needed(faults):
        return None
    namespace = room.metadata.namespace
    *listed, scalers = await asyncio.gather(
        *(client.list(kind, namespace) for kind in rollouts.KINDS), client.list(POD_AUTOSCALER, namespace)
    )
    known = [(kind, body) for kind, bodies in zip(rollouts.KINDS, listed, strict=True) for body in bodies]
    named = {fault.component for fault in faults}
    config_maps = await _read_config_maps(client, namespace, faults)
    nodes = await _read_nodes(client, room, faults, pods, facts)
    return {
        component.name: replace(of(component, pods, known, scalers, config_maps), nodes=nodes)
        for component in room.spec.components
        if component.name in named
    }


async def _read_nodes(
    client: Client, room: AudioRoom, faults: Sequence[Fault], pods: Sequence[Object], facts: Callable[[Object], Pod]
) -> dict[str, Node]:
    """The nodes of the pods that faults which drain one aim at, with what is on them of the room.

    A node that was deleted is left out: its pods are listed for some minutes more, and nothing can be drained there.
    """
    aimed = {fault.component for fault in faults if fault.spec.aims_at is Aim.NODE}
    own = {component.name: of_component(component, pods) for component in room.spec.components}
    every = {pod["metadata"]["uid"]: pod for group in own.values() for pod in group}.values()
    wanted = {pod["spec"].get("nodeName") for name, group in own.items() if name in aimed for pod in group} - {None, ""}
    try:
        nodes = await asyncio.gather(*(_read_node(client, name) for name in sorted(wanted)))
    except Forbidden as error:
        raise _not_allowed(error, (fault for fault in faults if fault.spec.aims_at is Aim.NODE)) from error
    return {
        body["metadata"]["name"]: on_node(
            body, [pod for pod in every if pod["spec"].get("nodeName") == body["metadata"]["name"]], facts
        )
        for body in nodes
        if body is not None
    }


async def _read_node(client: Client, name: str) -> Object | None:
    try:
        return await client.get(NODE, "", name)
    except NotFound:
        return None


def on_node(body: Object, pods: Sequence[Object], facts: Callable[[Object], Pod]) -> Node:
    """A node, with the room's pods there. Pure."""
    owners = {pod["metadata"]["uid"]: rollouts.owner_of(pod) for pod in pods}
    leaving = [pod for pod in pods if (owners[pod["metadata"]["uid"]] or ("", ""))[0] != DAEMON_SET.name]
    return Node(
        name=body["metadata"]["name"],
        uid=body["metadata"]["uid"],
        cordoned=bool(body["spec"].get("unschedulable")),
        pods=tuple(facts(pod) for pod in leaving if "deletionTimestamp" not in pod["metadata"]),
        bare=tuple(pod["metadata"]["name"] for pod in leaving if owners[pod["metadata"]["uid"]] is None),
    )


def _not_allowed(error: Forbidden, faults: Iterator[Fault]) -> Forbidden:
    """What these faults need, and the operator may not unless its chart says so."""
    allow = f"for the operator, install the chart with faults.{next(faults).kind}.enabled=true"
    return Forbidden(f"{error}; {allow}", status=error.status, reason=error.reason)


async def _read_config_maps(client: Client, namespace: str, faults: Sequence[Fault]) -> tuple[ConfigMap, ...]:
    """Those that faults name, as far as they are there."""
    config_maps = []
    for name in sorted({name for fault in faults for name in fault.spec.config_maps}):
        try:
            body = await client.get(CONFIG_MAP, namespace, name)
        except NotFound:
            continue
        except Forbidden as error:
            raise _not_allowed(error, (fault for fault in faults if name in fault.spec.config_maps)) from error
        data = body.get("data") or {}
        config_maps.append(ConfigMap(name, body["metadata"]["uid"], data, immutable=bool(body.get("immutable"))))
    return tuple(config_maps)


def of(
    component: Component,
    pods: Sequence[Object],
    known: Iterable[Known],
    scalers: Iterable[Object],
    config_maps: tuple[ConfigMap, ...] = (),
) -> Backing:
    """What is behind the component's pods. Pure.

    Args:
        component: of the room.
        pods: all of the namespace.
        known: all workloads of the namespace that replace their pods.
        scalers: all HorizontalPodAutoscalers of the namespace.
        config_maps: those that faults name.
    """
    own = of_component(component, pods)
    uids = {pod["metadata"]["uid"] for pod in own}
    owned: dict[tuple[str, str] | None, list[Object]] = {}
    for pod in pods:
        if not is_over(pod):
            owned.setdefault(rollouts.owner_of(pod), []).append(pod)
    scaled = {_scaled(scaler): str(scaler["metadata"]["name"]) for scaler in scalers}
    workloads = {}
    for kind, body in known:
        place = kind.name, str(body["metadata"]["name"])
        made = owned.get(place, [])
        if ROLE_LABEL in _labels(body) or not any(pod["metadata"]["uid"] in uids for pod in made):
            continue
        others = tuple(str(pod["metadata"]["name"]) for pod in made if pod["metadata"]["uid"] not in uids)
        workloads[place] = _workload(kind, body, scaled.get(place, ""), others)
    loose = tuple(str(pod["metadata"]["name"]) for pod in own if rollouts.owner_of(pod) not in workloads)
    return Backing(tuple(workloads[place] for place in sorted(workloads)), loose, config_maps)


def _workload(kind: Kind, body: Object, scaler: str, others: tuple[str, ...]) -> Workload:
    metadata, spec = body["metadata"], body["spec"]
    annotations = (spec.get("template", {}).get("metadata") or {}).get("annotations") or {}
    pod = spec.get("template", {}).get("spec") or {}
    return Workload(
        kind=kind.name,
        name=metadata["name"],
        uid=metadata["uid"],
        replicas=None if kind is DAEMON_SET else spec.get("replicas", 1),
        restarted=annotations.get(fields.RESTARTED_KEY),
        scaler=scaler,
        held=_held(kind, spec),
        others=others,
        config_maps=tuple(sorted({*_config_maps(pod)})),
        followed=tuple(sorted({*_followed(pod)})),
        deletes_volumes=_deletes_volumes(spec),
    )


def _config_maps(pod: Mapping[str, Any]) -> Iterator[str]:
    """The names of the ConfigMaps that a pod mounts, or that its containers read at their start."""
    yield from (name for _, name in _volumes(pod))
    for container in _containers(pod):
        for source in container.get("envFrom") or ():
            if "configMapRef" in source:
                yield source["configMapRef"].get("name", "")
        for variable in container.get("env") or ():
            if "configMapKeyRef" in (variable.get("valueFrom") or {}):
                yield variable["valueFrom"]["configMapKeyRef"].get("name", "")


def _followed(pod: Mapping[str, Any]) -> Iterator[str]:
    """Of these, the ones that a kubelet writes anew while the pod runs: those mounted whole."""
    mounts = [mount for container in _containers(pod) for mount in container.get("volumeMounts") or ()]
    whole = {mount.get("name") for mount in mounts if not (mount.get("subPath") or mount.get("subPathExpr"))}
    yield from (name for volume, name in _volumes(pod) if volume in whole)


def _volumes(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The volumes of a pod that are made of ConfigMaps, each with the ConfigMap."""
    for volume in pod.get("volumes") or ():
        projected = (volume.get("projected") or {}).get("sources") or ()
        for source in (volume, *projected):
            if "configMap" in source:
                yield volume.get("name", ""), source["configMap"].get("name", "")


def _containers(pod: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (*(pod.get("containers") or ()), *(pod.get("initContainers") or ()))


def _deletes_volumes(spec: Mapping[str, Any]) -> bool:
    """Of a StatefulSet: whether what its pods have stored is gone with the replicas."""
    policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    return bool(spec.get("volumeClaimTemplates")) and policy.get("whenScaled") == "Delete"


def _held(kind: Kind, spec: Mapping[str, Any]) -> str:
    """Why a change of its template does not reach all of its pods, and what to do about it."""
    strategy = spec.get("updateStrategy") or {}
    if kind is not DEPLOYMENT and strategy.get("type") == "OnDelete":
        return "its updateStrategy is OnDelete; use podKill"
    if partition := (strategy.get("rollingUpdate") or {}).get("partition", 0):
        return f"its partition is {partition}; finish the release first"
    if kind is DEPLOYMENT and spec.get("paused"):
        return "it is paused; resume it with kubectl rollout resume"
    return ""


def _scaled(scaler: Object) -> tuple[str, str]:
    """The workload that an autoscaler scales, by kind and name."""
    target = scaler["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]


def _labels(body: Object) -> Mapping[str, str]:
    """The labels of a workload's pods."""
    labels: Mapping[str, str] = (body["spec"].get("template", {}).get("metadata") or {}).get("labels") or {}
    return labels
