"""Trials of what is under no agent alone: the host's silence, the closed door, and connections of a storm.

All three are in one run. Their executors are the host, the door's pods, and the agent of the storm's node, whose gate
ends the storm. Control is lost of all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from bench import lifts, spare
from bench.lifted import GRACE_SECONDS, LOST
from bench.senses import Connections, Door, Looking, Sense, Silence
from bench.streams import Place
from dev import stage
from showstopper.clock import from_timestamp
from showstopper.cluster.listeners import HOST, LISTENER, PORT
from tests.support.control_loss import WAYS as OF_AGENTS
from tests.support.control_loss import agent_killed, agent_pod, api_cut, processes_killed
from tests.support.staged_room import Object, Show, eventually

SILENCE, CLOSED, STORM = "silence", "closed", "storm"
WAYS = ("executors_killed", "operator_killed", "links_cut")
VERDICTS = LOST | {"Inconclusive HostLost"}
"""A host that is killed is also one that nobody could hear."""

STARTS_SECONDS = 60.0


class StageField:
    """The stage with its executors, and what feels their faults."""

    kinds: Sequence[str] = (SILENCE, CLOSED, STORM)
    verdicts = VERDICTS

    def __init__(self, show: Show, pods: Mapping[str, Place]) -> None:
        self.show, self._pods = show, pods
        self._doors = [pod["metadata"]["name"] for pod in show.pods(lifts.DOOR)]
        self._armed = 0.0
        door = Door(self._addresses("app.kubernetes.io/component", lifts.DOOR), PORT, lifts.ROOM)
        storm = Connections(pods[lifts.SINK], lifts.SINK_PORT)
        listeners = self._addresses("showstopper.dev/role", LISTENER)
        self.watches: list[Looking] = [door, storm]
        self.senses: dict[str, Sense] = {
            SILENCE: Silence(listeners, lambda: self._armed),
            CLOSED: door,
            STORM: storm,
        }
        self._before = self._state()

    def ready(self, _kinds: Sequence[str]) -> None:
        """Wait until the host is heard again, and the door answers."""
        stage.wait_for_room(self.show.cluster, namespace=lifts.NAMESPACE, room=lifts.ROOM)

    def experiment(self, revision: str, _kinds: Sequence[str]) -> dict[str, Any]:
        """All three at once, for longer than anybody keeps them up."""
        flood = {"port": "tcp", "opening": "TCP", "rate": 50}
        faults: list[dict[str, Any]] = [
            {"name": SILENCE, "duration": "10m", "deadAir": {}},
            {"name": CLOSED, "duration": "10m", "roomUnavailable": {}},
            {"name": STORM, "target": {"component": lifts.SINK}, "duration": "3m", "connectionFlood": flood},
        ]
        return spare.experiment(lifts.NAMESPACE, lifts.ROOM, lifts.EXPERIMENT, revision, faults)

    def begun(self, status: Object) -> None:
        """The run's faults are proven."""
        silenced = (target for target in status["targets"] if target["fault"] == SILENCE)
        self._armed = min(from_timestamp(target["armedAt"]) for target in silenced)

    @contextmanager
    def lose(self, way: str) -> Iterator[float]:
        """Lose control of all three. Yields a moment (unix seconds) from which on it was lost for certain."""
        (host,) = self._pods_with("showstopper.dev/role", HOST)
        (storm,) = self._pods_with("showstopper.dev/role", "storm")
        node = storm["spec"]["nodeName"]
        with ExitStack() as stack:
            if way == "operator_killed":
                yield stack.enter_context(OF_AGENTS[way](self.show, node))
            elif way == "executors_killed":
                victims = {host["metadata"]["name"]: HOST, **dict.fromkeys(self._doors, lifts.DOOR)}
                stack.enter_context(agent_killed(self.show, node))
                yield stack.enter_context(processes_killed(self.show, victims))
            else:
                agent = self.show.cluster.pod(stage.AGENTS, agent_pod(self.show.cluster, node)).address
                doors = self._addresses("app.kubernetes.io/component", lifts.DOOR)
                yield stack.enter_context(api_cut([agent, host["status"]["podIP"], *doors]))

    def leftovers(self) -> list[str]:
        """What is not as it was, and what is left of storms."""
        eventually("no storm is left", STARTS_SECONDS, lambda: not self._pods_with("showstopper.dev/role", "storm"))
        now = self._state()
        return [f"{what}: {now[what]!r}, was {was!r}" for what, was in self._before.items() if now[what] != was]

    def grace(self, _kind: str) -> float:
        """Host and door end by their own clocks, and the storm's gate by the kernel's."""
        return GRACE_SECONDS

    def _state(self) -> dict[str, str]:
        jobs = self.show.api.get(f"/apis/batch/v1/namespaces/{lifts.NAMESPACE}/jobs")["items"]
        return {**lifts.state(self._pods), "Jobs": " ".join(job["metadata"]["name"] for job in jobs)}

    def _addresses(self, label: str, value: str) -> list[str]:
        return [pod["status"]["podIP"] for pod in self._pods_with(label, value)]

    def _pods_with(self, label: str, value: str) -> list[Object]:
        path = f"/api/v1/namespaces/{lifts.NAMESPACE}/pods"
        pods: list[Object] = self.show.api.get(path, labelSelector=f"{label}={value}")["items"]
        return pods
