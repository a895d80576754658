"""Jobs of the crowd: the Job of one fault, what is known of its pod, and what its pod said at its end. Pure."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.injection import LEASE_SECONDS
from showstopper.api.run import ExperimentRun
from showstopper.cluster.client import Object
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.engine.hands.injections.asking import owned
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.fleet import manifests, restricted
from showstopper.engine.rooms.pods import is_over
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.crowd import CrowdBehaviour
from showstopper.faults.effects import Pod
from showstopper.faults.task import TERMINATION_MESSAGE, Task

GATHER = timedelta(seconds=60)
"""How long its pod may take to be there. Its absolute end is so much later."""
KEEP = timedelta(minutes=1)
"""How long a Job stays that nobody deletes, for there is no operator."""


@dataclass(frozen=True, slots=True)
class CrowdPod:
    """The pod of a fault.

    Attributes:
        pod: None: it is not there yet, or has no address yet.
        problem: what keeps it from being there, as its kubelet or the Job's controller says.
        over: it has ended.
        report: its last line, when it has ended and said one.
    """

    pod: Pod | None = None
    problem: str = ""
    over: bool = False
    report: Mapping[str, Any] | None = None


def behaviour(fault: Fault) -> CrowdBehaviour[FaultKind]:
    """What the kind of a fault of the crowd says of it."""
    of_kind = registry.of(fault.spec)
    assert isinstance(of_kind, CrowdBehaviour), "the hand is chosen by the fault's kind"
    return of_kind


def context(run: ExperimentRun, planned: PlannedFault) -> FaultContext:
    """Where a fault is carried out."""
    return FaultContext(run.metadata.namespace, run.spec.room.name, run.spec.room.spec, planned.targets)


def job(run: ExperimentRun, planned: PlannedFault, images: Images, now: float) -> Object:
    """The Job: one pod without any privilege or token of the cluster, that is never tried again and ends by itself.

    `now` is in Unix seconds, for its absolute end.
    """
    fault, kind = planned.fault, behaviour(planned.fault)
    assert fault.duration is not None
    end = datetime.fromtimestamp(now, UTC) + GATHER + fault.duration + timedelta(seconds=LEASE_SECONDS)
    task = kind.task(fault, context(run, planned), end)
    metadata = {**owned(run), "name": name(run, fault.name)}
    metadata["labels"] = {**metadata["labels"], ROLE_LABEL: kind.role, "app.kubernetes.io/component": kind.role}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": math.ceil((end.timestamp() - now) + 1),
            "ttlSecondsAfterFinished": round(KEEP.total_seconds()),
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": _pod(run, kind.role, task, images)},
        },
    }


def name(run: ExperimentRun, fault: str) -> str:
    """A name that is always the same for the same fault of a run, so it is never started twice. At most 63 long."""
    digest = hashlib.sha256(f"{run.metadata.uid}/{fault}".encode()).hexdigest()[:10]
    return f"{run.metadata.name[:52].rstrip('-')}-{digest}"


def pod_of(run: ExperimentRun, fault: str, pods: Sequence[Mapping[str, Any]]) -> CrowdPod:
    """The pod of a fault's Job among pods."""
    wanted = name(run, fault)
    own = [body for body in pods if body["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name") == wanted]
    if not own:
        return CrowdPod(
            problem="its Job has no pod: a quota, a limit or an admission policy of the namespace may forbid it"
        )
    (body,) = own[:1]
    status = body.get("status", {})
    over = is_over(body) or "deletionTimestamp" in body["metadata"]
    address, node = status.get("podIP", ""), body.get("spec", {}).get("nodeName", "")
    there = Pod(body["metadata"]["namespace"], body["metadata"]["name"], body["metadata"]["uid"], node, address)
    running = status.get("phase") == "Running" and address and node and not over
    return CrowdPod(there if running else None, _problem(status), over, _report(status))


def excuse(fault: Fault, pod: CrowdPod) -> str:
    """What a pod said of a fault that did nothing, for a person. Empty if nothing."""
    return "" if pod.report is None else behaviour(fault).excuse(pod.report)


def _pod(run: ExperimentRun, role: str, task: Task, images: Images) -> Object:
    """As Pod Security *restricted* has it, and less."""
    asked, most = task.memory
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "imagePullSecrets": [{"name": secret} for secret in images.pull_secrets],
        "securityContext": restricted.POD,
        "containers": [
            {
                "name": role,
                "image": images.audio,
                "imagePullPolicy": images.pull_policy,
                "command": ["python3", "-m", task.module],
                "env": list(_environment(run, task)),
                "terminationMessagePath": TERMINATION_MESSAGE,
                # No limit of processor time: what it sends is bounded by its task, and counted.
                "resources": {
                    "requests": {"cpu": task.cpu, "memory": f"{asked}Mi"},
                    "limits": {"memory": f"{most}Mi"},
                },
                "securityContext": restricted.CONTAINER,
            }
        ],
    }


def _environment(run: ExperimentRun, task: Task) -> Iterator[Object]:
    """What its program is told and, if it joins the room, the key that lets it in, as the room's listeners have it."""
    if task.joins:
        yield from manifests.room_environment(run.room)
    for key, value in task.environment.items():
        yield {"name": key, "value": value}


def _problem(status: Mapping[str, Any]) -> str:
    """Why the pod does not run, by its container's state or its own conditions."""
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return f"{waiting.get('reason', '')}: {waiting.get('message', '')}".strip(": ")
    blocked = [
        condition
        for condition in status.get("conditions", ())
        if condition["status"] == "False" and condition.get("message")
    ]
    return str(blocked[0]["message"]) if blocked else f"its pod is {status.get('phase', 'unknown')}"


def _report(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for container in status.get("containerStatuses", ()):
        message = container.get("state", {}).get("terminated", {}).get("message", "")
        try:
            said = json.loads(message)
        except ValueError:  # a traceback, or nothing
            continue
        if isinstance(said, dict):
            return said
    return None
