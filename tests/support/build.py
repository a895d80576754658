"""Experiments, rooms and runs for tests, from the fewest words."""

from typing import Any

from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.faults.effects import Pod

ROOM_SPEC: dict[str, Any] = {
    "livekit": {"url": "ws://relay:7880", "room": "main", "credentialsSecretRef": {"name": "livekit-keys"}},
    "components": [
        {"name": "relay", "selector": {"matchLabels": {"app": "relay"}}},
        {"name": "store", "selector": {"matchLabels": {"app": "store"}}},
    ],
    "listeners": {"count": 2, "perPod": 2},
}


def room(**spec: Any) -> AudioRoom:
    """A room called main-stage."""
    return AudioRoom.parse(
        {"metadata": {"name": "main-stage", "namespace": "show", "uid": "room-uid"}, "spec": {**ROOM_SPEC, **spec}}
    )


def fault(name: str = "kill", **target: Any) -> dict[str, Any]:
    """A pod kill of a relay."""
    return {"name": name, "target": {"component": "relay", **target}, "podKill": {}}


def experiment(
    *, metadata: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: Any
) -> Experiment:
    """An experiment called kill."""
    return Experiment.parse(
        {
            "metadata": {
                "name": "kill",
                "namespace": "show",
                "uid": "experiment-uid",
                "generation": 1,
                **(metadata or {}),
            },
            "spec": {
                "roomRef": {"name": "main-stage"},
                "faults": [fault()],
                "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
                **spec,
            },
            "status": status or {},
        }
    )


def run(
    name: str = "kill-1", *, created: str = "2026-01-01T00:00:00Z", status: dict[str, Any] | None = None, **spec: Any
) -> ExperimentRun:
    """A run of that experiment."""
    origin = {"name": "kill", "uid": "experiment-uid", "generation": 1, "hash": "h", **spec.pop("experiment", {})}
    return ExperimentRun.parse(
        {
            "metadata": {"name": name, "namespace": "show", "uid": f"{name}-uid", "creationTimestamp": created},
            "spec": {
                "experiment": origin,
                "room": {"name": "main-stage", "uid": "room-uid", "spec": ROOM_SPEC},
                "timing": {"baseline": "5s", "recovery": "20s"},
                "faults": [fault()],
                "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
                "seed": 1,
                "deadline": "2026-01-01T01:00:00Z",
                **spec,
            },
            "status": status or {},
        }
    )


def pod(
    name: str,
    *,
    address: str = "",
    ready: bool = True,
    terminating: bool = False,
    serving: bool | None = None,
    created: str = "",
) -> Pod:
    """A scheduled pod."""
    return Pod("show", name, f"{name}-uid", "node1", address, ready, terminating, serving, created=created)
