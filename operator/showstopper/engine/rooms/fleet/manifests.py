"""Fleet: from an AudioRoom to the manifests of its listeners, its managed host and its crowd. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from showstopper.api.room import AudioRoom, Crowd, Host
from showstopper.api.schema.base import API_VERSION
from showstopper.cluster.listeners import CROWD, HOST, LISTENER, PORT
from showstopper.engine.rooms.fleet import names, restricted

# The longest time that the pods' settings accept (audio/settings.py). Rare arrivals over many pods would exceed it.
_DAY = timedelta(days=1)
_POD_NAME = {"name": "SHOWSTOPPER_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
_POD_UID = {"name": "SHOWSTOPPER_POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
HOST_ROLE = "showstopper-host"
"""The chart's ClusterRole of what a host may do in its room's namespace: read Injections and Leases, and answer."""


@dataclass(frozen=True, slots=True)
class Images:
    """Where the fleet's image comes from."""

    audio: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


def account(room: AudioRoom) -> list[dict[str, Any]]:
    """The ServiceAccount of the room's managed host, and what it may do. Empty without one."""
    if room.spec.program.host is not Host.MANAGED:
        return []
    name = names.host(room)
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(room, name, HOST),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": _metadata(room, name, HOST),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": HOST_ROLE},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": room.metadata.namespace}],
        },
    ]


def manifests(room: AudioRoom, images: Images, *, away: bool = False) -> list[dict[str, Any]]:
    """What is meant to be there for the room, ready for a server-side apply. `away`: without a pod."""
    fleet = [_listeners(room, images)]
    if room.spec.program.host is Host.MANAGED:
        fleet.append(_host(room, images))
    if (crowd := room.spec.listeners.crowd) is not None:
        fleet.append(_crowd(room, crowd, images))
    for manifest in fleet if away else ():
        manifest["spec"]["replicas"] = 0
    return fleet


def version(manifest: Mapping[str, Any]) -> str:
    """Which version of the fleet a manifest makes. Its pods carry it, to tell pods from before a change apart."""
    version: str = manifest["spec"]["template"]["metadata"]["annotations"][names.FLEET_ANNOTATION]
    return version


def _listeners(room: AudioRoom, images: Images) -> dict[str, Any]:
    return _workload(
        room,
        kind="StatefulSet",
        name=names.listeners(room),
        role=LISTENER,
        template=_template(
            room, images, LISTENER, _listener_environment(room), health="/healthz", resources=_resources("50m")
        ),
        spec={
            "replicas": names.pod_count(room),
            "podManagementPolicy": "Parallel",
            # Demanded by the API. Nobody looks the pods up by name, so there is no such Service.
            "serviceName": names.listeners(room),
        },
    )


def _host(room: AudioRoom, images: Images) -> dict[str, Any]:
    # A host that is late silences everybody: it gets its share of a busy node, with room above the 13 % that it takes.
    return _workload(
        room,
        kind="Deployment",
        name=names.host(room),
        role=HOST,
        template=_template(
            room,
            images,
            HOST,
            _host_environment(room),
            health="/readyz",
            resources=_resources("200m"),
            account=names.host(room),
        ),
        # Two hosts at a time would speak over each other.
        spec={"replicas": 1, "strategy": {"type": "Recreate"}},
    )


def _crowd(room: AudioRoom, crowd: Crowd, images: Images) -> dict[str, Any]:
    return _workload(
        room,
        kind="StatefulSet",
        name=names.crowd(room),
        role=CROWD,
        template=_template(
            room,
            images,
            CROWD,
            _crowd_environment(room, crowd),
            health="/healthz",
            resources=_crowd_resources(crowd.per_pod + crowd.newcomers),
        ),
        spec={
            "replicas": len(names.crowd_pods(room)),
            "podManagementPolicy": "Parallel",
            "serviceName": names.crowd(room),
        },
    )


def _resources(cpu: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": "128Mi"}, "limits": {"memory": "512Mi"}}


def _crowd_resources(listeners: int) -> dict[str, Any]:
    """What so many take, with room above it: 260 MB and a third of a core for a thousand (measured, with ears)."""
    return {
        "requests": {"cpu": f"{50 + listeners * 2 // 5}m", "memory": f"{128 + listeners // 5}Mi"},
        "limits": {"memory": f"{512 + listeners // 2}Mi"},
    }


def _workload(
    room: AudioRoom, *, kind: str, name: str, role: str, template: dict[str, Any], spec: dict[str, Any]
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": _metadata(room, name, role),
        "spec": {**spec, "selector": {"matchLabels": names.selector(room, role)}, "template": template},
    }


def _metadata(room: AudioRoom, name: str, role: str) -> dict[str, Any]:
    """Of what goes with its room."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": AudioRoom.kind,
        "name": room.metadata.name,
        "uid": room.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "name": name,
        "namespace": room.metadata.namespace,
        "labels": names.labels(room, role),
        "ownerReferences": [owner],
    }


def _template(
    room: AudioRoom,
    images: Images,
    role: str,
    environment: list[dict[str, Any]],
    *,
    health: str,
    resources: dict[str, Any],
    account: str | None = None,
) -> dict[str, Any]:
    spec = {
        **({"serviceAccountName": account} if account else {}),
        "automountServiceAccountToken": account is not None,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "imagePullSecrets": [{"name": name} for name in images.pull_secrets],
        "securityContext": restricted.POD,
        "containers": [_container(images, role, environment, health, resources)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": names.selector(room, role)},
            }
        ],
    }
    metadata = {"labels": names.labels(room, role), "annotations": {names.FLEET_ANNOTATION: _digest(spec)}}
    return {"metadata": metadata, "spec": spec}


def _container(
    images: Images, role: str, environment: list[dict[str, Any]], health: str, resources: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": role,
        "image": images.audio,
        "imagePullPolicy": images.pull_policy,
        "command": ["showstopper", role],
        "env": environment,
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": health, "port": "http"}, "periodSeconds": 5, "timeoutSeconds": 2},
        "resources": resources,
        "securityContext": restricted.CONTAINER,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the pod's own
    }


def room_environment(room: AudioRoom) -> list[dict[str, Any]]:
    """Where the room is, and the key that lets one in, as pods of ours are told."""
    livekit = room.spec.livekit
    secret = livekit.credentials_secret_ref.name
    return [
        *_values(SHOWSTOPPER_ROOM=room.metadata.name, LIVEKIT_URL=livekit.url, LIVEKIT_ROOM=livekit.room),
        *(
            {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
            for key in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        ),
    ]


def _host_environment(room: AudioRoom) -> list[dict[str, Any]]:
    return [
        *room_environment(room),
        _POD_NAME,
        _POD_UID,
        *_values(
            SHOWSTOPPER_NAMESPACE=room.metadata.namespace,
            SHOWSTOPPER_HOLD_SECONDS=_seconds(room.spec.program.hold),
        ),
    ]


def _listener_environment(room: AudioRoom) -> list[dict[str, Any]]:
    listeners, arrivals = room.spec.listeners, room.spec.listeners.arrivals
    every = arrivals.every if arrivals else timedelta()
    stay = arrivals.stay if arrivals else timedelta(seconds=1)
    door = room.spec.door
    return [
        *room_environment(room),
        _POD_NAME,
        *_values(
            **({"SHOWSTOPPER_DOOR": door.url} if door is not None else {}),
            SHOWSTOPPER_LISTENERS=str(listeners.per_pod),
            SHOWSTOPPER_COUNT=str(listeners.count),
            SHOWSTOPPER_PROGRAM=room.spec.program.host.value,
            **_turns(every, stay, names.pod_count(room)),
        ),
    ]


def _crowd_environment(room: AudioRoom, crowd: Crowd) -> list[dict[str, Any]]:
    arrivals = crowd.arrivals
    turns = _turns(arrivals.every, arrivals.stay, crowd.pods) if arrivals is not None else {}
    return [
        *room_environment(room),
        _POD_NAME,
        *_values(
            SHOWSTOPPER_LISTENERS=str(crowd.per_pod),
            SHOWSTOPPER_COUNT=str(crowd.count),
            SHOWSTOPPER_HIDDEN=str(crowd.hidden).lower(),
            SHOWSTOPPER_PROGRAM=room.spec.program.host.value,
            **turns,
        ),
    ]


def _turns(every: timedelta, stay: timedelta, pods: int) -> dict[str, str]:
    """Newcomers, shared out among pods: each sends one in `every` times as many seconds as there are pods, and begins
    `every` later than the pod before it (its ordinal times the step).
    """
    return {
        "SHOWSTOPPER_ARRIVAL_EVERY": _seconds(every * pods),
        "SHOWSTOPPER_ARRIVAL_STEP": _seconds(every),
        "SHOWSTOPPER_ARRIVAL_STAY": _seconds(stay),
    }


def _values(**values: str) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _seconds(length: timedelta) -> str:
    return f"{min(length, _DAY).total_seconds():g}"


def _digest(spec: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
