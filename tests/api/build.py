"""Objects as people write them, and small changes to them."""

import copy
from collections.abc import Mapping
from typing import Any

LEAVE_OUT = object()


def experiment(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An experiment that is right but for the changes: "spec.expect.0.min" to its new value."""
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "Experiment",
            "metadata": {"name": "kill", "namespace": "show"},
            "spec": {
                "roomRef": {"name": "main-stage"},
                "faults": [_kill("one")],
                "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
                "abortIf": [{"indicator": "LongestDeadAir", "above": "40s"}],
            },
        },
        changes,
    )


def room(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A room that is right but for the changes."""
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "AudioRoom",
            "metadata": {"name": "main-stage", "namespace": "show"},
            "spec": {
                "livekit": {"url": "ws://relay:7880", "room": "stage", "credentialsSecretRef": {"name": "keys"}},
                "components": [
                    {
                        "name": "relay",
                        "selector": {"matchLabels": {"app": "relay"}},
                        "ports": [{"name": "media", "port": 7882, "protocol": "UDP"}],
                    }
                ],
            },
        },
        changes,
    )


def run(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A run as the operator makes one."""
    asked = experiment()["spec"]
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "ExperimentRun",
            "metadata": {"name": "kill-1", "namespace": "show"},
            "spec": {
                "experiment": {"name": "kill", "uid": "u-1", "generation": 1, "hash": "h"},
                "room": {"name": "main-stage", "uid": "u-2", "spec": room()["spec"]},
                "release": [{"component": "relay", "container": "livekit", "image": "livekit:1", "digest": "sha256:1"}],
                "timing": {"baseline": "15s", "recovery": "1m"},
                "faults": asked["faults"],
                "expect": asked["expect"],
                "seed": 2**53 - 1,
                "deadline": "2026-01-01T00:00:00.000001Z",
            },
        },
        changes,
    )


def game_day(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A game day of two acts that is right but for the changes."""
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "GameDay",
            "metadata": {"name": "rehearsal", "namespace": "show"},
            "spec": {
                "window": {"start": "2026-12-01T19:00:00Z", "end": "2026-12-01T23:00:00+01:00"},
                "acts": [
                    {"name": "kill", "experimentRef": {"name": "kill"}, "hold": {"for": "5m"}},
                    {"name": "loss", "experiment": experiment()["spec"], "hold": {"approval": True}},
                ],
            },
        },
        changes,
    )


def gate(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A release gate that is right but for the changes."""
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "ReleaseGate",
            "metadata": {"name": "night", "namespace": "show"},
            "spec": {
                "roomRef": {"name": "main-stage"},
                "components": ["relay"],
                "experiments": [{"name": "kill"}, {"name": "loss"}],
                "maxAge": "168h",
            },
        },
        changes,
    )


def injection(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An injection as the operator makes one."""
    return _changed(
        {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "Injection",
            "metadata": {"name": "kill-1-loss-1", "namespace": "show"},
            "spec": {
                "run": {"name": "kill-1", "uid": "u-3"},
                "fault": "loss",
                "node": "node1",
                "lease": "kill-1",
                "targets": [{"pod": "relay-0", "uid": "5c0ffee0-1", "address": "198.18.1.5"}],
                "ports": [{"port": 7882, "protocol": "UDP"}],
                "peers": ["198.18.2.0/24", "fd00::1"],
                "packetLoss": {"percent": "5%"},
            },
        },
        changes,
    )


def host_injection(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An injection of a fault that a host carries out on itself, as the operator makes one."""
    body = injection()
    spec = {key: body["spec"][key] for key in ("run", "lease")}
    host = {"pod": "main-stage-host-a", "uid": "5c0ffee0-2", "address": "198.18.1.9"}
    body["metadata"]["name"] = "silence-1-air-1"
    body["spec"] = {**spec, "fault": "air", "pod": host["pod"], "targets": [host], "deadAir": {}}
    return _changed(body, changes)


def _kill(name: str) -> dict[str, Any]:
    return {"name": name, "target": {"component": "relay"}, "podKill": {}}


def _changed(body: dict[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for path, value in (changes or {}).items():
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = body
        for part in way:
            place = place[part] if isinstance(part, int) else place.setdefault(part, {})
        if value is LEAVE_OUT:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return body
