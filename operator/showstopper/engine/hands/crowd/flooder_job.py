"""Flooders: the Job of one packet flood, what is known of its pod, and what its pod said at its end. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.flood import PacketFlood
from showstopper.api.run import ExperimentRun
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.engine.hands.agent.asking import owned
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.pods import is_over
from showstopper.faults.behaviour import Ground
from showstopper.faults.effects import Pod
from showstopper.faults.flood import packet_flood, settings
from showstopper.faults.flood.sending import Endpoint, Flood, SendPackets, send_packets

Object = dict[str, Any]
FLOODER = "flooder"
COMMAND = ("python3", "-m", "showstopper.audio.flood.flooder")
GATHER = timedelta(seconds=60)
"""How long its pod may take to be there. Its absolute end is so much later."""
KEEP = timedelta(minutes=1)
"""How long a Job stays that nobody deletes, for there is no operator."""
_LEASE = timedelta(seconds=10)
_NOBODY = 65532


@dataclass(frozen=True, slots=True)
class Flooder:
    """The pod of a flood.

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


def spec_of(fault: Fault) -> PacketFlood:
    """What is declared of a fault that is a flood."""
    assert fault.packet_flood is not None
    return fault.packet_flood


def port_of(run: ExperimentRun, planned: PlannedFault) -> int:
    """The number of the port that a flood floods."""
    ground = Ground(run.metadata.namespace, run.spec.room.name, run.spec.room.spec)
    port = packet_flood.port_of(planned.fault, ground)
    assert port is not None, "the planner has refused a port that the room does not declare"
    return packet_flood.number_of(port, planned.targets)


def send(run: ExperimentRun, planned: PlannedFault, now: float) -> SendPackets:
    """What the flooder is to send. `now` is in Unix seconds, for its absolute end."""
    spec, fault = spec_of(planned.fault), planned.fault
    assert fault.duration is not None
    port = port_of(run, planned)
    flood = Flood(spec.shape, spec.size, spec.rate, spec.sources, fault.duration, spec.packets)
    end = datetime.fromtimestamp(now, UTC) + GATHER + fault.duration + _LEASE
    targets = sorted(planned.targets, key=lambda pod: pod.name)
    return send_packets(flood, tuple(Endpoint(pod.address, port) for pod in targets), end)


def job(run: ExperimentRun, planned: PlannedFault, images: Images, now: float) -> Object:
    """The Job: one pod without any privilege or token, that is never tried again and ends by itself."""
    order = send(run, planned, now)
    metadata = {**owned(run), "name": name(run, planned.fault.name)}
    metadata["labels"] = {**metadata["labels"], ROLE_LABEL: FLOODER, "app.kubernetes.io/component": FLOODER}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": math.ceil((order.end.timestamp() - now) + 1),
            "ttlSecondsAfterFinished": round(KEEP.total_seconds()),
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": _pod(order, images)},
        },
    }


def name(run: ExperimentRun, fault: str) -> str:
    """A name that is always the same for the same flood of a run, so it is never started twice. At most 63 long."""
    digest = hashlib.sha256(f"{run.metadata.uid}/{fault}".encode()).hexdigest()[:10]
    return f"{run.metadata.name[:52].rstrip('-')}-{digest}"


def flooder_of(run: ExperimentRun, fault: str, pods: Sequence[Mapping[str, Any]]) -> Flooder:
    """The flooder among pods: the one of the flood's Job."""
    wanted = name(run, fault)
    own = [body for body in pods if body["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name") == wanted]
    if not own:
        return Flooder(
            problem="its Job has no pod: a quota, a limit or an admission policy of the namespace may forbid it"
        )
    (body,) = own[:1]
    status = body.get("status", {})
    over = is_over(body) or "deletionTimestamp" in body["metadata"]
    address, node = status.get("podIP", ""), body.get("spec", {}).get("nodeName", "")
    there = Pod(body["metadata"]["namespace"], body["metadata"]["name"], body["metadata"]["uid"], node, address)
    running = status.get("phase") == "Running" and address and node and not over
    return Flooder(there if running else None, _problem(status), over, _report(status))


def silent(flooder: Flooder) -> str:
    """What a flooder said of a flood that did nothing, for a person. Empty if nothing."""
    report = flooder.report
    if report is None:
        return ""
    refused = ", ".join(f"{count} times {reason}" for reason, count in report.get("errors", {}).items())
    said = f"its flooder ended by {report.get('ended_by')} after {report.get('packets')} packets"
    return f"{said}; the kernel refused {refused}" if refused else said


def _pod(order: SendPackets, images: Images) -> Object:
    """As Pod Security *restricted* has it, and less."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "imagePullSecrets": [{"name": secret} for secret in images.pull_secrets],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": FLOODER,
                "image": images.audio,
                "imagePullPolicy": images.pull_policy,
                "command": list(COMMAND),
                "env": [{"name": key, "value": value} for key, value in settings.environment(order).items()],
                "terminationMessagePath": settings.TERMINATION_MESSAGE,
                # No limit of processor time: what it sends is bounded by its rate, and counted.
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


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
