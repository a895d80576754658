"""Rollouts: the workloads behind a room's pods, their pod templates, and whether all pods have these. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showstopper.api.schema.base import GROUP
from showstopper.cluster.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Kind

KINDS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
"""The workloads that replace their pods. A bare ReplicaSet replaces what dies, and changes nothing."""

_HASH_LABEL = "pod-template-hash"
_FOREIGN_HASH_LABEL = "rollouts-pod-template-hash"
"""Of Argo Rollouts, on pods and ReplicaSets."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A workload whose pods do not all have its template, as a sentence for a person.

    Attributes:
        held: it does not go on by itself: a person or another controller has to do something.
    """

    message: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as far as releases need it.

    Attributes:
        labels: of its pods.
        template: ten characters that are those of this pod template alone.
        software: the same of what its containers are and what they mount, wherever and under whatever labels they run.
        rollout: what keeps its pods from having the template. None if nothing does.
    """

    kind: str
    name: str
    labels: Mapping[str, str]
    template: str
    rollout: Rollout | None
    software: str = ""

    @property
    def owner(self) -> tuple[str, str]:
        """As its pods name it, by kind and name."""
        return self.kind, self.name


def read(kind: Kind, body: Mapping[str, Any], *, observed: str = "") -> Workload:
    """A Deployment, StatefulSet or DaemonSet as the API has it.

    Args:
        kind: which of the three.
        body: of the workload.
        observed: the newest template that its controller is known to have observed, as `Workload.template` has it.
    """
    template, name = body["spec"].get("template", {}), str(body["metadata"]["name"])
    labels = (template.get("metadata") or {}).get("labels") or {}
    content = template_hash(template)
    under_way = rollout(kind, body, scaled=content == observed)
    return Workload(kind.name, name, labels, content, under_way, software_hash(template.get("spec") or {}))


def is_observed(body: Mapping[str, Any]) -> bool:
    """Whether the workload's controller has seen all that its spec says."""
    seen, generation = body.get("status", {}).get("observedGeneration", 0), body["metadata"].get("generation", 0)
    return bool(seen >= generation)


def template_hash(template: Mapping[str, Any]) -> str:
    """The hash of a pod template. What our own faults note in its annotations is no change of it."""
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    own = {key: value for key, value in annotations.items() if not key.startswith(f"{GROUP}/")}
    return _hash([metadata.get("labels") or {}, own, template.get("spec") or {}])


def software_hash(spec: Mapping[str, Any]) -> str:
    """The hash of what a pod is made of: two workloads that differ in their zones or nodes alone have the same."""
    return _hash([spec.get(part) for part in ("containers", "initContainers", "volumes")])


def _hash(content: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def rollout(kind: Kind, body: Mapping[str, Any], *, scaled: bool = False) -> Rollout | None:
    """Why not all pods have the workload's template, as `kubectl rollout status` has it. Unready pods are no rollout.

    From the moment at which the template changes: then the generation is newer than what its controller has observed.
    `scaled`: its template is one that the controller has observed, so that something else has changed.
    """
    spec, status, name = body["spec"], body.get("status", {}), f"{kind.name} {body['metadata']['name']}"
    moving = Rollout(f"{name} is being rolled out")
    if not scaled and not is_observed(body):
        return moving
    wanted, updated, there = _progress(kind, spec, status)
    if updated >= there and (updated > 0 or wanted == 0):
        return None  # pods that are missing are no rollout: a killed one comes back with this template
    if (reason := _held(kind, spec, status, updated=updated, wanted=wanted)) is not None:
        return Rollout(f"{updated} of {wanted} pods of {name} have its newest template: {reason}", held=True)
    return moving


def _progress(kind: Kind, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int, int]:
    """How many pods are wanted, how many have the template, and how many are there."""
    if kind is DAEMON_SET:
        wanted = status.get("desiredNumberScheduled", 0)
        return wanted, status.get("updatedNumberScheduled", 0), status.get("currentNumberScheduled", wanted)
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if kind is STATEFUL_SET:
        same = status.get("currentRevision") == status.get("updateRevision")
        return wanted, wanted if same else updated, wanted
    return wanted, updated, status.get("replicas", 0)


def _held(kind: Kind, spec: Mapping[str, Any], status: Mapping[str, Any], *, updated: int, wanted: int) -> str | None:
    """What a rollout waits for that does not come by itself, and what to do about it."""
    strategy = spec.get("updateStrategy") or {}
    if kind is not DEPLOYMENT and strategy.get("type") == "OnDelete":
        return "its updateStrategy is OnDelete: delete the others to finish the release"
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    if kind is STATEFUL_SET and partition and updated >= wanted - partition:
        return f"its partition is {partition}: lower it to finish the release"
    if kind is DEPLOYMENT and spec.get("paused"):
        return "it is paused: kubectl rollout resume finishes the release"
    late = any(
        condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        for condition in status.get("conditions", ())
    )
    if kind is DEPLOYMENT and late:
        return "its progress deadline has passed: mend its pods, or kubectl rollout undo"
    return None


def owner_of(pod: Mapping[str, Any]) -> tuple[str, str] | None:
    """The workload that made the pod, by kind and name. None for a bare one.

    A Deployment's ReplicaSet is named after it and the hash that its pods are labelled with
    (kubernetes: pkg/controller/deployment/sync.go, getNewReplicaSet), so it need not be asked for.
    """
    metadata = pod["metadata"]
    owner = next((owner for owner in metadata.get("ownerReferences") or () if owner.get("controller")), None)
    if owner is None:
        return None
    labels = metadata.get("labels") or {}
    suffix = f"-{labels.get(_HASH_LABEL, '')}"
    if owner["kind"] == "ReplicaSet" and len(suffix) > 1 and owner["name"].endswith(suffix):
        return "Deployment", owner["name"].removesuffix(suffix)
    return owner["kind"], owner["name"]


def foreign_template(pods: Iterable[Mapping[str, Any]]) -> set[str]:
    """The hashes by which Argo Rollouts tells the templates of these pods apart."""
    return {(pod["metadata"].get("labels") or {}).get(_FOREIGN_HASH_LABEL, "") for pod in pods} - {""}
